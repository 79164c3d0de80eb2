"""Packed models: networks and their card in one ONNX file.

An ONNX file is a protobuf message, and bytes put behind one that are entries of a repeated field count
as entries of it. So a packed file is a network as it was, byte for byte, and behind it metadata that any
ONNX tool shows:

    fastaudio.card            the card, as JSON
    fastaudio.licence         the licence of the weights, if there was one beside them
    fastaudio.file.SHA256     another network of the card, in base64
    fastaudio.packed          version, the first network's length, and the hash of all from there to here

The last entry has a fixed length and ends the file: it is found without reading what comes before. A
network is known by its hash, which the card states; the hash here covers everything else. Both tell
damage, and a part that was changed; they don't tell who made the file.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from fastaudio._core import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LARGEST_CARD = 16_000_000
"""Bytes of a card, in a file of its own or packed."""

_CARD, _LICENCE, _FILE, _PACKED = (f"fastaudio.{key}" for key in ("card", "licence", "file.", "packed"))
_MOST_FILES = 64
_LARGEST = (1 << 31) - 1  # protobuf's own limit
_LONGEST_VARINT = 10
_METADATA, _KEY, _VALUE = b"\x72", b"\x0a", b"\x12"  # ModelProto 14, StringStringEntryProto 1 and 2
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Packed:
    """What lies where in a packed file.

    Attributes:
        subject: the file, for messages.
        length: of the first network, in bytes.
        card, licence: as they were packed.
        files: start and end of the other networks' base64, by their hash.
    """

    subject: str
    length: int
    card: bytes
    licence: bytes
    files: Mapping[str, tuple[int, int]]

    def read(self, file: BinaryIO, sha256: str) -> bytes:
        """Return the network of that hash, yet to be verified; the first one if there is no other."""
        if sha256 not in self.files:
            file.seek(0)
            return file.read(self.length)
        start, end = self.files[sha256]
        file.seek(start)
        return base64.b64decode(file.read(end - start), validate=True)


def read_network(path: str, sha256: str) -> bytes:
    """Return a network's bytes, verified: what is hashed is what is run.

    Args:
        path: an ONNX file, or a packed one, which stands for each network in it.
        sha256: the network's hash in hex; empty for any, and for the first one of a packed file.

    Raises:
        ModelError: it can't be read, is damaged or was changed.
    """
    subject = f"OnnxModel({path!r})"
    try:
        with Path(path).open("rb") as file:
            packed = find(file, subject)
            content = packed.read(file, sha256) if packed else file.read()
    except (OSError, ValueError) as error:
        raise ModelError(f"{subject}: expected a readable file, got {error}") from error
    if sha256:
        _require_hash(subject, hashlib.sha256(content).hexdigest(), sha256)
    return content


def find(file: BinaryIO, subject: str) -> Packed | None:
    """Return what a packed file holds, its networks unread; None, and the file at its start, if it isn't one.

    Raises:
        ModelError: what was packed is damaged, or was changed.
    """
    if not file.seekable():
        return None
    size = file.seek(0, os.SEEK_END)
    end = size - _SEAL_BYTES
    file.seek(max(end, 0))
    match = _SEAL.fullmatch(file.read(_SEAL_BYTES))
    if match is None:
        file.seek(0)
        return None
    length = int(match[1], 16)
    if length > end:
        raise ModelError(f"{subject}: expected a network of {length} bytes, got {end}; the file is damaged")
    file.seek(length)
    digest, hashed = hashlib.sha256(), size - len(_NO_HASH)
    for start in range(length, hashed, _CHUNK):
        digest.update(file.read(min(_CHUNK, hashed - start)))
    _require_hash(subject, digest.hexdigest(), match[2].decode("ascii"))
    where: dict[str, tuple[int, int]] = {}
    for key, *place in _entries(file, length, end, subject):
        if key in where or len(where) > _MOST_FILES:
            raise ModelError(f"{subject}: expected at most {_MOST_FILES} files, each once, got more")
        where[key] = place[0], place[1]
    card = _text(file, where.pop(_CARD, (0, 0)), subject)
    licence = _text(file, where.pop(_LICENCE), subject) if _LICENCE in where else b""
    files = {key.removeprefix(_FILE): place for key, place in where.items()}
    return Packed(subject, length, card, licence, files)


def write(path: Path, card: bytes, licence: bytes, networks: Iterable[bytes]) -> None:
    """Write a packed file; the largest network is the one that other tools see.

    Raises:
        ModelError: no network, or a file that no tool would read.
    """
    _require_size(str(path), max(len(card), len(licence)))
    by_hash = {hashlib.sha256(network).hexdigest(): network for network in networks}
    if not 0 < len(by_hash) <= _MOST_FILES:
        raise ModelError(
            f"{path}: expected 1 to {_MOST_FILES} networks, got {len(by_hash)}; save it as .json"
        )
    first, *others = sorted(by_hash, key=lambda sha256: len(by_hash[sha256]), reverse=True)
    tail = _entry(_CARD, card) + (_entry(_LICENCE, licence) if licence else b"")
    tail += b"".join(_entry(_FILE + sha256, base64.b64encode(by_hash[sha256])) for sha256 in others)
    length = len(by_hash[first])
    unsealed = tail + _seal(length, _NO_HASH)[: -len(_NO_HASH)]
    seal = _seal(length, hashlib.sha256(unsealed).hexdigest())
    if length + len(tail) + len(seal) > _LARGEST:
        raise ModelError(f"{path}: expected at most {_LARGEST} bytes in all, got more; save it as .json")
    write_whole(path, by_hash[first], tail, seal)


def write_whole(path: Path, *parts: bytes) -> None:
    """Write a file so that at no time there is half of it under its name."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with unfinished.open("xb") as file:
            file.writelines(parts)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _text(file: BinaryIO, place: tuple[int, int], subject: str) -> bytes:
    start, end = place
    _require_size(subject, end - start)
    file.seek(start)
    return file.read(end - start)


def _require_size(subject: str, n_bytes: int) -> None:
    if not 0 < n_bytes <= LARGEST_CARD:
        raise ModelError(f"{subject}: expected a card of at most {LARGEST_CARD} bytes, got {n_bytes}")


def _require_hash(subject: str, got: str, expected: str) -> None:
    if got != expected:
        raise ModelError(
            f"{subject}: expected sha256 {expected}, got {got}; the file is damaged or was changed"
        )


def _entry(key: str, value: bytes) -> bytes:
    pair = _field(_KEY, key.encode("ascii")) + _field(_VALUE, value)
    return _field(_METADATA, pair)


def _field(tag: bytes, content: bytes) -> bytes:
    length, varint = len(content), b""
    while length > 0x7F:  # noqa: PLR2004  # seven bits a byte
        varint += bytes([length & 0x7F | 0x80])
        length >>= 7
    return tag + varint + bytes([length]) + content


def _seal(length: int, sha256: str) -> bytes:
    """Return the last entry; it ends in the hash."""
    return _entry(_PACKED, f"1 {length:016x} {sha256}".encode("ascii"))


def _entries(file: BinaryIO, start: int, end: int, subject: str) -> Iterator[tuple[str, int, int]]:
    """Yield each entry's key, and where its value starts and ends; values are left unread."""

    def enter(tag: bytes, limit: int) -> int:
        """Go into a field and return its end."""
        at, length = file.tell(), 0
        head = file.read(min(1 + _LONGEST_VARINT, limit - at))
        for i, byte in enumerate(head[1:]):
            length |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:  # noqa: PLR2004  # the last one
                if head[:1] != tag or length > limit - (at + 2 + i):
                    break
                file.seek(at + 2 + i)
                return at + 2 + i + length
        raise ModelError(f"{subject}: expected metadata at byte {at}, got something else")

    file.seek(start)
    while file.tell() < end:
        entry_end = enter(_METADATA, end)
        key_end = enter(_KEY, entry_end)
        key = file.read(min(key_end - file.tell(), len(_FILE + _NO_HASH) + 1)).decode("ascii", "replace")
        if key not in (_CARD, _LICENCE) and not _FILE_KEY.fullmatch(key):
            raise ModelError(f"{subject}: expected metadata of fastaudio only, got {key!r:.40}")
        if enter(_VALUE, entry_end) != entry_end:
            raise ModelError(f"{subject}: expected a key and a value, got more")
        yield key, file.tell(), entry_end
        file.seek(entry_end)


_NO_HASH = "0" * 64
_SEAL_BYTES = len(_seal(0, _NO_HASH))
_SEAL = re.compile(re.escape(_seal(0, _NO_HASH)[: -16 - 1 - 64]) + rb"([0-9a-f]{16}) ([0-9a-f]{64})")
_FILE_KEY = re.compile(re.escape(_FILE) + "[0-9a-f]{64}")
