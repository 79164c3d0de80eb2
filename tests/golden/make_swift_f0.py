"""Make swift_f0.npz: pitch and confidence of the guitar by the package swift-f0 0.3.0.

    python tests/golden/make_swift_f0.py

This needs swift-f0 and soundfile. The guitar's left channel is taken as if it were 16 kHz, so that no
resampler is needed; every fifth frame is kept.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from swift_f0 import SwiftF0

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def main() -> None:
    """Write the file."""
    samples = soundfile.read(ROOT / "examples" / "guitar.flac", dtype="float32", always_2d=True)[0][:, 0]
    found = SwiftF0().detect(samples.copy(), 16_000)
    pitch, confidence = (x[::5].astype(np.float32) for x in (found.pitch_hz, found.confidence))
    np.savez_compressed(HERE / "swift_f0.npz", pitch_hz=pitch, confidence=confidence)


if __name__ == "__main__":
    main()
