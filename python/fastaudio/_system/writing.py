"""Writing files: a result appears under its name when it is whole, or not at all.

What is no regular file (a pipe, a device, the standard streams, `-` for stdout) is written straight. Where a
user names a link, it stays, and the file that it points to is replaced.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import sys
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, cast

from fastaudio._core import FastaudioError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PathLike: TypeAlias = "str | os.PathLike[str]"

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Numbers of errors that come late, while results are written: no fault of who called."""

_STREAMS = {"-": 1, "/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d{1,9})")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


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


@contextmanager
def writing_all(paths: Iterable[PathLike], *, force: bool) -> Iterator[list[BinaryIO]]:
    """Give a file for each path, like `writing` without `follow`; they get their names in order, all or none.

    Raises:
        OutputError: as for `writing`.
    """
    with ExitStack() as stack:  # leaves in the opposite order
        files = [stack.enter_context(writing(path, force=force, follow=False)) for path in reversed([*paths])]
        yield files[::-1]
        # None gets its name if one has no room.
        for file, path in zip(files, reversed([*paths]), strict=True):
            with full_disk(os.fspath(path)):
                file.flush()
                os.fsync(file.fileno())


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


@contextmanager
def writing(path: PathLike, *, force: bool, follow: bool = True) -> Iterator[BinaryIO]:
    """Give a binary file whose contents get the name `path` once the block ends without an error.

    Until then, and after an error, what was there stays as it was. A file that is replaced hands on its mode.
    Without `follow`, a link is replaced itself, and nothing is written straight.

    Raises:
        OutputError: as for `check_writable`; another run was first; the disk is full.
    """
    check_writable(path, force=force)
    text = os.fspath(path)
    if follow and is_stream(text):
        with _straight(text) as file:
            yield file
        return
    target = Path(os.path.realpath(text) if follow else text)
    part = target.with_name(f".fastaudio-{secrets.token_hex(8)}")  # no one can have put a link there
    try:
        descriptor = os.open(part, _NEW | _NO_LINKS, 0o666)
    except OSError as error:
        raise OutputError(f"{text}: expected a file that can be written, got: {error.strerror}") from error
    try:
        with full_disk(text):
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _publish(text, part, target, force=force)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _publish(text: str, part: Path, target: Path, *, force: bool) -> None:
    """Give a whole file its name."""
    if force:
        if target.is_file() and not target.is_symlink():
            shutil.copymode(target, part)
        part.replace(target)
        return
    taken = (
        f"{text}: expected no file there, got one that came meanwhile; choose another name, or add --force"
    )
    try:
        os.link(part, target)  # unlike a rename, it never replaces a file
    except FileExistsError as error:
        raise OutputError(taken) from error
    except (OSError, AttributeError) as error:  # a file system without hard links
        if os.path.lexists(target):
            raise OutputError(taken) from error
        part.replace(target)


@contextmanager
def full_disk(text: str) -> Iterator[None]:
    """Name the file in errors that say only that there is no room."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FastaudioError) or error.errno not in NO_ROOM:
            raise
        told = OutputError(f"{text}: expected room to write, got: {error.strerror}; free some, and try again")
        told.errno = error.errno
        raise told from error


def _refuse_inputs(text: str, inputs: Iterable[PathLike]) -> None:
    number = _descriptor(text)
    place = os.path.realpath(text)
    own = None
    for name in (text if number is None else number, place):  # "missing/../a.wav" is a.wav at last
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


def _require_open(text: str) -> None:
    number = _descriptor(text)
    if number is None:
        return
    try:
        os.fstat(number)
        closed = (number == 1 and sys.__stdout__ is None) or (number == 2 and sys.__stderr__ is None)  # noqa: PLR2004
    except OSError:
        closed = True
    if closed:
        raise OutputError(f"{text}: expected a stream that is open, got a closed one; name a file")


@contextmanager
def _straight(text: str) -> Iterator[BinaryIO]:
    number = _descriptor(text)
    held = {1: sys.stdout, 2: sys.stderr}.get(number or 0)
    if held is not None and hasattr(held, "buffer"):  # what was printed before comes first
        held.flush()
        yield held.buffer
        held.buffer.flush()
        return
    with open(text if number is None else os.dup(number), "wb") as file:  # noqa: PTH123  # Path takes no number
        yield cast("BinaryIO", file)
