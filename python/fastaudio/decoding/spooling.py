"""Reading what can't seek, such as a pipe, to its end, so that the reader looks up all the time."""

from __future__ import annotations

import io
import os
import select
import stat
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 20
_POLL_S = 0.01
_LOOK_S = 0.05


def chunks_of(source: Any) -> Iterator[Any]:
    """Yield what a file object gives until its end, and None now and then while nothing comes.

    A pipe is read when there is something to read. A thread that waits within a read can't be ended, and it
    holds the lock of a buffered file, such as that of stdin, on which Python would stumble as it exits.
    """
    descriptor = _pipe(source)
    read = getattr(source, "read1", source.read) if descriptor is not None else source.read
    while True:
        if descriptor is not None and not _is_ready(descriptor):
            yield None
            continue
        chunk = read(_CHUNK)
        if chunk is None:  # it doesn't wait for more, so that we do
            time.sleep(_POLL_S)
        elif not chunk:
            return
        yield chunk


def _pipe(source: Any) -> int | None:
    """Return the descriptor of a pipe of which nothing lies in buffers that can't be seen from here.

    What lies in that of a BufferedReader is read with the pipe's end at the latest.
    """
    if type(source) not in (io.BufferedReader, io.FileIO) or not hasattr(select, "poll"):
        return None
    raw = getattr(source, "raw", source)
    if type(raw) is not io.FileIO:
        return None
    descriptor = raw.fileno()
    return descriptor if stat.S_ISFIFO(os.fstat(descriptor).st_mode) else None


def _is_ready(descriptor: int) -> bool:
    """Wait a little; tell whether a read would return at once."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(_LOOK_S * 1000))
