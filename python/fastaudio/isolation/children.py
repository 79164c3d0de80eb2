"""The processes of one isolated pipeline: those that wait for work, and new ones where none waits."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from fastaudio._core import check_interrupt
from fastaudio.isolation.process import Process
from fastaudio.isolation.wire import LOOK_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fastaudio.isolation.limits import Limits
    from fastaudio.isolation.model import Model
    from fastaudio.isolation.wire import Message

_all: weakref.WeakSet[Children] = weakref.WeakSet()


class _Turn:
    def __init__(self) -> None:
        self.thread = threading.get_ident()


class Children:
    """Starts processes that have built a model, hands them out, and takes them back; thread-safe.

    A process that has ended isn't handed out again. All end when this object does.
    """

    def __init__(self, model: Model, limits: Limits) -> None:
        """Keep what to build and within which limits; start nothing yet."""
        self.limits = limits
        self._model = model
        self._begin()
        _all.add(self)

    def _begin(self) -> None:
        self._lock = threading.RLock()  # a stream that is collected while it is held gives its process back
        self._turns: weakref.WeakSet[_Turn] = weakref.WeakSet()  # one that an interrupt loses frees itself
        self._freed: SimpleQueue[None] = SimpleQueue()
        self._idle: list[Process] = []
        self._started: set[Process] = set()
        self._finalizer = weakref.finalize(self, _end, self._started)

    def start(self) -> tuple[Process, Message]:
        """Start a process; return it and what it says of the pipeline that it built."""
        fields, arrays = self._model.message()
        process = Process(self.limits)
        with self._lock:
            self._started.difference_update([one for one in self._started if not one.alive])
            self._started.add(process)
        try:
            return process, process.ask("load", fields, arrays, gives="loaded")
        except BaseException:
            process.end()
            raise

    def take(self) -> Process:
        """Return a process that waits for work, or a new one."""
        while True:
            with self._lock:
                process = self._idle.pop() if self._idle else None
            if process is None:
                process, _ = self.start()
                process.idle()
                return process
            if process.alive:
                return process
            process.end()

    def give(self, process: Process) -> None:
        """Take a process back that waits for work again; one that has ended, or is still busy, is dropped."""
        if process.busy or not process.alive:
            process.end()
            return
        with self._lock:
            self._idle.append(process)

    @contextmanager
    def call(self) -> Iterator[None]:
        """Wait for one's turn: as many calls run at once as the machine has cores.

        A call within a call of the same thread, in `progress` for example, goes on at once.
        """
        turn = _Turn()
        while not self._begun(turn):
            check_interrupt()
            with contextlib.suppress(Empty):
                self._freed.get(timeout=LOOK_S)
        try:
            yield
        finally:
            with self._lock:
                self._turns.discard(turn)
            if self._freed.empty():
                self._freed.put(None)

    def _begun(self, turn: _Turn) -> bool:
        with self._lock:
            within = any(other.thread == turn.thread for other in self._turns)
            begun = within or len(self._turns) < (os.cpu_count() or 1)
            if begun and not within:
                self._turns.add(turn)
            return begun

    def close(self) -> None:
        """End all processes, also those that are at work; the next call starts new ones."""
        with self._lock:
            started, idle, self._idle = set(self._started), self._idle, []
        _end(idle)
        for process in started.difference(idle):
            process.kill()  # who waits for it closes its connection

    def forget(self) -> None:
        """Begin anew in a forked child, to which no process belongs."""
        self._finalizer.detach()
        for process in self._started:
            process.forget()
        self._begin()


def _end(processes: Iterable[Process]) -> None:
    for process in list(processes):
        process.end()


def _forget_all() -> None:
    for children in list(_all):
        children.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
