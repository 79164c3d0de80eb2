"""Make sound_activity.npz: scores of the guitar by FireRedVAD's own ONNX file.

    python tests/golden/make_sound_activity.py

This needs onnxruntime, soundfile and the shared folder of models, ../shared. The frames are those of the
tests' own reference in float64. The guitar's left channel is taken as if it were 16 kHz; every fifth frame
is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RELEASE = ROOT.parent / "shared" / "models" / "firered"
sys.path.insert(0, str(ROOT / "tests" / "python" / "support"))


def normalizer() -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each band, by the sums in the release's cmvn.ark."""
    data = (RELEASE / "cmvn.ark").read_bytes()
    sums, squares = np.frombuffer(data[-2 * 81 * 8 :], "<f8").reshape(2, 81)
    mean = sums[:80] / sums[80]
    return mean, np.sqrt(np.maximum(squares[:80] / sums[80] - mean**2, 1e-20))


def main() -> None:
    """Write the file."""
    import preset_references  # found by the path above

    samples = soundfile.read(ROOT / "examples" / "guitar.flac", dtype="float32", always_2d=True)[0]
    mean, std = normalizer()
    frames = (preset_references.kaldi_fbank(samples[:, 0].copy()) - mean) / std
    session = onnxruntime.InferenceSession(RELEASE / "fireredvad_aed.onnx")
    scores = session.run(None, {"feat": frames[None].astype(np.float32)})[0][0]
    np.savez_compressed(HERE / "sound_activity.npz", guitar=scores[::5])


if __name__ == "__main__":
    main()
