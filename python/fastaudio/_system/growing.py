"""Files that grow under their own names: recordings, results of live sound, and what an unfinished run keeps.

No link is followed where a file is created, so that nothing else is ever written into.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from fastaudio._system.folder import Folder
from fastaudio._system.writing import OutputError, is_stream, straight

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedRandom

_KEPT = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
_KEPT |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def create(path: str, *, force: bool) -> tuple[int, str]:
    """Create a file; return its number, to be read and written, and its path without links.

    With `force`, a file that was there is removed first, so that its other names keep what it held; a link
    stays, and the file that it points to is the one that is replaced.

    Raises:
        OSError: something is there, or with `force` no regular file is; it can't be created.
    """
    target = Path(os.path.realpath(path) if force else path)
    with Folder(Path(os.path.realpath(target.parent))) as folder:
        old = folder.status(target.name) if force else None
        if old is not None:
            if not stat.S_ISREG(old.st_mode):
                raise OSError("not a file")
            folder.remove(target.name)
        return folder.create(target.name), str(target)


@contextmanager
def growing(path: str, *, force: bool) -> Iterator[BinaryIO]:
    """Give a file that grows under its own name, or what `is_stream` means.

    Raises:
        OutputError: as for `create`.
    """
    if is_stream(path):
        with straight(path) as file:
            yield file
        return
    try:
        descriptor, _ = create(path, force=force)
    except OSError as error:
        got = "one that came meanwhile" if isinstance(error, FileExistsError) else error.strerror or error
        raise OutputError(f"{path}: expected a file that can be written, got: {got}") from error
    with os.fdopen(descriptor, "wb") as file:
        yield cast("BinaryIO", file)


@contextmanager
def kept(path: str, shown: str) -> Iterator[BufferedRandom]:
    """Open or create a file for this run alone: no link, nobody else's file, none that another run has open.

    Messages call it `shown`.

    Raises:
        OutputError: it is such a file, or it can't be written.
    """
    while True:
        try:
            descriptor = os.open(path, _KEPT, 0o600)
        except OSError as error:
            raise OutputError(
                f"{shown}: expected a file that can be written, got: {error.strerror}"
            ) from error
        found = os.fstat(descriptor)
        ours = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or not ours:
            os.close(descriptor)
            raise OutputError(f"{shown}: expected a file of your own, got another; move it away")
        with os.fdopen(descriptor, "r+b") as file:
            _lock(descriptor, shown)
            if _is_at(path, found):  # else another run ended in between, and has removed it
                yield file
                return


def _is_at(path: str, found: os.stat_result) -> bool:
    try:
        return os.path.samestat(found, os.lstat(path))
    except FileNotFoundError:
        return False


def _lock(descriptor: int, shown: str) -> None:
    try:
        import fcntl  # noqa: PLC0415  # not on Windows
    except ImportError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(
            f"{shown}: expected no other run with this output, got one; wait for it, or choose another name"
        ) from error
    except OSError:  # a file system without locks
        return
