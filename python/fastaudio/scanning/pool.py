"""Running over files in threads."""

from __future__ import annotations

import math
import time
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from fastaudio._core import TimedOut, check_interrupt
from fastaudio._system.waiting import Failed, wait_for
from fastaudio.running.limits import limits
from fastaudio.running.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

F = TypeVar("F")
T = TypeVar("T")

FAR_THREADS = 4
"""Threads per core for files behind URLs: most of them wait for the store."""

_AHEAD = 4  # files for each thread that wait to be run over


def results(
    files: Iterable[F], one: Callable[[F], T], n_threads: int, until: float = math.inf
) -> Generator[T, None, None]:
    """Yield what `one` gives for each file, in the order in which they get ready.

    It ends when all are done, or at the time `until` of `time.monotonic()`: what runs then is dropped. Close
    it, so that its threads end.
    """
    ready: SimpleQueue[Any] = SimpleQueue()
    left = iter(files)
    n_out = 0
    workers = Workers(n_threads)
    try:
        while True:
            while n_out < n_threads * _AHEAD and time.monotonic() < until:
                if (file := next(left, None)) is None:
                    break
                workers.submit(partial(_put, one, file, ready))
                n_out += 1
            if not n_out or (found := _next(ready, until)) is None:
                return
            n_out -= 1
            yield found[0]
            check_interrupt()
    finally:
        workers.leave()


def _put(one: Callable[[F], T], file: F, ready: SimpleQueue[Any]) -> None:
    """Run over a file, in a thread."""
    try:
        ready.put((one(file),))
    except BaseException as error:  # noqa: BLE001  # who waits raises it
        ready.put(Failed(error))


def _next(ready: SimpleQueue[Any], until: float) -> Any:
    """Return what the next file gave, in a tuple; None when time is up."""
    left_s = until - time.monotonic()
    try:
        with limits("scan", None if left_s == math.inf else max(left_s, 1e-3), None):
            return wait_for(ready)
    except TimedOut:
        if time.monotonic() < until:
            raise  # a limit of the caller's
        return None
