"""Provides what several test files share: places, real sound, and ways to run a node."""

from __future__ import annotations

import csv
import os
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import fastaudio as fa
import numpy as np
import soundfile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared"
SOUNDS = ROOT / "tests" / "sounds"
GOLDEN = ROOT / "tests" / "golden"
ONNX = GOLDEN / "onnx"
GUITAR = ROOT / "examples" / "guitar.flac"
RECIPES = ROOT / "models" / "recipes"
WEIGHTS = ROOT / "models" / "musicnn-mtt" / "model.onnx"
MODEL_NAMES = ("musicnn-mtt", "musicnn-msd", "vgg-mtt", "vgg-msd")
A = TypeVar("A")
B = TypeVar("B")


def listed(folder: Path, under: str = "") -> list[tuple[Path, str]]:
    """Return path and expectation of each file that a folder's manifest lists below `under`."""
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        return []
    with manifest.open(encoding="utf-8", newline="") as file:
        return [
            (folder / row["file"], row["expect"])
            for row in csv.DictReader(file)
            if row["file"].startswith(under)
        ]


def clips() -> list[tuple[Path, str]]:
    """Return the real recordings: those in `tests/sounds`, and the shared ones where they are present."""
    files = [*listed(SOUNDS), *listed(SHARED / "audio", "clips/")]
    # libsndfile has no AAC; one test by name shows that such a file is refused.
    return [file for file in files if file[0].suffix != ".m4a"]


def decode(path: Path, seconds: float | None = None) -> tuple[NDArray[np.float32], int]:
    """Decode a file, or its beginning, by soundfile alone: float32 [n_samples, channels] and its rate."""
    with soundfile.SoundFile(path) as file:
        rate: int = file.samplerate
        n = -1 if seconds is None else int(seconds * rate)
        return file.read(n, dtype="float32", always_2d=True), rate


def rotated(firsts: Iterable[A], seconds: Sequence[B], each: int) -> list[tuple[A, B]]:
    """Pair each of `firsts` with `each` of `seconds`, the next ones in turn, so that all of these come up.

    With FASTAUDIO_ALL_PAIRS=1 it is each with all.
    """
    n = len(seconds) if os.environ.get("FASTAUDIO_ALL_PAIRS") else min(each, len(seconds))
    return [(one, seconds[(i * n + k) % len(seconds)]) for i, one in enumerate(firsts) for k in range(n)]


def by_name(rows: Any) -> dict[str, NDArray[np.float32]]:
    """Return rows by output name, also where there is only one output."""
    return rows if isinstance(rows, dict) else {"": rows}


def join(parts: Iterable[Any]) -> dict[str, NDArray[np.float32]]:
    """Return what pushes and the flush returned, joined for each output."""
    named = [by_name(part) for part in parts]
    return {name: np.concatenate([part[name] for part in named]) for name in named[0]}


def slices(rows: NDArray[Any], cuts: Iterable[int]) -> Iterator[NDArray[Any]]:
    """Yield the blocks between cuts; equal cuts give empty blocks."""
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    return (rows[start:end] for start, end in pairwise(edges))


def in_chunks(
    node: fa.Node, rows: NDArray[Any], cuts: Iterable[int], spec: fa.StreamSpec | None = None
) -> dict[str, NDArray[np.float32]]:
    """Run a node over rows pushed in blocks."""
    stream = node.open(spec)
    return join([*[stream.push(block) for block in slices(rows, cuts)], stream.flush()])


def assert_same_bits(a: dict[str, NDArray[np.float32]], b: dict[str, NDArray[np.float32]]) -> None:
    """Assert that outputs, shapes and bits are the same."""
    assert list(a) == list(b)
    for one, other in zip(a.values(), b.values(), strict=True):
        assert one.dtype == other.dtype == np.float32
        assert one.shape == other.shape
        assert one.tobytes() == other.tobytes()


def musicnn_front() -> fa.Node:
    """Return the node for log-mel as the shipped models take it."""
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96, pad_mode="reflect")
    return mel >> fa.Log(kind="log10", scale=10_000, offset=1)


def sine(frequency_hz: float, rate: int, n: int, level: float = 0.5) -> NDArray[np.float32]:
    """Return a tone that starts at phase 0."""
    t = np.arange(n, dtype=np.float64) / rate
    return (level * np.sin(2 * np.pi * frequency_hz * t)).astype(np.float32)
