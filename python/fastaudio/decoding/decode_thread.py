"""The thread that opens a file, decodes it and closes it, so that its caller can leave at any time.

A caller that is interrupted while C code decodes can neither stop that code nor close the file under it. And
an exception that a signal raises within a callback of C code is lost. So one thread does all that: Python
handles signals in the main thread only, and the caller waits for blocks where it can be interrupted.
"""

from __future__ import annotations

import contextvars
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastaudio._core import StateError
from fastaudio._system.waiting import Failed, Link, wait_for
from fastaudio.decoding.sources import CallerLeft, DecodeError, FileLike, Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastaudio.decoding.chain import Decoder

    Open: TypeAlias = Callable[[Source], Decoder]
    Buffer: TypeAlias = NDArray[np.float32]

BLOCK = 262_144
"""Values per decoded block, all channels together: to hand one to another thread takes 0.1 to 0.2 ms."""

_LEAVE_S = 0.2  # how long a caller that leaves waits for a read that goes on


@dataclass(frozen=True)
class Opened:
    """What is known of a file once it is open; as in `AudioFile`."""

    start: int
    sample_rate: int
    channels: int
    n_samples: int | None
    truncated: bool


@dataclass(frozen=True)
class Block:
    """The filled part of a buffer; the last one may be empty."""

    samples: Buffer
    truncated: bool
    is_last: bool


class DecodeThread:
    """A thread that decodes one file, as far ahead as buffers are given to it."""

    def __init__(self, source: FileLike, open_decoder: Open) -> None:
        """Start it; dropping this object ends it."""
        self._link = Link(self)
        # The context of the caller, which a file object may depend on.
        run = contextvars.copy_context().run
        self._thread = threading.Thread(
            target=run, args=(_work, self._link, source, open_decoder), name="fastaudio-decode", daemon=True
        )
        self._thread.start()

    def want(self, buffer: Buffer | None) -> None:
        """Give a buffer to fill, or None for a new one."""
        self._link.wanted.put(buffer)

    def take(self) -> Any:
        """Wait for `Opened`, which comes first, or for a `Block`; raise what the thread met, as it was.

        A caller that has left gets None.
        """
        try:
            item = wait_for(self._link.ready, self._thread)
        except CallerLeft:
            return None
        if item is None and not self._link.left:  # the thread isn't in a process that was forked since
            raise StateError("AudioFile: expected use in the process that opened it, got another")
        return item

    def leave(self) -> None:
        """End the thread, which closes the file; don't wait for long for a read that doesn't end."""
        self._link.left = True
        self._link.wanted.put(None)
        self._link.closed.wait(_LEAVE_S)


def buffer_of(samples: Buffer) -> Buffer:
    """Return the buffer whose first part a block's samples are."""
    return samples.base if isinstance(samples.base, np.ndarray) else samples


def _work(link: Link, given: FileLike, open_decoder: Open) -> None:
    """Open, decode and close; whatever is raised goes to the caller."""
    source: Source | None = None
    decoder: Decoder | None = None
    try:
        try:
            source = Source(given, link.caller_left)
            del given
            decoder = _opened(source, open_decoder)
            about = decoder.sample_rate, decoder.channels, decoder.n_samples, decoder.truncated
            link.ready.put(Opened(source.start, *about))
            last = _decode(link, decoder)
        except DecodeError:
            if source is not None:
                source.raise_pending()  # what the file object raised comes before what followed from it
            raise
        finally:
            if decoder is not None:
                decoder.close()
            if source is not None:
                source.close()
            del source, decoder
        link.closed.set()
        link.ready.put(last)
    except BaseException as error:  # noqa: BLE001  # the caller raises it again
        link.ready.put(Failed(error))
    finally:
        link.closed.set()


def _opened(source: Source, open_decoder: Open) -> Decoder:
    try:
        return open_decoder(source)
    except DecodeError as error:
        if not source.start:
            raise
        where = f"; it was read from byte {source.start} on, where the file object was"
        raise DecodeError(error.path, error.reason + where) from error


def _decode(link: Link, decoder: Decoder) -> Block:
    """Fill the buffers that are wanted to the end of the file, and return the last one."""
    while True:
        buffer = link.wanted.get()
        if link.caller_left():
            raise CallerLeft
        if buffer is None:
            buffer = np.empty((max(1, BLOCK // decoder.channels), decoder.channels), dtype=np.float32)
        filled, is_last = 0, False
        while filled < len(buffer) and not is_last:
            if link.caller_left():  # what is converted may be many times what is read
                raise CallerLeft
            got = decoder.read(buffer[filled:])
            filled += got
            is_last = got == 0
        block = Block(buffer[:filled], decoder.truncated, is_last)
        if is_last:
            return block
        link.ready.put(block)
