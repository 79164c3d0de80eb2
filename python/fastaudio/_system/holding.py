"""Files that users name and one run holds at a time, while others wait for it; `kept` is for our own."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastaudio._core import check_interrupt
from fastaudio._system.growing import is_at, lock
from fastaudio._system.writing import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def holding(path: Path, *, wait_s: float, flags: int = 0) -> Iterator[int]:
    """Open or create a file and hold it alone among those who do so by this function; give its number.

    A link is followed. On systems without such locks (Windows, some network file systems), nobody waits.

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
            lock(descriptor, str(path), until_s)
            # Who held it may have put another file in place of the one that was opened.
            if is_at(str(path), os.fstat(descriptor), follow=True):
                yield descriptor
                return
        finally:
            os.close(descriptor)
