"""Make silero_vad.npz: scores of the package silero-vad 6.2.3 by its own wrapper, with PyTorch.

    python tests/golden/make_silero_vad.py

This needs silero-vad, torch, onnxruntime, soundfile and the folder of shared clips, ../shared. The guitar's
left channel is taken as if it were 16 kHz, so that no resampler is needed.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import soundfile
import torch
from silero_vad.utils_vad import OnnxWrapper

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CLIPS = ROOT.parent / "shared" / "audio" / "clips"
MODEL = Path(str(files("silero_vad"))) / "data" / "silero_vad.onnx"


def scores(package: OnnxWrapper, path: Path) -> np.ndarray:
    """Return one score per 512 samples of the first channel."""
    samples = soundfile.read(path, dtype="float32", always_2d=True)[0][:, 0].copy()
    return package.audio_forward(torch.from_numpy(samples)[None], 16_000).numpy()[0]


def main() -> None:
    """Write the file."""
    package = OnnxWrapper(str(MODEL), force_onnx_cpu=True)
    np.savez_compressed(
        HERE / "silero_vad.npz",
        guitar=scores(package, ROOT / "examples" / "guitar.flac"),
        speech=scores(package, CLIPS / "speech_en_female_16k_mono.flac"),
    )


if __name__ == "__main__":
    main()
