"""Waiting on behalf of event loops, in a thread beside them."""

from __future__ import annotations

import asyncio
import queue
import threading
import weakref
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

_Request: TypeAlias = "tuple[asyncio.AbstractEventLoop, asyncio.Future[bool]]"
_Look: TypeAlias = "Callable[[], bool | None]"


class Waiter:
    """A thread that looks whether there is more until it knows.

    It is a daemon, for an executor's thread would hold up the exit, and holds on to the stream only while
    it looks.
    """

    def __init__(self, look: _Look) -> None:
        """Take a method that waits for a short time: None if it can't tell yet."""
        self._closed = False
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        arguments = weakref.WeakMethod(look), self._requests
        threading.Thread(target=_answer, args=arguments, name="fastaudio-async", daemon=True).start()

    async def more(self) -> bool:
        """Wait until there is more, or will be none; raises what `look` raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._requests.put((loop, future))
        if self._closed:  # the thread may have gone before it saw this one
            _settle(future, more=False)
        return await future

    def close(self) -> None:
        """End the thread; who waits learns what `look` says then."""
        self._closed = True
        self._requests.put(None)


def _answer(method: weakref.WeakMethod[_Look], requests: queue.SimpleQueue[_Request | None]) -> None:
    while (request := requests.get()) is not None:
        loop, future = request
        more: bool | None = None
        error: Exception | None = None
        try:
            while more is None and not future.cancelled():
                more = _look(method)
        except Exception as caught:  # noqa: BLE001  # belongs to who awaits
            error = caught
        with suppress(RuntimeError):  # the loop is closed: nobody waits, but another one may ask
            loop.call_soon_threadsafe(partial(_settle, future, more=bool(more), error=error))
        del request, loop, future, error  # an error holds on to the stream, by its traceback


def _look(method: weakref.WeakMethod[_Look]) -> bool | None:
    look = method()
    return False if look is None else look()


def _settle(future: asyncio.Future[bool], *, more: bool, error: Exception | None = None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(more)
    else:
        future.set_exception(error)
