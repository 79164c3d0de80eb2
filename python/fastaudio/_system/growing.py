"""Files that grow under their own names: recordings, results of live sound, and what an unfinished run keeps.

No link is followed where a file is created, so that nothing else is ever written into.
"""

from __future__ import annotations

import io
import os
import stat
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from fastaudio._core import check_interrupt
from fastaudio._system.folder import Folder
from fastaudio._system.writing import OutputError, full_disk, is_stream, straight

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedRandom

_KEPT = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
_KEPT |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_LOOK_S = 0.01  # how often who waits for a file looks whether it is free


class Growing:
    """A new file, which grows under its own name.

    With `force`, a file that has the name keeps it until `take_place`, and its other names keep what it held;
    a link stays, and the file that it points to is the one that is replaced. On Windows, where an open file
    can't get another name, the old one is removed at once.

    Attributes:
        descriptor: its number, to be read and written; who takes it closes it.

    Raises:
        OSError: something is there, or with `force` no regular file is; it can't be created.
    """

    def __init__(self, path: str, *, force: bool) -> None:
        target = Path(os.path.realpath(path) if force else path)
        self._name = self._now = target.name
        self._folder = Folder(Path(os.path.realpath(target.parent)))
        with ExitStack() as stack:
            stack.enter_context(self._folder)
            old = self._folder.status(self._name) if force else None
            if old is not None:
                if not stat.S_ISREG(old.st_mode):
                    raise OSError("not a file")
                if os.name == "nt":
                    self._folder.remove(self._name)
                else:
                    self._now = f".fastaudio-{os.urandom(8).hex()}"
            self.descriptor = self._folder.create(self._now)
            self._stack = stack.pop_all()

    @property
    def in_place(self) -> bool:
        """Whether it has its own name."""
        return self._now == self._name

    def take_place(self) -> None:
        """Give it its own name; what had it is gone."""
        if not self.in_place:
            self._folder.replace(self._now, self._name)
            self._now = self._name

    def drop(self) -> None:
        """Remove it."""
        with suppress(OSError):
            self._folder.remove(self._now)

    def end(self) -> None:
        """Remove it unless it has its own name; its path isn't needed any more."""
        if not self.in_place:
            self.drop()
        self._stack.close()


class _Begun(io.FileIO):
    """Takes its place once something is written, and names the file in errors of a full disk."""

    def __init__(self, new: Growing, text: str) -> None:
        super().__init__(new.descriptor, "wb")
        self._new, self._text = new, text

    def write(self, data: Any, /) -> int:
        with full_disk(self._text):
            n = super().write(data)
        if n:
            self._new.take_place()
        return n


@contextmanager
def growing(path: str, *, force: bool) -> Iterator[BinaryIO]:
    """Give a file that grows under its own name, or what `is_stream` means.

    A file that is replaced stays until the new one has its first bytes, or is complete without any.

    Raises:
        OutputError: as for `Growing`; the disk is full.
    """
    if is_stream(path):
        with straight(path) as file:
            yield file
        return
    try:
        new = Growing(path, force=force)
    except OSError as error:
        got = "one that came meanwhile" if isinstance(error, FileExistsError) else error.strerror or error
        raise OutputError(f"{path}: expected a file that can be written, got: {got}") from error
    with ExitStack() as stack:
        stack.callback(new.end)
        file = stack.enter_context(io.BufferedWriter(_Begun(new, path)))
        yield file
        file.flush()
        new.take_place()


@contextmanager
def kept(path: str, shown: str, *, shared: bool = False, wait_s: float = 0.0) -> Iterator[BufferedRandom]:
    """Open or create a file for this run alone: no link, nobody else's file, none that another run has open.

    Messages call it `shown`. With `shared`, others that share it too may have it open. Who has it otherwise
    is waited for, up to `wait_s` seconds.

    Raises:
        OutputError: it is such a file, or it can't be written.
    """
    while True:
        try:
            descriptor = os.open(path, _KEPT, 0o600)
        except OSError as error:
            raise OutputError(
                f"{path}: expected a file that can be written, got: {error.strerror}{_whose(path)}"
            ) from error
        found = os.fstat(descriptor)
        ours = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or not ours:
            os.close(descriptor)
            raise OutputError(f"{path}: expected a file of your own, got another{_whose(path)}")
        with os.fdopen(descriptor, "r+b") as file:
            lock(descriptor, shown, time.monotonic() + wait_s, shared=shared)
            if is_at(path, found):  # else another run ended in between, and has removed it
                yield file
                return


def _whose(path: str) -> str:
    """Return what to do about a file that another user has made."""
    try:
        other = os.stat(path, follow_symlinks=False).st_uid != os.geteuid()  # noqa: PTH116
    except (OSError, AttributeError):  # gone, or Windows
        return ""
    return "; it is another user's: go on as that user" if other else "; move it away"


def is_at(path: str, found: os.stat_result, *, follow: bool = False) -> bool:
    """Tell whether a path still means the file that was found there, with `follow` also by a link."""
    try:
        return os.path.samestat(found, os.stat(path, follow_symlinks=follow))  # noqa: PTH116
    except FileNotFoundError:
        return False


def lock(descriptor: int, shown: str, until_s: float, *, shared: bool = False) -> None:
    """Lock an open file, which messages call `shown`; who has it is waited for until then.

    On systems without such locks (Windows, some network file systems), nobody waits.

    Raises:
        OutputError: another run has it.
    """
    try:
        import fcntl  # noqa: PLC0415  # not on Windows
    except ImportError:
        return
    while True:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() < until_s:
                check_interrupt()
                time.sleep(_LOOK_S)
                continue
            raise OutputError(
                f"{shown}: expected no other run with this output, got one; wait for it, or choose another "
                "name"
            ) from error
        except OSError:  # a file system without locks
            pass
        return
