"""Make basic_pitch.npz: notes of the guitar by the file in the package basic-pitch 0.4.0.

    pip download --no-deps basic-pitch==0.4.0
    python tests/golden/make_basic_pitch.py basic_pitch-0.4.0-py2.py3-none-any.whl

Windows are cut and their frames put together as the package's inference.py does. Four seconds of the left
channel are taken as if they were 22,050 Hz, so that no resampler is needed; every fifth frame is kept.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RATE, FRAME, LENGTH, OVERLAP = 22_050, 256, 43_844, 30
TENSORS = {"note": "1", "onset": "2", "contour": "0"}


def main(wheel: str) -> None:
    """Write the file."""
    with zipfile.ZipFile(wheel) as file:
        model = file.read("basic_pitch/saved_models/icassp_2022/nmp.onnx")
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    samples = soundfile.read(ROOT / "examples" / "guitar.flac", dtype="float32", always_2d=True)[0]
    left = samples[: 4 * RATE, 0]
    padded = np.concatenate([np.zeros(OVERLAP * FRAME // 2, np.float32), left])
    found: dict[str, list[np.ndarray]] = {name: [] for name in TENSORS}
    for start in range(0, len(padded), LENGTH - OVERLAP * FRAME):
        window = padded[start : start + LENGTH]
        window = np.pad(window, (0, LENGTH - len(window)))[None, :, None]
        for name, number in TENSORS.items():
            (rows,) = session.run(
                [f"StatefulPartitionedCall:{number}"], {"serving_default_input_2:0": window}
            )
            found[name].append(rows[0, OVERLAP // 2 : -OVERLAP // 2])
    n_frames = len(left) * (RATE // FRAME) // RATE
    joined = {name: np.concatenate(rows)[:n_frames:5] for name, rows in found.items()}
    np.savez_compressed(HERE / "basic_pitch.npz", **joined)


if __name__ == "__main__":
    main(sys.argv[1])
