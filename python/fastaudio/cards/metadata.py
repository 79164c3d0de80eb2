"""Metadata entries of an ONNX file: a key and a value each, in the protobuf form that any ONNX tool shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from fastaudio._core import ModelError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

_LONGEST_VARINT = 10
_METADATA, _KEY, _VALUE = b"\x72", b"\x0a", b"\x12"  # ModelProto 14, StringStringEntryProto 1 and 2


def entry(key: str, value: bytes) -> bytes:
    """Return the bytes of one entry; appended to an ONNX file, they add the entry to it."""
    pair = _field(_KEY, key.encode("ascii")) + _field(_VALUE, value)
    return _field(_METADATA, pair)


def _field(tag: bytes, content: bytes) -> bytes:
    length, varint = len(content), b""
    while length > 0x7F:  # noqa: PLR2004  # seven bits per byte
        varint += bytes([length & 0x7F | 0x80])
        length >>= 7
    return tag + varint + bytes([length]) + content


def entries(
    file: BinaryIO, start: int, end: int, *, subject: str, known: re.Pattern[str], longest_key: int
) -> Iterator[tuple[str, int, int]]:
    """Yield each entry's key, and where its value starts and ends; values are not read.

    Keys match `known`, and none is longer than `longest_key`; ModelError if there is anything else.
    """

    def enter(tag: bytes, limit: int) -> int:
        """Go into a field and return its end."""
        at, length = file.tell(), 0
        head = file.read(min(1 + _LONGEST_VARINT, limit - at))
        for i, byte in enumerate(head[1:]):
            length |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:  # noqa: PLR2004  # the last byte of the length
                if head[:1] != tag or length > limit - (at + 2 + i):
                    break
                file.seek(at + 2 + i)
                return at + 2 + i + length
        raise ModelError(f"{subject}: expected metadata at byte {at}, got something else")

    file.seek(start)
    while file.tell() < end:
        entry_end = enter(_METADATA, end)
        key_end = enter(_KEY, entry_end)
        key = file.read(min(key_end - file.tell(), longest_key + 1)).decode("ascii", "replace")
        if not known.fullmatch(key):
            raise ModelError(f"{subject}: expected metadata of fastaudio only, got {key!r:.40}")
        if enter(_VALUE, entry_end) != entry_end:
            raise ModelError(f"{subject}: expected a key and a value, got more")
        yield key, file.tell(), entry_end
        file.seek(entry_end)
