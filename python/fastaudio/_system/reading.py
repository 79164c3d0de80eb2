"""Reading files that others may have put there: no pipe, no device, and no more than is asked for."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAFE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_PIECE = 1 << 20


class NoRegularFileError(OSError):
    """It is a pipe, a device, a folder, or a link where none is followed."""


def pieces(path: str | os.PathLike[str], *, follow: bool = True) -> Iterator[bytes]:
    """Yield the bytes of a regular file, piece by piece, and only as many as it had at the beginning.

    Raises:
        NoRegularFileError: it is none, which is found out without waiting; without `follow`, links aren't.
        OSError: it can't be read.
    """
    try:
        descriptor = os.open(path, _SAFE | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    except OSError as error:
        if not follow and os.path.islink(path):  # noqa: PTH114
            raise NoRegularFileError(f"not a regular file: {os.fspath(path)}") from error
        raise
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NoRegularFileError(f"not a regular file: {os.fspath(path)}")
        left = found.st_size
        while left > 0 and (piece := file.read(min(left, _PIECE))):
            yield piece
            left -= len(piece)


def read_small(path: str | os.PathLike[str], most: int, *, follow: bool = True) -> bytes | None:
    """Return what a regular file holds, or None if that is more than `most` bytes; errors as for `pieces`."""
    held = bytearray()
    for piece in pieces(path, follow=follow):
        held += piece
        if len(held) > most:
            return None
    return bytes(held)
