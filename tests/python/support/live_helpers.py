"""Provides what the tests of live streams share: cheap pipelines, ways to run them, and whole programs."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fastaudio.live import LiveStream
    from numpy.typing import NDArray

LIMIT_S = 120.0
"""A test that takes longer hangs: none needs a tenth of it."""

RATE_HZ = 16_000


def features() -> fa.Pipeline:
    """Return a cheap pipeline: 62.5 rows per second of 8 bands."""
    mel = fa.MelSpectrogram(sample_rate=RATE_HZ, n_fft=512, hop_length=256, n_mels=8)
    return fa.Pipeline(mel >> fa.Log(kind="log10", scale=10_000, offset=1))


def scores(n: int = 8) -> fa.Pipeline:
    """Return a cheap pipeline with tags: one window per row of features."""
    return features() >> fa.Tags([f"band {k}" for k in range(n)])


def noise(n: int, seed: int = 0) -> NDArray[np.float32]:
    """Return sound of which no two stretches are alike."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, n).astype(np.float32)


def cut(samples: NDArray[Any], sizes: list[int]) -> Iterator[NDArray[Any]]:
    """Yield blocks of these sizes, again and again."""
    first = 0
    while first < len(samples):
        for size in sizes:
            yield samples[first : first + size]
            first += size


def jittered(samples: NDArray[Any], rate: int, seed: int = 0) -> Iterator[NDArray[Any]]:
    """Yield blocks from one sample to one second long, some after a pause."""
    random_ = random.Random(seed)  # noqa: S311
    first = 0
    while first < len(samples):
        size = random_.choice([1, 7, rate // 100, rate // 10, rate])
        if random_.random() < 0.1:
            time.sleep(random_.random() / 200)
        yield samples[first : first + size]
        first += size


def rows_of(items: Iterable[Any]) -> NDArray[np.float32]:
    """Return all rows of `Frames`, or all scores of windows, joined."""
    got = [item.rows if isinstance(item, fa.Frames) else item.scores[None] for item in items]
    return np.concatenate(got) if got else np.zeros((0, 8), dtype=np.float32)


def assert_windows_are(got: list[Any], want: Any) -> None:
    """Assert that scores agree and times are equal."""
    assert len(got) == len(want)
    for one, other in zip(got, want, strict=True):
        assert abs(one.start_s - other.start_s) < 1e-9
        assert abs(one.end_s - other.end_s) < 1e-9
        np.testing.assert_allclose(one.scores, other.scores, rtol=0, atol=1e-6)
        assert (one.labels, one.gap_s, one.provisional) == (other.labels, 0.0, False)


def drain(stream: LiveStream) -> list[Any]:
    """End the sound and return what is left."""
    stream.finish()
    return list(stream)


def run_live(pipeline: fa.Pipeline, blocks: Iterable[NDArray[Any]], rate: int, **options: Any) -> list[Any]:
    """Return all results for blocks that another thread pushes."""
    channels = options.pop("channels", 1)
    with pipeline.live(rate, channels, **options) as stream, background(feed, stream, blocks):
        return list(stream)


def feed(stream: LiveStream, blocks: Iterable[NDArray[Any]]) -> None:
    """Push all blocks, then finish."""
    for block in blocks:
        stream.push(block)
    stream.finish()


@contextmanager
def background(call: Callable[..., object], *arguments: Any) -> Iterator[threading.Thread]:
    """Run a call beside the body, join it and raise what it raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            call(*arguments)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield thread
    thread.join(LIMIT_S)
    assert not thread.is_alive(), "it hangs"
    if errors:
        raise errors[0]


def rows_in_a_stream(sound: NDArray[Any]) -> bytes:
    """Run a live stream; it stands here because a spawned process can't import test files."""
    with features().live(RATE_HZ) as stream, background(feed, stream, [sound]):
        return rows_of(stream).tobytes()


def wait_until(true: Callable[[], bool]) -> None:
    """Wait until other threads have made it true."""
    until_s = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < until_s, "it never came"
        time.sleep(0.002)


# Programs in `run_program` begin with this.
PREAMBLE = """
import contextlib, os, signal, sys, threading, time
import numpy as np
import fastaudio as fa
sys.path.insert(0, {folder!r})
from live_helpers import *
sound = noise(16_000)
"""


def run_program(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program in its own process to its end; a hang, a crash or a word on stderr is an error."""
    program = PREAMBLE.format(folder=os.path.dirname(__file__)) + textwrap.dedent(code)  # noqa: PTH120
    command = [sys.executable, "-X", "faulthandler", "-W", "error", "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    return done
