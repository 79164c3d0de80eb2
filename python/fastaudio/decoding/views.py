"""Views: parts of a file, mended or joined, as files that a decoder reads."""

from __future__ import annotations

import io
import os
from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastaudio.decoding.sources import Source


BLOCK = 1 << 16
"""Bytes read at once."""


class View(io.RawIOBase):
    """A file that can be read and sought; nothing in it raises, as C code calls it."""

    def __init__(self, source: Source | None, size: int) -> None:
        """Take the source, which keeps what a read raises, and the size in bytes.

        Without a source it raises, so that it may be read by Python code only.
        """
        super().__init__()
        self._keeper = source
        self.size = size
        self._position = 0
        self._held = b""
        self._held_from = 0

    def load(self, position: int) -> tuple[int, bytes]:
        """Return bytes around a position before the end, and where they begin; none are the end."""
        raise NotImplementedError

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position, as files do."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position}.get(whence, self.size)
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer; fewer bytes than it holds are the end."""
        n = len(buffer)
        first = self._position - self._held_from
        if first >= 0 and first + n <= len(self._held):  # most often: decoders read few bytes at a time
            buffer[:n] = self._held[first : first + n]
            self._position += n
            return n
        try:
            return self._loaded(buffer)
        except BaseException as error:
            if self._keeper is None:
                raise
            self._keeper.keep(error)  # memory may be short
            return 0

    def _loaded(self, buffer: memoryview) -> int:
        n = len(buffer)
        done = 0
        while done < n and self._position < self.size:
            first = self._position - self._held_from
            if not 0 <= first < len(self._held):
                self._held_from, self._held = self.load(self._position)
                first = self._position - self._held_from
            part = self._held[first : first + n - done]
            if not part:
                break
            buffer[done : done + len(part)] = part
            done += len(part)
            self._position += len(part)
        return done


class Buffered(io.BufferedReader):
    """A view read through a buffer in C: mpg123 reads two times per frame, each through a call of Python."""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position; to the beginning where there is none, as a view does."""
        try:
            return super().seek(offset, whence)
        except (OSError, ValueError):
            return super().seek(0)


class Pieces(View):
    """Bytes and stretches of a source, one after another."""

    def __init__(self, source: Source, pieces: Iterable[bytes | tuple[int, int]]) -> None:
        """Take bytes as they are, and the source's from a first to a last position, which is left out."""
        # There may be many: one takes 16 bytes.
        self._starts, self._firsts = array("q"), array("q")
        self._bytes: dict[int, bytes] = {}
        size = 0
        for piece in pieces:
            n = len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
            if n <= 0:
                continue
            if isinstance(piece, bytes):
                self._bytes[len(self._starts)] = piece
            self._starts.append(size)
            self._firsts.append(0 if isinstance(piece, bytes) else piece[0])
            size += n
        super().__init__(source, size)
        self._source = source

    def load(self, position: int) -> tuple[int, bytes]:
        """Return bytes of the piece at a position."""
        index = bisect_right(self._starts, position) - 1
        start = self._starts[index]
        if index in self._bytes:
            return start, self._bytes[index]
        end = self._starts[index + 1] if index + 1 < len(self._starts) else self.size
        return position, self._source.read(self._firsts[index] + position - start, min(BLOCK, end - position))
