"""The interpreter's lock is released while the core computes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, WEIGHTS
from locks import others_run

if TYPE_CHECKING:
    from collections.abc import Callable

SOUND = np.random.default_rng(0).uniform(-1, 1, 400_000).astype(np.float32)
PATCHES = np.random.default_rng(0).uniform(0, 4, (10, 187, 96)).astype(np.float32)
# Each call and its arguments take long enough for another thread to be noticed.
CALLS: dict[str, Callable[[], tuple[Callable[[Any], Any], Any]]] = {
    "mel": lambda: (fa.MelSpectrogram(n_fft=16_384, hop_length=64), SOUND),
    "resample": lambda: (fa.Resample(input_rate=44_100, output_rate=44_099), SOUND),
    "network": lambda: (fa.OnnxModel(str(WEIGHTS)), PATCHES),
    "file": lambda: (fa.Pipeline.load(), GUITAR),
    "live": lambda: (tag_live, PATCHES),
    "live push that waits": lambda: (push_live, SOUND),
    "live get that waits": lambda: (lambda _: silent().get(timeout_s=0.05), None),
}


def silent() -> fa.LiveStream:
    """Open a stream that nothing is pushed to."""
    return fa.Pipeline.load().live(16_000)


def tag_live(_: Any) -> None:
    """Push, run and take the results."""
    with silent() as stream:
        stream.push(SOUND[:100_000])
        stream.finish()
        assert len(list(stream)) > 1


def push_live(sound: Any) -> None:
    """Push more than there is room for, until another thread makes room."""
    pool = fa.Pool()
    pool.pause()
    timer = threading.Timer(0.02, pool.resume)
    with fa.Pipeline(fa.MelSpectrogram()).live(22_050, buffer_s=1, pool=pool) as stream:
        timer.start()
        stream.push(sound)
    timer.join()


@pytest.mark.parametrize("name", CALLS)
def test_another_thread_goes_on_while_the_core_computes(name: str) -> None:
    call, source = CALLS[name]()
    assert others_run(lambda: call(source))
