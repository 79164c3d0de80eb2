"""Views: parts of a file, mended or joined, as files that a decoder reads."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastaudio.running.sources import Source


_BLOCK = 1 << 16  # bytes read at once


class View(io.RawIOBase):
    """A file that can be read and sought; nothing in it raises, as C code calls it."""

    def __init__(self, size: int) -> None:
        """Take the size in bytes."""
        super().__init__()
        self.size = size
        self._position = 0

    def read_at(self, position: int, n_bytes: int) -> bytes:
        """Return at least one of up to `n_bytes` at a position before the end."""
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
        room = memoryview(buffer).cast("B")
        done = 0
        while done < len(room) and self._position < self.size:
            data = self.read_at(self._position, min(len(room) - done, self.size - self._position))
            if not data:
                break
            room[done : done + len(data)] = data
            done += len(data)
            self._position += len(data)
        return done


class Pieces(View):
    """Bytes and stretches of a source, one after another."""

    def __init__(self, source: Source, pieces: Sequence[bytes | tuple[int, int]]) -> None:
        """Take bytes as they are, and the source's from a first to a last position, which is left out."""
        sizes = [len(piece) if isinstance(piece, bytes) else piece[1] - piece[0] for piece in pieces]
        self._pieces = [piece for piece, size in zip(pieces, sizes, strict=True) if size > 0]
        self._starts = list(accumulate([size for size in sizes if size > 0], initial=0))
        super().__init__(self._starts.pop())
        self._source = source
        self._block = 0, b""

    def read_at(self, position: int, n_bytes: int) -> bytes:
        """Return bytes of the piece at a position."""
        index = bisect_right(self._starts, position) - 1
        piece, within = self._pieces[index], position - self._starts[index]
        if isinstance(piece, bytes):
            return piece[within : within + n_bytes]
        first = piece[0] + within
        start, block = self._block
        if not start <= first < start + len(block):
            start, block = self._block = first, self._source.read(first, _BLOCK)
        last = min(first + n_bytes, piece[1])
        return block[first - start : last - start]
