"""Make musicnn_graphs.npz: scores by the graphs that the four checkpoints were trained as.

    python tests/golden/make_musicnn_graphs.py musicnn-0.1.0-py3-none-any.whl

This needs tensorflow, librosa and soundfile, and reads the graphs by tf_checkpoint.py of the recipes. The
patches are log-mel of examples/guitar.flac by librosa, rounded to float16, so that both sides get the same
numbers.
"""

from __future__ import annotations

import sys
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import librosa
import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "models" / "recipes" / "shipped"))

# This comes after the path; it also turns off TensorFlow's faster kernels, which round more coarsely.
from tf_checkpoint import OriginalGraph, tf  # noqa: E402

FOLDERS = {
    "musicnn-mtt": "MTT_musicnn",
    "musicnn-msd": "MSD_musicnn",
    "vgg-mtt": "MTT_vgg",
    "vgg-msd": "MSD_vgg",
}
FILES = (".index", ".data-00000-of-00001", ".meta")
TAGGRAM = {"taggram": ("model/Sigmoid",)}
FRAMES = 187
N_PATCHES = 2


def patches() -> np.ndarray:
    """Return log-mel [n, 187, 96] in values that float16 holds exactly."""
    samples, rate = librosa.load(ROOT / "examples" / "guitar.flac", sr=16_000)
    power = librosa.feature.melspectrogram(
        y=samples, sr=rate, n_fft=512, hop_length=256, n_mels=96, pad_mode="reflect"
    )
    rows = np.log10(1 + 10_000 * power.T)[: N_PATCHES * FRAMES]
    return rows.reshape(N_PATCHES, FRAMES, 96).astype(np.float16)


def main(wheel: str) -> None:
    """Write the file."""
    rows = patches()
    arrays: dict[str, Any] = {
        "patches": rows,
        "musicnn": "0.1.0",
        "tensorflow": tf.__version__,
        "librosa": librosa.__version__,
        "numpy": np.__version__,
    }
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as temporary:
        for name, source in FOLDERS.items():
            folder = Path(temporary) / name
            folder.mkdir()
            for file in FILES:
                (folder / file).write_bytes(archive.read(f"musicnn/{source}/{file}"))
            with closing(OriginalGraph(folder, TAGGRAM)) as graph:
                arrays[name] = graph(rows.astype(np.float32))["taggram"].astype(np.float32)
    np.savez_compressed(HERE / "musicnn_graphs.npz", **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
