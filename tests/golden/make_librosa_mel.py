"""Make librosa_mel.npz: mel-spectrograms of examples/guitar.flac by librosa itself.

    python tests/golden/make_librosa_mel.py

This needs librosa and soundfile. Every twelfth frame of the first two seconds is kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soundfile

HERE = Path(__file__).parent
GUITAR = HERE.parents[1] / "examples" / "guitar.flac"
N_SAMPLES = 88_200
EVERY = 12

# These are fastaudio's names; librosa's differ for two of them.
OPTIONS: list[dict[str, Any]] = [
    {},
    {"n_fft": 512, "hop_length": 256, "n_mels": 40, "pad_mode": "reflect"},
    {"n_fft": 1024, "win_length": 882, "hop_length": 441, "n_mels": 64, "mel_scale": "htk"},
    {"n_fft": 2048, "power": 1.0, "norm": "none", "f_min": 125.0, "f_max": 7500.0, "n_mels": 64},
    {"n_fft": 1103, "hop_length": 300, "n_mels": 48, "center": False, "window": "hamming"},
]


def make(samples: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    """Return one mel-spectrogram [n_frames, n_mels] by librosa."""
    named = {"f_min": "fmin", "f_max": "fmax"}
    theirs = {named.get(key, key): value for key, value in options.items()}
    if "mel_scale" in theirs:
        theirs["htk"] = theirs.pop("mel_scale") == "htk"
    if theirs.get("norm") == "none":
        theirs["norm"] = None
    return librosa.feature.melspectrogram(y=samples, sr=44_100, **theirs).T


def main() -> None:
    """Write the file."""
    samples, _ = soundfile.read(GUITAR, dtype="float32", always_2d=True)
    left = samples[:N_SAMPLES, 0]
    arrays: dict[str, Any] = {
        "librosa": librosa.__version__,
        "numpy": np.__version__,
        "n_samples": N_SAMPLES,
        "every": EVERY,
    }
    for options in OPTIONS:
        rows = make(left, options)
        arrays[f"rows {options}"] = rows[::EVERY].astype(np.float32)
        arrays[f"n_frames {options}"] = len(rows)
    np.savez_compressed(HERE / "librosa_mel.npz", **arrays)


if __name__ == "__main__":
    main()
