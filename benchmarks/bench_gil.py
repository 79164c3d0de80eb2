"""Measures how much of its pace another Python thread keeps while a long pipeline runs."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import soundfile
from bench_end_to_end import MODEL, BareRuntime
from harness import Case, Context, Group, Target, Values
from sources import musicnn_patches

if TYPE_CHECKING:
    from collections.abc import Callable

_ALONE_S = 1.0
_KEEPS = 0.90


class Ticks:
    """A measurement of the nanoseconds per tick of a counting thread while `work` runs.

    `unhindered_ns` is the same without the time that the thread waited for a free core, which
    other programs cause too: what is left of a slow-down is the wait for Python's lock. Linux
    tells that time; elsewhere it counts as none.
    """

    def __init__(self, work: Callable[[], Any]) -> None:
        self.unhindered_ns = 0.0
        self._work = work

    def __call__(self, _values: Values) -> float:
        """Return the elapsed time by the ticks counted in it."""
        ticks = 0
        stop = False

        def count() -> None:
            nonlocal ticks
            while not stop:
                ticks += 1

        thread = threading.Thread(target=count, daemon=True)
        thread.start()
        first, waited_ns, start_ns = ticks, _waited_ns(thread), time.perf_counter_ns()
        try:
            self._work()
        finally:
            counted, elapsed_ns = ticks - first, time.perf_counter_ns() - start_ns
            waited_ns = _waited_ns(thread) - waited_ns
            stop = True
            thread.join()
        self.unhindered_ns = (elapsed_ns - waited_ns) / counted
        return elapsed_ns / counted


def _waited_ns(thread: threading.Thread) -> int:
    """Return how long a thread was ready to run and had no core."""
    told = Path(f"/proc/self/task/{thread.native_id}/schedstat")
    return int(told.read_text().split()[1]) if told.exists() else 0


def _tag_live(pipe: fa.Pipeline, samples: Any, rate: int) -> None:
    """Push blocks of 10 ms as fast as they are run, then take the results."""
    block = rate // 100
    with pipe.live(rate, samples.shape[1]) as stream:
        for first in range(0, len(samples), block):
            stream.push(samples[first : first + block])
        stream.finish()
        for _ in stream:
            pass


def groups(context: Context) -> list[Group]:
    """Compare nanoseconds per tick: 1 / 0.9 of a tick's time alone means 90 % of the thread's pace."""
    pipe = fa.Pipeline.load(MODEL, threads=1)
    bare = BareRuntime(1)
    patches = musicnn_patches(context.audio)
    alone = Ticks(lambda: time.sleep(_ALONE_S))
    tagging = Ticks(lambda: pipe(context.audio))
    samples, rate = soundfile.read(context.audio, dtype="float32", always_2d=True)
    decoded = Ticks(lambda: pipe(samples, sample_rate=rate, layout="samples_channels"))
    live = Ticks(lambda: _tag_live(pipe, samples, rate))
    target = Target(1 / _KEEPS)
    cases = [
        Case("alone", alone),
        Case("while fastaudio tags a file, decoding beside it", tagging, "alone", target),
        Case("while fastaudio tags samples", decoded, "alone", target),
        Case("while a live stream tags samples", live, "alone"),
        Case("while ONNX Runtime runs", Ticks(lambda: bare(patches)), "alone"),
        Case("alone, less waits for a core", lambda _: alone.unhindered_ns),
        Case(
            "fastaudio tags a file, less waits for a core",
            lambda _: tagging.unhindered_ns,
            "alone, less waits for a core",
            target,
        ),
        Case(
            "a live stream tags, less waits for a core",
            lambda _: live.unhindered_ns,
            "alone, less waits for a core",
            target,
        ),
    ]
    return [Group("time a tick of another Python thread takes", "ns", cases, rounds=15)]
