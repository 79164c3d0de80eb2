"""Any chunks of any real clip, at its own rate and with its own channels, give the same numbers.

`nodes/test_every_node.py` shows it for each node; here channels are mixed and resampled first,
and a network runs last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, assert_same_bits, by_name, decode, join, musicnn_front

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

FRONT = fa.Pipeline(musicnn_front())
CHUNKS = [1, 7, 160, 4099, "random"]
# With chunks of one or seven samples only the beginning of a clip is pushed, because pushes are many.
MOST_PUSHES = 60_000
MOST_S = 10


def sizes(chunk: int | str) -> Iterable[int]:
    """Yield chunk sizes without end."""
    rng = np.random.default_rng(0)
    while True:
        yield int(rng.integers(0, 9000)) if isinstance(chunk, str) else chunk


def read(path: Path, chunk: int | str) -> tuple[NDArray[np.float32], int]:
    """Return as many samples [n_samples, channels] as the chunk size allows, and their rate."""
    samples, rate = decode(path, MOST_S)
    return samples if isinstance(chunk, str) else samples[: MOST_PUSHES * chunk], rate


def run(
    pipeline: fa.Pipeline, samples: NDArray[np.float32], rate: int, chunk: int | str
) -> dict[str, NDArray[np.float32]]:
    """Return the rows of a signal pushed in chunks."""
    stream = pipeline.open(sample_rate=rate, channels=samples.shape[1])
    parts, start = [], 0
    for size in sizes(chunk):
        parts.append(stream.push(samples[start : start + size]))
        start += size
        if start >= len(samples):
            return join([*parts, stream.flush()])
    raise AssertionError


def assert_log_mel_is_chunk_invariant(path: Path, chunk: int | str) -> None:
    """Assert that one push and many give the same bits."""
    samples, rate = read(path, chunk)
    whole = FRONT(samples, sample_rate=rate, layout="samples_channels")
    assert_same_bits(by_name(whole), {"": run(FRONT, samples, rate, chunk)[""]})


@pytest.mark.parametrize("chunk", CHUNKS)
def test_log_mel_of_the_guitar_is_the_same_bits(chunk: int | str) -> None:
    assert_log_mel_is_chunk_invariant(GUITAR, chunk)


def test_log_mel_of_any_clip_is_the_same_bits(clip: tuple[Path, str]) -> None:
    assert_log_mel_is_chunk_invariant(clip[0], "random")


@pytest.mark.parametrize("chunk", [160, 4099, "random"])
def test_scores_of_the_guitar_are_the_same(tagger: fa.Pipeline, chunk: int | str) -> None:
    assert_scores_are_chunk_invariant(tagger, GUITAR, chunk)


def test_scores_of_any_clip_are_the_same(tagger: fa.Pipeline, clip: tuple[Path, str]) -> None:
    assert_scores_are_chunk_invariant(tagger, clip[0], "random")


def assert_scores_are_chunk_invariant(tagger: fa.Pipeline, path: Path, chunk: int | str) -> None:
    """Assert that one push and many agree within 1e-5."""
    samples, rate = read(path, chunk)
    whole = tagger(samples, sample_rate=rate, layout="samples_channels")
    stream = tagger.open(sample_rate=rate, channels=samples.shape[1])
    windows, start = [], 0
    for size in sizes(chunk):
        windows += stream.push(samples[start : start + size])
        start += size
        if start >= len(samples):
            break
    windows += stream.flush()
    assert len(windows) == len(whole)
    for window, other in zip(windows, whole, strict=True):
        assert (window.start_s, window.end_s) == (other.start_s, other.end_s)
        assert np.abs(window.scores - other.scores).max() < 1e-5


def test_a_file_is_what_its_samples_are(tagger: fa.Pipeline) -> None:
    samples, rate = decode(GUITAR)
    from_samples = tagger(samples, sample_rate=rate, layout="samples_channels")
    assert np.abs(tagger(GUITAR).scores - from_samples.scores).max() < 1e-5
