"""The thread that opens and reads a source for a process, so that its caller can leave at any time.

A pipe that nobody writes to, or a slow file object, would hold a caller who reads it himself.
"""

from __future__ import annotations

import contextvars
import threading
from typing import TYPE_CHECKING, Any

from fastaudio._core import StateError
from fastaudio._system.waiting import Failed, Link, wait_for
from fastaudio.decoding.sources import CallerLeft, DecodeError, FileLike, Source, name_of

if TYPE_CHECKING:
    from typing import Self

_LEAVE_S = 0.2  # how long a caller that leaves waits for a read that goes on


class Reader:
    """A source that is read in a thread of its own.

    Attributes:
        name: for messages.
        size: in bytes.
    """

    def __init__(self, source: FileLike) -> None:
        """Open it, as `Source` does; dropping this object ends the thread.

        Raises:
            TimedOut, Cancelled: the caller is to end its work.
            Exception: what `Source` raises.
        """
        self.name = name_of(source)
        self._link = Link(self)
        # The context of the caller, which a file object may depend on.
        run = contextvars.copy_context().run
        self._thread = threading.Thread(
            target=run, args=(_work, self._link, source), name="fastaudio-read", daemon=True
        )
        self._thread.start()
        try:
            self._start, self.size = self._taken()
        except BaseException:
            self.close()
            raise

    def read(self, position: int, n_bytes: int) -> bytes:
        """Return up to `n_bytes` from a position, as `Source.read` does; raise what it keeps."""
        self._link.wanted.put((position, n_bytes))
        data: bytes = self._taken()
        return data

    def blamed(self, error: DecodeError) -> DecodeError:
        """Return a decoder's error, with where the file object was if it wasn't at its beginning."""
        if not self._start:
            return error
        where = f"; it was read from byte {self._start} on, where the file object was"
        return DecodeError(error.path, error.reason + where)

    def close(self) -> None:
        """End the thread, which closes what it opened; don't wait for long for a read that doesn't end."""
        self._link.left = True
        self._link.wanted.put(None)
        self._link.closed.wait(_LEAVE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _taken(self) -> Any:
        item = wait_for(self._link.ready, self._thread)
        if item is None:  # the thread isn't in a process that was forked since
            raise StateError(f"{self.name}: expected use in the process that opened it, got another")
        return item


def _work(link: Link, given: FileLike) -> None:
    """Open, read what is wanted, and close; whatever is raised goes to the caller."""
    source: Source | None = None
    try:
        source = Source(given, link.caller_left)
        del given
        link.ready.put((source.start, source.size))
        while (wanted := link.wanted.get()) is not None and not link.caller_left():
            data = source.read(*wanted)
            source.raise_pending()
            link.ready.put(data)
    except CallerLeft:
        pass
    except BaseException as error:  # noqa: BLE001  # the caller raises it again
        link.ready.put(Failed(error))
    finally:
        if source is not None:
            source.close()
        del source
        link.closed.set()
