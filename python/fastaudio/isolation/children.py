"""The processes of one isolated pipeline: those that wait for work, and new ones where none waits."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from fastaudio._core import TimedOut, check_interrupt
from fastaudio._system.waiting import Failed, wait_for
from fastaudio.isolation.process import CLOSED, Process
from fastaudio.isolation.wire import LOOK_S, IsolationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fastaudio.isolation.limits import Limits
    from fastaudio.isolation.model import Model
    from fastaudio.isolation.wire import Message

_all: weakref.WeakSet[Children] = weakref.WeakSet()


class _Turn:
    def __init__(self) -> None:
        self.thread = threading.get_ident()


class _Start:
    """A process that a thread starts, so that who waits for it may leave, and another call take it."""

    def __init__(self, epoch: int) -> None:
        self.ready: SimpleQueue[Any] = SimpleQueue()  # takes the process, or `Failed`
        self.done = False
        self.epoch = epoch


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
        self._starts: list[_Start] = []  # that nobody waits for
        self._epoch = 0  # how often it was closed
        self._started: set[Process] = set()
        self._finalizer = weakref.finalize(self, _end, self._started)

    def start(self) -> tuple[Process, Message]:
        """Start a process; return it and what it says of the pipeline that it built.

        Raises:
            IsolationError: it can't be started, or ended.
            ModelError: it can't build the pipeline.
        """
        fields, arrays = self._model.message()
        process = Process(self.limits)
        with self._lock:
            self._started.difference_update([one for one in self._started if not one.alive])
            self._started.add(process)
        try:
            process.begin()
            return process, process.ask("load", fields, arrays, gives="loaded")
        except BaseException:
            process.end()
            raise

    def take(self) -> Process:
        """Return a process that waits for work, or a new one.

        Raises:
            TimedOut, Cancelled: the caller is to end its work; the process goes on to start for the next one.
            IsolationError, ModelError: as for `start`.
        """
        while True:
            with self._lock:
                process = self._idle.pop() if self._idle else None
                start = self._starts.pop() if self._starts and process is None else None
            process = process or self._new(start)
            if process.alive:
                return process
            process.end()

    def _new(self, start: _Start | None) -> Process:
        """Wait for a process that is being started, or for a new one."""
        if start is None:
            start = _Start(self._epoch)
            threading.Thread(
                target=self._run_start, args=(start,), name="fastaudio-start", daemon=True
            ).start()
        process: Process | None = None
        try:
            process = wait_for(start.ready)
        except TimedOut as error:
            raise TimedOut(f"{error}, or call again, as the process goes on to start for it") from error
        finally:
            if process is None:
                self._leave(start)
        return process

    def _run_start(self, start: _Start) -> None:
        """Start a process in a thread that nobody interrupts, for who waits, or for a later call."""
        process: Process | None = None
        given: Process | Failed
        try:
            process, _ = self.start()
            process.idle()
            given = process
        except BaseException as error:  # noqa: BLE001  # who waits raises it
            given = Failed(error)
        with self._lock:
            if process is not None and start.epoch != self._epoch:
                process.end()
                given = Failed(IsolationError(CLOSED))
            start.ready.put(given)
            start.done = True
            if start in self._starts:
                self._starts.remove(start)
                self._leave(start)

    def _leave(self, start: _Start) -> None:
        """Keep for the next call a process that this call doesn't wait for."""
        with self._lock:
            if not start.done:
                self._starts.append(start)
                return
            with contextlib.suppress(Empty):
                given = start.ready.get_nowait()
                if not isinstance(given, Failed):
                    self.give(given)

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
            self._epoch += 1
            self._starts.clear()
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
