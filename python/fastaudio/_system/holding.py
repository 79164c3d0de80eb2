"""Files that one run holds at a time, while others wait for it."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastaudio._core import check_interrupt
from fastaudio._system.writing import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_LOOK_S = 0.01


@contextmanager
def holding(path: Path, *, wait_s: float, flags: int = 0) -> Iterator[int]:
    """Open or create a file and hold it alone among those who do so by this function; give its number.

    On systems without such locks (Windows, some network file systems), nobody waits.

    Args:
        path: the file.
        wait_s: seconds to wait for others.
        flags: more flags for opening it, such as os.O_APPEND.

    Raises:
        OutputError: it can't be written, or others hold it for longer.
    """
    until_s = time.monotonic() + wait_s
    while True:
        check_interrupt()
        try:
            descriptor = os.open(path, _FLAGS | flags, 0o666)
        except OSError as error:
            raise OutputError(
                f"{path}: expected a file that can be written, got: {error.strerror}"
            ) from error
        try:
            # Who held it may have put another file in place of the one that was opened.
            if _lock(descriptor) and _is_at(path, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)
        if time.monotonic() > until_s:
            raise OutputError(
                f"{path}: expected it free within {wait_s:g} s, got another run that holds it; end that run"
            )
        time.sleep(_LOOK_S)


def _lock(descriptor: int) -> bool:
    try:
        import fcntl  # noqa: PLC0415  # not on Windows
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
