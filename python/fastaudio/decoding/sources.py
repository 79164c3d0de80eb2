"""Sources of sound: paths, file objects and bytes, each as one file that can seek."""

from __future__ import annotations

import errno
import inspect
import io
import os
import re
import stat
import time
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from fastaudio._core import FastaudioError
from fastaudio.decoding.spooling import chunks_of

if TYPE_CHECKING:
    from collections.abc import Callable

FileLike: TypeAlias = "str | os.PathLike[str] | BinaryIO | bytes | bytearray | memoryview"

_IN_MEMORY = 64_000_000
_POLL_S = 0.01
_LONGEST_NAME = 300  # characters of a path in a message
_ADDRESS = re.compile("[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_REMEDIES = {
    errno.EMFILE: "; close some, or raise the limit (ulimit -n)",
    errno.ENFILE: "; close some, or raise the system's limit",
    errno.EACCES: "; ask its owner for the right to read it",
}


class DecodeError(FastaudioError, OSError):
    """A file can't be read as audio: `path` says which, `reason` why."""

    def __init__(self, path: str, reason: str) -> None:
        shown = path if len(path) <= _LONGEST_NAME else f"{path[:_LONGEST_NAME]}..."
        super().__init__(f"{shown or repr(path)}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[DecodeError], tuple[str, str]]:
        return type(self), (self.path, self.reason)


class CallerLeft(BaseException):  # no error: nobody waits for the file any more
    """Raised in a thread that reads for a caller that has gone."""


class NoSuchFileError(DecodeError, FileNotFoundError):
    """There is no such file; caught as Python's own error too."""


class IsFolderError(DecodeError, IsADirectoryError):
    """A folder stands where a file is meant."""


class NotAllowedError(DecodeError, PermissionError):
    """The file may not be read."""


NAMELESS = "<file object>", "<bytes>"


def name_of(source: object) -> str:
    """Return a source's name for messages: a path, an upload's `filename`, or a file object's `name`."""
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    if isinstance(source, bytes | bytearray | memoryview):
        return NAMELESS[1]
    for attribute in ("filename", "name"):
        name = getattr(source, attribute, None)
        if isinstance(name, str | bytes) and name:
            return os.fsdecode(name)
    return NAMELESS[0]


def is_file_like(value: object) -> bool:
    """Tell whether a value is a path, bytes, or looks like a file object; nothing is read."""
    return isinstance(value, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(value, "read")


def said(error: OSError) -> str:
    """Return what the system says of an error, without its number and the path."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def _unreadable(name: str, error: OSError) -> DecodeError:
    remedy = _REMEDIES.get(error.errno or 0, "")
    kind = NotAllowedError if isinstance(error, PermissionError) else DecodeError
    return kind(name, f"expected a file that can be read, got {said(error)}{remedy}")


class Source:
    """One file to read from, whatever it was given as; its first byte is at 0.

    Attributes:
        name: for messages.
        path: what the system opens it by, or None.
        start: position of a file object at which it is taken to begin.
        size: in bytes.
    """

    def __init__(self, source: FileLike, left: Callable[[], bool] = lambda: False) -> None:
        """Open a path or take a file object; what can't seek is copied to a temporary file first.

        Once `left` says that nobody waits any more, reads end.

        Raises:
            CallerLeft: nobody waits any more.
            DecodeError: there is no such file, it may not be read, or it isn't open, binary and at a byte.
            TypeError: it is none of these.
        """
        self.name = name_of(source)
        self.path: str | None = None
        self._mine: Any = None
        self._pending: BaseException | None = None
        self._left = left
        self.start = 0
        if isinstance(source, str | os.PathLike):
            self.path = os.fsdecode(source)
            self._file: Any = self._opened(self.path)
        elif isinstance(source, bytes | bytearray | memoryview):
            self._file = io.BytesIO(source.tobytes() if isinstance(source, memoryview) else source)
        elif is_file_like(source):
            self._file = self._given(source)
        else:
            got = type(source).__name__
            raise TypeError(f"source: expected a path, a binary file object or samples, got {got}")
        self.size = max(0, self._end() - self.start)
        if self.size == 0:
            self.close()
            raise DecodeError(self.name, self._nothing())

    def read(self, position: int, n_bytes: int) -> bytes:
        """Return up to `n_bytes` from a position: fewer only at the end, none before the beginning.

        What the file object raises is kept for `raise_pending`, as a decoder's C code can't pass it on.
        """
        if self._pending is not None or not 0 <= position < self.size:
            return b""
        try:
            self.check_left()
            self._file.seek(self.start + position)
            data = self._more(min(n_bytes, self.size - position))
        except BaseException as error:  # noqa: BLE001
            self.keep(error)
            return b""
        return data

    def check_left(self) -> None:
        """Raise CallerLeft if nobody waits any more."""
        if self._left():
            raise CallerLeft

    def keep(self, error: BaseException) -> None:
        """Keep what a callback of C code can't pass on for `raise_pending`."""
        if self._pending is None:
            self._pending = error

    def raise_pending(self) -> None:
        """Raise what the file object raised since, as it was; a system's error as a DecodeError."""
        if self._pending is not None:
            error, self._pending = self._pending, None
            if isinstance(error, OSError) and self._mine is not None:
                raise DecodeError(
                    self.name, f"expected a file that can be read, got {said(error)}"
                ) from error
            raise error

    def close(self) -> None:
        """Close the file if it was opened here."""
        if self._mine is not None:
            self._mine.close()

    def __del__(self) -> None:
        mine = getattr(self, "_mine", None)
        if mine is not None:  # silently: an `AudioFile` may be dropped, as soundfile's may
            mine.close()

    def _more(self, n_bytes: int) -> bytes:
        parts, left = [], n_bytes
        while left > 0:
            data = self._file.read(left)
            if data is None:  # it doesn't wait for more, so that we do
                time.sleep(_POLL_S)
                self.check_left()
                continue
            if not data:
                break
            # raw files read less than they could
            parts.append(bytes(data[:left]))  # and broken ones more
            left -= len(parts[-1])
        return b"".join(parts) if len(parts) != 1 else parts[0]

    def _opened(self, path: str) -> BinaryIO:
        try:
            mode = os.stat(path).st_mode  # noqa: PTH116
            if stat.S_ISDIR(mode):
                raise IsFolderError(self.name, "expected an audio file, got a folder")
            if stat.S_ISCHR(mode) or stat.S_ISSOCK(mode):
                raise DecodeError(self.name, "expected a file or a pipe, got a device")
            file = self._mine = open(path, "rb")  # noqa: PTH123, SIM115
            if stat.S_ISREG(mode):
                return file
            with file:
                self.path = None
                return self._spooled(file)
        except FileNotFoundError as error:
            got = "an address; fetch it first" if _ADDRESS.match(path) else "no such file"
            raise NoSuchFileError(self.name, f"expected an audio file, got {got}") from error
        except OSError as error:
            if isinstance(error, DecodeError):
                raise
            raise _unreadable(self.name, error) from error
        except ValueError as error:  # a name with a NUL
            raise DecodeError(self.name, f"expected the name of a file, got one with {error}") from error

    def _given(self, source: Any) -> Any:
        """Return a file object as one that seeks."""
        if inspect.iscoroutinefunction(source.read):  # an upload of an asynchronous framework holds a file
            source = getattr(source, "file", source)
            if inspect.iscoroutinefunction(source.read):
                raise DecodeError(
                    self.name, "expected a file object, got one to await; pass the bytes it gives"
                )
        if getattr(source, "closed", False) is True:
            raise DecodeError(self.name, "expected an open file object, got a closed one")
        if isinstance(source, io.TextIOBase):
            raise DecodeError(self.name, _TEXT)
        if isinstance(source, io.IOBase) and not source.readable():
            raise DecodeError(self.name, "expected a file object to read from, got one to write to")
        try:
            if getattr(source, "seekable", lambda: True)() is False:
                return self._spooled(source)
            start = source.tell()
            source.seek(0, os.SEEK_END)
            source.seek(start)
        except (AttributeError, OSError, TypeError, NotImplementedError):
            return self._spooled(source)
        if not isinstance(start, int):
            return self._spooled(source)
        if isinstance(source.read(0), str):
            raise DecodeError(self.name, _TEXT)
        self.start = start
        return source

    def _spooled(self, source: Any) -> BinaryIO:
        """Copy what can't seek; much of it goes to disk."""
        import tempfile  # noqa: PLC0415  # only what can't seek needs it

        file: Any = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        try:
            for chunk in chunks_of(source):
                self.check_left()
                if isinstance(chunk, str):
                    raise DecodeError(self.name, _TEXT)  # noqa: TRY301
                file.write(chunk or b"")  # None while nothing has come
        except BaseException:
            file.close()
            raise
        self._mine = file
        file.seek(0)
        return file  # type: ignore[no-any-return]

    def _end(self) -> int:
        self._file.seek(0, os.SEEK_END)
        end: int = self._file.tell()
        self._file.seek(self.start)
        return end

    def _nothing(self) -> str:
        if self.start:
            return "expected sound from the file object's position on, got its end; call its seek(0) first"
        return "expected audio, got an empty file"


_TEXT = "expected a binary file object, got one in text mode; open it with 'rb'"
