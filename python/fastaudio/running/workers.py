"""Threads that do work for a caller who may leave at any time."""

from __future__ import annotations

import atexit
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from fastaudio._core import Cancel, Interruptible
from fastaudio._system.waiting import Failed, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAVE_S = 0.2  # how long who leaves waits for what doesn't end at once


class Answer:
    """The result of some work, once it is there."""

    def __init__(self) -> None:
        self._ready: SimpleQueue[Any] = SimpleQueue()

    def give(self, result: Any) -> None:
        """Say what came of the work: a result, or `Failed`."""
        self._ready.put(result if isinstance(result, Failed) else (result,))

    def wait(self) -> Any:
        """Wait for the result; raise what the work raised, or what ends this thread's work."""
        return wait_for(self._ready)[0]


class Workers:
    """Up to so many threads. They are daemons, so that the process ends without what they still do."""

    def __init__(self, n_threads: int) -> None:
        """Start no thread yet."""
        self._n_threads = n_threads
        self._tasks: SimpleQueue[tuple[Callable[[], Any], Answer] | None] = SimpleQueue()
        self._stop = Cancel()
        self._threads: list[threading.Thread] = []
        _all.add(self)

    def submit(self, work: Callable[[], Any]) -> Answer:
        """Have `work` done; it ends early, with Cancelled, when the caller leaves."""
        answer = Answer()
        self._tasks.put((work, answer))
        if len(self._threads) < self._n_threads:
            name = f"fastaudio-map-{len(self._threads)}"
            args = self._tasks, self._stop
            thread = threading.Thread(target=_do_tasks, args=args, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return answer

    def leave(self) -> None:
        """End all work; don't wait for long for what goes on all the same, such as a read that blocks."""
        self._stop.cancel()
        for _ in self._threads:
            self._tasks.put(None)
        until_s = time.monotonic() + _LEAVE_S
        for thread in self._threads:
            if thread is not threading.current_thread() and thread.is_alive():  # its start may be interrupted
                thread.join(max(0.0, until_s - time.monotonic()))
        _all.discard(self)


_all: WeakSet[Workers] = WeakSet()


@atexit.register
def _leave_all() -> None:
    """End what would use C++ libraries while they are taken down."""
    for workers in list(_all):
        workers.leave()


def _do_tasks(tasks: SimpleQueue[tuple[Callable[[], Any], Answer] | None], stop: Cancel) -> None:
    while (task := tasks.get()) is not None and not stop.cancelled:
        work, answer = task
        del task
        try:
            with Interruptible(stop):
                answer.give(work())
        except BaseException as error:  # noqa: BLE001  # who waits raises it
            answer.give(Failed(error))
        del work, answer
