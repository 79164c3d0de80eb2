"""The threads that live streams share; all streams are closed when the process ends."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import weakref
from contextlib import suppress
from typing import Any

from fastaudio._core import Pool

open_streams: weakref.WeakSet[Any] = weakref.WeakSet()
"""The live streams that are closed when the process ends."""

log = logging.getLogger("fastaudio")

_shared: list[Pool] = []
_shared_lock = threading.Lock()


def shared_pool() -> Pool:
    """Return the pool that streams use unless they are given another; it has one worker per core."""
    with _shared_lock:
        if not _shared:
            _shared.append(Pool(workers=min(os.cpu_count() or 1, 1024)))
        return _shared[0]


def _close(stream: Any) -> None:
    try:
        stream.close()
    except BaseException as error:  # noqa: BLE001  # the others have to be closed too; SystemExit ends nothing more
        log.warning("live: expected the source to stop, got %s: %s", type(error).__name__, error)


def _close_all() -> None:
    for stream in list(open_streams):  # before any of them is waited for
        stream._core.close(0)  # noqa: SLF001
    while open_streams:  # other threads may open some meanwhile
        with suppress(KeyError):
            _close(open_streams.pop())
    while _shared:
        _shared.pop().close()


def _forget() -> None:
    """Start anew in a forked child: the workers stayed in the parent, perhaps with the lock."""
    global _shared_lock  # noqa: PLW0603
    _shared_lock = threading.Lock()
    _shared.clear()
    open_streams.clear()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
