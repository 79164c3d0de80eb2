"""Waiting for other threads so that a signal, a time limit or a `Cancel` ends the wait at once."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from fastaudio._core import check_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_LOOK_S = 0.05  # how often who waits looks whether it is to end; a signal may have gone to another thread


@dataclass(frozen=True)
class Failed:
    """What a thread met, for who waits for it."""

    error: BaseException


class Link:
    """What a thread and its caller share; the thread holds nothing else of the caller.

    Attributes:
        wanted: what the caller asks for; its reference, which means nothing, once it was dropped.
        ready: what the thread gives.
        closed: whether the thread has closed what it opened.
        left: whether the caller has left.
    """

    def __init__(self, owner: object) -> None:
        """Take the caller, which isn't kept alive."""
        self.wanted: SimpleQueue[Any] = SimpleQueue()
        self.ready: SimpleQueue[Any] = SimpleQueue()
        self.closed = threading.Event()
        self.left = False
        # Called without any Python code of ours, so that no signal is handled, and lost, within.
        self.owner = weakref.ref(owner, self.wanted.put)

    def caller_left(self) -> bool:
        """Tell whether the caller has left, or was dropped."""
        return self.left or self.owner() is None


def wait_for(ready: SimpleQueue[Any], thread: threading.Thread | None = None) -> Any:
    """Return what a thread puts into the queue; None if `thread` has ended without.

    Raises:
        Cancelled, TimedOut: this thread is to end its work.
        BaseException: what the thread met, as it was, if it gives `Failed`.
    """
    while True:
        try:
            item = ready.get(timeout=_LOOK_S)
        except Empty:
            item = None
        if isinstance(item, Failed):
            _raise(item)
        if item is not None:
            return item
        check_interrupt()
        if thread is not None and not thread.is_alive() and ready.empty():
            return None


def elsewhere(call: Callable[[], T]) -> T:
    """Call in another thread and wait for it: for code that holds signals back.

    Who leaves early leaves the call to its end, of which nobody hears.
    """
    ready: SimpleQueue[Any] = SimpleQueue()

    def work() -> None:
        try:
            ready.put((call(),))
        except BaseException as error:  # noqa: BLE001  # raised again
            ready.put(Failed(error))

    thread = threading.Thread(target=work, name="fastaudio-elsewhere", daemon=True)
    thread.start()
    result: T = wait_for(ready, thread)[0]
    return result


def _raise(failed: Failed) -> NoReturn:
    try:
        raise failed.error
    finally:
        del failed  # its traceback would hold it, and it the traceback
