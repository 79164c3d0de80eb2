"""Reading .npz files that anybody may have made: what is expected is checked before it takes memory.

A member's header says how many values follow. It is read first, and compared with what the caller expects;
then as many bytes are read, and no more. So a few bytes that claim much, or unfold to much, cost little.
"""

from __future__ import annotations

import math
import re
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_PIECE = 1 << 20
_MAGIC = b"\x93NUMPY"
_HEADER = re.compile(  # of version 1.0, as NumPy writes it
    rb"\{\s*'descr':\s*'(?P<descr>[<>|=][a-zA-Z][0-9]{0,9})',\s*'fortran_order':\s*(?P<by_columns>True|False),"
    rb"\s*'shape':\s*\((?P<shape>(?:\s*[0-9]{1,18}\s*,)*\s*(?:[0-9]{1,18}\s*)?)\)\s*,?\s*\}\s*"
)
_NUMBERS = {"b": "truth values", "f": "numbers", "iu": "whole numbers", "fiu": "numbers", "U": "text"}


class ArraysError(ValueError):
    """A file doesn't hold the arrays that are expected; the message says what it holds."""


@dataclass(frozen=True)
class Expected:
    """What an array has to be.

    Attributes:
        shape: length of each axis; None where any is right.
        kinds: letters of NumPy for what it holds, such as "f" or "fiu".
        dtype: the one type of its values; None for any of `kinds`.
        largest: most bytes of it.
    """

    shape: tuple[int | None, ...] = ()
    kinds: str = "f"
    dtype: type[np.generic] | None = None
    largest: int = 1 << 31


class Arrays:
    """An open .npz file."""

    def __init__(self, held: zipfile.ZipFile) -> None:
        self._held = held

    def __contains__(self, name: str) -> bool:
        return f"{name}.npy" in self._held.NameToInfo

    def read(self, name: str, expected: Expected) -> NDArray[Any]:
        """Return an array once its header is that of what is expected.

        Raises:
            ArraysError: there is none, or another one.
        """
        if name not in self:
            raise ArraysError(f"no {name!r}")
        member = self._held.getinfo(f"{name}.npy")
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArraysError(f"{name!r} packed in another way than NumPy packs")
        with self._held.open(member) as file:
            shape, by_columns, dtype = _header(file, name)
            _check(name, shape, dtype, expected)
            n_bytes = math.prod(shape) * dtype.itemsize
            content = bytearray()
            while len(content) < n_bytes and (piece := file.read(min(_PIECE, n_bytes - len(content)))):
                content += piece
            if len(content) != n_bytes or file.read(1):  # at its end the archive's checksum is compared
                raise ArraysError(f"{name!r} with another length than it says")
        values: NDArray[Any] = np.frombuffer(content, dtype) if n_bytes else np.empty(shape, dtype)
        return values.reshape(shape, order="F" if by_columns else "C")


@contextmanager
def arrays(file: BinaryIO) -> Iterator[Arrays]:
    """Give the arrays of an .npz file; whatever is wrong with the file is an ArraysError in this block."""
    with ExitStack() as stack:
        try:
            held = stack.enter_context(zipfile.ZipFile(_Piecewise(file)))
            yield Arrays(held)
        except ArraysError:
            raise
        except zipfile.BadZipFile as error:
            raise ArraysError("no .npz file, or a damaged one") from error
        except (EOFError, NotImplementedError, zlib.error) as error:
            raise ArraysError("a damaged .npz file") from error


class _Piecewise:
    """A file that gives a piece at a time: a list of contents of many megabytes is no .npz file's."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, n: int = -1) -> bytes:
        content = self._file.read(n if 0 <= n <= _PIECE else _PIECE + 1)
        if len(content) > _PIECE:
            raise ArraysError("a file with too many parts")
        return content

    def seekable(self) -> bool:
        return True


def _header(file: Any, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    # NumPy's own reader evaluates this text by `ast`, which in Python 3.11 may fail at random while other
    # threads do the same ("AST constructor recursion depth mismatch").
    start = file.read(10)  # magic, version, length of the text
    if start.startswith(_MAGIC) and start[6:8] != b"\x01\x00":
        raise ArraysError(f"{name!r} of version {tuple(start[6:8])}, not one of NumPy's plain arrays")
    text = file.read(int.from_bytes(start[8:], "little")) if start.startswith(_MAGIC) else b""
    if not (found := _HEADER.fullmatch(text)):
        raise ArraysError(f"{name!r} without a header of NumPy's plain arrays")
    try:
        dtype = np.dtype(found["descr"].decode("ascii"))
    except (TypeError, ValueError) as error:
        raise ArraysError(f"{name!r} of values of another kind than NumPy's") from error
    shape = tuple(int(n) for n in found["shape"].split(b",") if n.strip())
    return shape, found["by_columns"] == b"True", dtype


def _check(name: str, shape: tuple[int, ...], dtype: np.dtype[Any], expected: Expected) -> None:
    right = dtype.kind in expected.kinds if expected.dtype is None else dtype == expected.dtype
    if not right or dtype.hasobject or dtype.kind not in "biufU":
        what = _NUMBERS.get(expected.kinds, "numbers") if expected.dtype is None else expected.dtype.__name__
        raise ArraysError(f"{name!r} as {dtype!s:.40}, not as {what}")
    alike = len(shape) == len(expected.shape) and all(
        n >= 0 and wanted in (None, n) for n, wanted in zip(shape, expected.shape, strict=True)
    )
    if not alike:
        wanted = ", ".join("any" if n is None else str(n) for n in expected.shape)
        raise ArraysError(f"{name!r} of shape {shape!s:.80}, not [{wanted}]")
    if (n_bytes := math.prod(shape) * dtype.itemsize) > expected.largest:
        raise ArraysError(f"{name!r} of {n_bytes} bytes, more than {expected.largest}")
