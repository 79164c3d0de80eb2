"""Waiter: a thread that waits for results so that event loops needn't block."""

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
    """A thread that calls `look` until it says whether there is another result.

    It is a daemon, since an executor's thread would delay the exit. It keeps the reader of results alive
    only while it looks.
    """

    def __init__(self, look: _Look) -> None:
        """Take a method that waits for a short time and returns None if it doesn't know yet."""
        self._closed = False
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        arguments = weakref.WeakMethod(look), self._requests
        threading.Thread(target=_answer, args=arguments, name="fastaudio-async", daemon=True).start()

    async def more(self) -> bool:
        """Wait, and return whether there is more; raises what `look` raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._requests.put((loop, future))
        if self._closed:  # the thread may have ended before it saw this request
            _settle(future, more=False)
        return await future

    def close(self) -> None:
        """End the thread after the requests so far."""
        self._closed = True
        self._requests.put(None)


def _answer(method: weakref.WeakMethod[_Look], requests: queue.SimpleQueue[_Request | None]) -> None:
    while (request := requests.get()) is not None:
        loop, future = request
        more: bool | None = None
        error: BaseException | None = None
        try:
            while more is None and not future.cancelled():
                more = _look(method)
        except BaseException as caught:  # noqa: BLE001  # raised where it is awaited
            error = caught
        with suppress(RuntimeError):  # this loop is closed, but another may ask
            loop.call_soon_threadsafe(partial(_settle, future, more=bool(more), error=error))
        del request, loop, future, error  # an error's traceback would keep the stream alive


def _look(method: weakref.WeakMethod[_Look]) -> bool | None:
    look = method()
    return False if look is None else look()


def _settle(future: asyncio.Future[bool], *, more: bool, error: BaseException | None = None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(more)
    else:
        future.set_exception(error)
