"""Writing files: a result appears under its name when it is whole, or not at all.

What is no regular file (a pipe, a device, the standard streams, `-` for stdout) is written straight. Where a
user names a link, it stays, and the file that it points to is replaced.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from fastaudio._core import FastaudioError
from fastaudio._system.folder import Folder

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

PathLike: TypeAlias = "str | os.PathLike[str]"

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of errors that come only from writing."""

LATE = (*NO_ROOM, errno.EIO)
"""Numbers of errors that come late, while files are written or read: no fault of who called."""

_STREAMS = {"-": 1, "/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d{1,9})")


class OutputError(FastaudioError, OSError):
    """A file can't be written, or mustn't be: it is an input, or was there before."""


def check_writable(path: PathLike, *, force: bool, inputs: Iterable[PathLike] = ()) -> None:
    """Find out before the work whether its result could be written; nothing is changed.

    Args:
        path: the file to write.
        force: whether it may replace a file that is there.
        inputs: what the work reads, which it must not replace; `-` is stdin.

    Raises:
        OutputError: it is an input or a folder, it is there and `force` is False, its folder is missing, or
            it can't be written.
    """
    text = os.fspath(path)
    _refuse_inputs(text, inputs)
    if is_stream(text):
        _require_open(text)
        return
    if not text or text.endswith(("/", os.sep)) or os.path.isdir(text):  # noqa: PTH112  # Path drops the slash
        raise OutputError(f"{text or repr(text)}: expected the name of a file to write, got a folder's")
    if os.path.lexists(text) or os.path.lexists(os.path.realpath(text)):
        if not force:
            raise OutputError(f"{text}: expected no file there, got one; choose another name, or add --force")
        if os.path.exists(text) and not os.access(text, os.W_OK):  # noqa: PTH110
            raise OutputError(f"{text}: expected a file that may be changed, got a read-only one")
    folder = Path(os.path.realpath(text)).parent
    if not folder.is_dir():
        got = "a file" if folder.exists() else "none"
        raise OutputError(f"{text}: expected a folder {folder}, got {got}; create it first")
    _require_folder(text, folder)


def check_folder(path: PathLike) -> None:
    """Find out before the work whether a folder can be made or written into; nothing is changed.

    Raises:
        OutputError: it can't, or a file has its name.
    """
    text = os.fspath(path)
    folder = Path(os.path.realpath(text))
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise OutputError(f"{text}: expected the name of a folder, got a file's: {folder}")
    _require_folder(text, folder)


def is_stream(path: PathLike) -> bool:
    """Tell whether a path is written straight: `-` for stdout, a standard stream, a pipe or a device."""
    text = os.fspath(path)
    if _descriptor(text) is not None:
        return True
    try:
        mode = os.stat(text).st_mode  # noqa: PTH116  # Path reads "" as "."
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@dataclass(frozen=True)
class Output:
    """A file to write.

    Attributes:
        path: its path.
        force: whether it may replace a file that is there.
        follow: whether a link stays and what it points to is replaced; if not, the link itself is replaced.
        below: a folder of which it is a part, None for its own: folders between the two are made, and none
            of them may be a link.
    """

    path: PathLike
    force: bool
    follow: bool = True
    below: Path | None = None


@contextmanager
def writing(path: PathLike, *, force: bool, follow: bool = True) -> Iterator[BinaryIO]:
    """Give a binary file whose contents get the name `path` once the block ends without an error.

    Until then, and after an error, what was there stays as it was. A file that is replaced hands on its mode.
    Without `follow`, a link is replaced itself, and nothing is written straight.

    Raises:
        OutputError: as for `check_writable`; another run was first; the folder is gone; the disk is full.
    """
    check_writable(path, force=force)
    text = os.fspath(path)
    if follow and is_stream(text):
        with straight(text) as file:
            yield file
        return
    with writing_all([Output(path, force, follow)]) as (whole,):
        yield whole


@contextmanager
def writing_all(outputs: Iterable[Output]) -> Iterator[list[BinaryIO]]:
    """Give a file for each output; once the block ends without an error, all get their names, in order.

    After an error all is as it was: none has a new file, and folders that were made are gone. If the process
    is killed while the names are given, the last outputs may lack theirs: name the file last that makes use
    of the others.

    Raises:
        OutputError: as for `writing`.
    """
    with ExitStack() as stack:
        parts = [_Part(output, stack) for output in outputs]
        with full_disk(parts[0].text if parts else "", NO_ROOM):  # the block may meet others as it reads
            yield [part.file for part in parts]
        for part in parts:
            part.complete()
        with ExitStack() as undo:
            for part in parts:
                undo.callback(part.undo)
                part.publish(keep=len(parts) > 1)
            undo.pop_all()


class _Named(io.FileIO):
    """A file whose errors of writing name the file that the user named, whose contents it is or will be."""

    def __init__(self, file: int | str, text: str) -> None:
        super().__init__(file, "wb")
        self._text = text

    def write(self, data: Any, /) -> int:
        try:
            with full_disk(self._text):
                return super().write(data)
        except OSError as error:
            if not isinstance(error, (FastaudioError, BrokenPipeError)):
                error.filename = self._text
            raise


class _Part:
    """A file under a name that nobody can guess, until it is whole and gets its own."""

    def __init__(self, output: Output, stack: ExitStack) -> None:
        self.text = os.fspath(output.path)
        self._force = output.force
        self._status: os.stat_result | None = None
        self._old: str | None = None
        place = Path(os.path.realpath(self.text) if output.follow else self.text)
        self._name = place.name
        with self._refused("a folder that can be written into"):
            self._folder = _open_folder(place.parent, output.below, stack)
        check_writable(self.text, force=output.force)
        if output.follow and is_stream(self.text):  # no device or pipe is replaced by a file
            raise OutputError(
                f"{self.text}: expected the name of a file, got a device's or pipe's; name a file"
            )
        self._part = f".fastaudio-{os.urandom(8).hex()}"
        with self._refused("a file that can be written"):
            descriptor = self._folder.create(self._part)
        stack.callback(self._clean)
        self.file: BinaryIO = stack.enter_context(io.BufferedWriter(_Named(descriptor, self.text)))

    def complete(self) -> None:
        """Have all of it on the disk."""
        with full_disk(self.text):
            self.file.flush()
            old = self._folder.status(self._name) if self._force else None
            if old is not None and stat.S_ISREG(old.st_mode) and hasattr(os, "fchmod"):
                os.fchmod(self.file.fileno(), stat.S_IMODE(old.st_mode))
            os.fsync(self.file.fileno())
            self._status = os.fstat(self.file.fileno())
            self.file.close()

    def publish(self, *, keep: bool) -> None:
        """Give it its name; `keep` what had it, so that this can be undone."""
        if self._force:
            self._replace(keep=keep)
        else:
            self._take_free_name()
        self._folder.sync()

    def _replace(self, *, keep: bool) -> None:
        if keep and self._folder.status(self._name) is not None:
            old = f".fastaudio-{os.urandom(8).hex()}"
            with suppress(OSError, NotImplementedError):  # a file system without hard links
                self._folder.link(self._name, old)
                self._old = old
        with self._refused("a file that can be replaced"):
            self._folder.replace(self._part, self._name)

    def _take_free_name(self) -> None:
        try:
            self._folder.link(self._part, self._name)  # unlike a rename, it never replaces a file
        except (OSError, AttributeError, NotImplementedError) as error:
            if isinstance(error, FileExistsError) or self._folder.status(self._name) is not None:
                raise OutputError(
                    f"{self.text}: expected no file there, got one that came meanwhile; choose another name, "
                    "or add --force"
                ) from error
            if isinstance(error, FileNotFoundError):  # the folder was removed, or what was in it
                raise OutputError(
                    f"{self.text}: expected its folder to stay, got one that was emptied or removed "
                    "meanwhile; write it again"
                ) from error
            with self._refused("a file that can be written"):
                self._folder.replace(self._part, self._name)  # a file system without hard links

    def undo(self) -> None:
        """Put back what had the name, or nothing."""
        with suppress(OSError):
            there = self._folder.status(self._name)
            if there is None or self._status is None or not os.path.samestat(there, self._status):
                return  # it hasn't got its name yet
            if self._old is not None:
                self._folder.replace(self._old, self._name)
            else:
                self._folder.remove(self._name)

    def _clean(self) -> None:
        for name in (self._part, self._old):
            if name is not None:
                with suppress(OSError):
                    self._folder.remove(name)

    @contextmanager
    def _refused(self, wanted: str) -> Iterator[None]:
        """Name the file in the system's errors."""
        try:
            with full_disk(self.text):
                yield
        except OSError as error:
            if isinstance(error, FastaudioError):
                raise
            got = error.strerror or error
            raise OutputError(f"{self.text}: expected {wanted}, got: {got}; choose another name") from error


def _open_folder(path: Path, below: Path | None, stack: ExitStack) -> Folder:
    """Open the folder of a file; what is made goes again with `stack`."""
    if below is None:
        return stack.enter_context(Folder(Path(os.path.realpath(path))))
    home = Path(os.path.realpath(below))
    folder = stack.enter_context(Folder(home))
    # Where links are followed, the path has been made absolute already.
    for name in path.relative_to(below if path.is_relative_to(below) else home).parts:
        if folder.make(name):
            stack.callback(folder.remove_folder, name)
        folder = stack.enter_context(Folder(folder.path / name, folder))
    return folder


@contextmanager
def full_disk(text: str, numbers: Container[int | None] = LATE) -> Iterator[None]:
    """Name the file in errors that say only that it can't be written further."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FastaudioError) or error.errno not in numbers:
            raise
        told = OutputError(f"{text}: expected room to write, got: {error.strerror}; free some, and try again")
        told.errno = error.errno
        raise told from error


def _refuse_inputs(text: str, inputs: Iterable[PathLike]) -> None:
    number = _descriptor(text)
    place = os.path.realpath(text)
    own = None
    for name in (text if number is None else _moved(number), place):  # "missing/../a.wav" is a.wav at last
        with suppress(OSError):
            own = own or os.stat(name)  # noqa: PTH116
    if own is not None and not stat.S_ISREG(own.st_mode):
        return  # pipes and terminals may be both
    for path in inputs:
        try:
            its = os.stat(0 if path == "-" else path)  # noqa: PTH116
            same = own is not None and os.path.samestat(own, its)
        except (OSError, ValueError):  # it isn't there
            same = path != "-" and os.path.realpath(path) == place
        if same:
            raise OutputError(
                f"{text}: expected another file than the inputs, got {os.fspath(path)}; choose another name"
            )


def _require_folder(text: str, folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{text}: expected a folder that can be written into, got {folder}, which can't")


def _descriptor(text: str) -> int | None:
    """Return the number of the open file that a path means by its name, or None."""
    match = _DESCRIPTOR.fullmatch(text)
    return int(match[1]) if match else _STREAMS.get(text)


def _moved(number: int) -> int:
    """Return the number of Python's stdout or stderr, which may have been moved away from C libraries."""
    held = {1: sys.stdout, 2: sys.stderr}.get(number)
    try:
        return number if held is None else held.fileno()
    except (OSError, ValueError):  # it was replaced by something without a number
        return number


def _require_open(text: str) -> None:
    number = _descriptor(text)
    if number is None:
        return
    try:
        os.fstat(_moved(number))
        closed = (number == 1 and sys.__stdout__ is None) or (number == 2 and sys.__stderr__ is None)  # noqa: PLR2004
    except OSError:
        closed = True
    if closed:
        raise OutputError(f"{text}: expected a stream that is open, got a closed one; name a file")


@contextmanager
def straight(text: str) -> Iterator[BinaryIO]:
    """Give what a path that `is_stream` means, to be written at once."""
    number = _descriptor(text)
    held = {1: sys.stdout, 2: sys.stderr}.get(number or 0)
    if held is not None and hasattr(held, "buffer"):  # what was printed before comes first
        held.flush()
        yield held.buffer
        held.buffer.flush()
        return
    with io.BufferedWriter(_Named(text if number is None else os.dup(_moved(number)), text)) as file:
        yield file
