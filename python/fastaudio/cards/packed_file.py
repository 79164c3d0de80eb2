"""Packed models: networks and their card in one ONNX file.

An ONNX file is a protobuf message, and entries of a repeated field may be appended to one. So a packed file
is one network, byte for byte, followed by metadata that any ONNX tool shows:

    fastaudio.card            the card, as JSON
    fastaudio.licence         the licence of the weights, if there was one beside them
    fastaudio.file.SHA256     another network of the card, or weights of one, in base64
    fastaudio.packed          version, the first network's length, and the hash of what follows it

The last entry has a fixed length and ends the file, so it is found without reading what comes before. The
card states each network's hash; the hash here covers everything else. Both detect damage and changed parts;
they don't prove who made the file.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from fastaudio._core import ModelError, TimedOut, check_interrupt
from fastaudio._system.writing import writing
from fastaudio.cards.metadata import entries, entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

LARGEST_CARD = 16_000_000
"""Bytes that a card may have, packed or not."""

_CARD, _LICENCE, _FILE, _PACKED = (f"fastaudio.{key}" for key in ("card", "licence", "file.", "packed"))
_TEXTS = (_CARD, _LICENCE)
MOST_FILES = 64
"""Files that a packed model may hold, networks and weights of them."""

_LARGEST = (1 << 31) - 1  # protobuf's limit
_CHUNK = 1 << 20  # a multiple of 4, as base64 needs
_SMALL = 1 << 24  # bytes that are read at once, though their hash may be another


@dataclass(frozen=True)
class Packed:
    """The contents of a packed file, with the networks still unread.

    Attributes:
        subject: the file's name for messages.
        length: bytes of the first network.
        card: the card as it was packed.
        licence: the licence as it was packed; empty if there was none.
        files: start and end of each other network's base64, by the network's hash.
    """

    subject: str
    length: int
    card: bytes
    licence: bytes
    files: Mapping[str, tuple[int, int]]

    def pieces(self, file: BinaryIO, sha256: str, *, weights: bool = False) -> Iterator[bytes]:
        """Yield the network that has that hash, or else the first one; the caller has to verify it.

        `weights` of a network are never the first network.
        """
        if sha256 in self.files:
            for piece in _pieces(file, *self.files[sha256]):
                yield base64.b64decode(piece, validate=True)
            return
        if weights:
            got = f"no file of sha256 {sha256}" if sha256 else "no hash of the one that is meant"
            raise ModelError(
                f"{self.subject}: expected weights that are packed with the network, got {got}; load the "
                "model with fastaudio.Pipeline.load"
            )
        yield from _pieces(file, 0, self.length)


def read_network(path: str, sha256: str, beside: str = "", n_bytes: int | None = None) -> bytes:
    """Return a network's bytes as `read_hashed` does, without their hash."""
    return read_hashed(path, sha256, beside, n_bytes)[0]


def read_hashed(path: str, sha256: str, beside: str = "", n_bytes: int | None = None) -> tuple[bytes, str]:
    """Return a network's bytes and their hash after checking it, so that what runs is what was checked.

    `path` is an ONNX file, or a packed file that holds the network. If `sha256`, in hex, is empty, a packed
    file gives its first network, and nothing is checked. A file of more than 16 MB with another hash takes no
    memory.

    With `beside`, the bytes are those of the file of that name beside the network, which holds weights of it,
    or of the packed file that has them under their hash; if `n_bytes` are needed, these alone are kept, and
    the hash is the whole file's.

    Raises:
        ModelError: the file can't be read, is too large, is damaged or was changed; one beside the network
            lies elsewhere, or is shorter than `n_bytes`; weights are packed, and no hash says which.
        Cancelled, TimedOut: this thread is to end its work.
    """
    subject = f"OnnxModel({path!r:.300})"
    try:
        with _opened(subject, path) as (file, size):
            packed = find(file, subject)
            if packed or not beside:
                return _verified(
                    subject,
                    sha256,
                    lambda: (
                        packed.pieces(file, sha256, weights=bool(beside))
                        if packed
                        else _pieces(file, 0, size)
                    ),
                    twice=size > _SMALL,
                )
        with _opened(subject, _beside(subject, path, beside)) as (file, size):
            if n_bytes is not None and size < n_bytes:
                raise ModelError(
                    f"{subject}: expected {n_bytes} bytes in {beside!r:.80}, got {size}; the file is cut "
                    "short, or another network's"
                )
            twice = size > _SMALL
            return _verified(subject, sha256, lambda: _pieces(file, 0, size), beside, n_bytes, twice=twice)
    except TimedOut:  # an OSError too
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or f"{error!s:.200}"
        raise ModelError(f"{subject}: expected a readable file, got {reason}") from error


@contextmanager
def _opened(subject: str, path: str) -> Iterator[tuple[BinaryIO, int]]:
    """Give a network's file, or one with weights, and its size."""
    with open(path, "rb", opener=_open_at_once) as file:  # Path.open takes no opener
        status = os.fstat(file.fileno())
        _require_network(subject, status)
        yield file, status.st_size


def _verified(
    subject: str,
    sha256: str,
    pieces: Callable[[], Iterator[bytes]],
    beside: str = "",
    n_bytes: int | None = None,
    *,
    twice: bool,
) -> tuple[bytes, str]:
    """Return what `pieces` gives, or its first `n_bytes`, and the hash of all, which is checked if stated.

    With `twice`, it is checked before any memory is taken as well.
    """

    def require(got: str) -> None:
        if not sha256 or got == sha256:
            return
        of = f" of {beside!r:.80} beside it" if beside else ""
        raise ModelError(
            f"{subject}: expected sha256 {sha256}{of}, got {got}; the file is damaged or was changed: put "
            "back the one of that hash, or make OnnxModel(path) anew, which takes the file as it is now"
        )

    if sha256 and twice:
        require(_hash(pieces()))
    content, got = _kept(pieces(), n_bytes)
    require(got)  # the file may have changed between
    return content, got


def is_packed(path: str) -> bool:
    """Tell whether a file is a packed model."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            return regular and find(file, path) is not None
    except TimedOut:  # an OSError too
        raise
    except (OSError, ValueError):
        return False


def _beside(subject: str, path: str, name: str) -> str:
    """Return where a file beside a network lies, which is in the network's folder or in one within it."""
    folder = os.path.realpath(os.path.dirname(path))  # noqa: PTH120  # text goes in and out
    place = os.path.realpath(os.path.join(folder, name))  # noqa: PTH118
    if os.path.commonpath([folder, place]) != folder:
        raise ModelError(
            f"{subject}: expected weights in a file in the network's folder, got {name!r:.80}, a link out of "
            "it; copy the file there"
        )
    if not os.path.exists(place):  # noqa: PTH110
        raise ModelError(
            f"{subject}: expected its weights in {name!r:.80} beside it, got no such file; put the file that "
            "was exported with it there"
        )
    return place


def _pieces(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """Yield what is there, piece by piece, so that the work can be ended in between."""
    file.seek(start)
    at_once = end - start if end - start <= _SMALL else _CHUNK
    while start < end and (piece := file.read(min(at_once, end - start))):
        check_interrupt()
        yield piece
        start += len(piece)


def _hash(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _kept(pieces: Iterable[bytes], n_bytes: int | None = None) -> tuple[bytes, str]:
    """Return what the pieces hold, or its first `n_bytes`, and the hash of all."""
    rest = iter(pieces)
    first = next(rest, b"")
    held, digest = io.BytesIO(first[:n_bytes]), hashlib.sha256(first)  # which takes and gives without a copy
    held.seek(0, os.SEEK_END)
    for piece in rest:
        left = len(piece) if n_bytes is None else n_bytes - held.tell()
        held.write(piece[: max(left, 0)])
        digest.update(piece)
    return held.getvalue(), digest.hexdigest()


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting for its other end, which a pipe may lack for ever."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _require_network(subject: str, status: os.stat_result) -> None:
    """Refuse what can't hold a network before a byte of it is read."""
    if not stat.S_ISREG(status.st_mode):
        raise ModelError(f"{subject}: expected a file, got a device or a pipe; give the .onnx file's path")
    if status.st_size > _LARGEST:
        raise ModelError(
            f"{subject}: expected at most {_LARGEST} bytes, got {status.st_size}; no network is so large"
        )


def find(file: BinaryIO, subject: str) -> Packed | None:
    """Return the contents of a packed file, or None for any other file, which is then at its start.

    Raises:
        ModelError: the packed file is damaged, or was changed.
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
    if length > end or size > _LARGEST:
        raise ModelError(
            f"{subject}: expected a network of {length} bytes in at most {_LARGEST}, got {end} of {size}; "
            "the file is damaged"
        )
    where: dict[str, tuple[int, int]] = {}
    longest = len(_FILE + _NO_HASH)
    # Before anything is hashed, since what isn't made of our entries could be of any length.
    for key, first, last in entries(file, length, end, subject=subject, known=_KEYS, longest_key=longest):
        if key in where or len(where) > MOST_FILES:
            raise ModelError(f"{subject}: expected at most {MOST_FILES} files, each once, got more")
        if key in _TEXTS:
            _require_size(subject, last - first)
        where[key] = first, last
    _require_hash(subject, _hash(_pieces(file, length, size - len(_NO_HASH))), match[2].decode("ascii"))
    card = _text(file, where.pop(_CARD, (0, 0)), subject)
    licence = _text(file, where.pop(_LICENCE), subject) if _LICENCE in where else b""
    files = {key.removeprefix(_FILE): place for key, place in where.items()}
    return Packed(subject, length, card, licence, files)


def write(
    path: Path,
    card: bytes,
    licence: bytes,
    networks: Iterable[bytes],
    *,
    weights: Iterable[bytes] = (),
    force: bool,
) -> None:
    """Write a packed file; other tools see its largest network. `force` replaces a file that is there.

    `weights` are contents of files beside the networks.

    Raises:
        ModelError: there is no network, or the file would be too large for any tool.
        OutputError: the file can't be written.
    """
    _require_size(str(path), max(len(card), len(licence)))
    by_hash = {hashlib.sha256(network).hexdigest(): network for network in networks}
    if not 0 < len(by_hash) <= MOST_FILES:
        raise ModelError(f"{path}: expected 1 to {MOST_FILES} networks, got {len(by_hash)}; save it as .json")
    first, *others = sorted(by_hash, key=lambda sha256: len(by_hash[sha256]), reverse=True)
    for content in weights:
        if (sha256 := hashlib.sha256(content).hexdigest()) not in by_hash:
            by_hash[sha256] = content
            others.append(sha256)
    if len(by_hash) > MOST_FILES:
        raise ModelError(f"{path}: expected at most {MOST_FILES} files, got {len(by_hash)}; save it as .json")
    tail = entry(_CARD, card) + (entry(_LICENCE, licence) if licence else b"")
    tail += b"".join(entry(_FILE + sha256, base64.b64encode(by_hash[sha256])) for sha256 in others)
    length = len(by_hash[first])
    unsealed = tail + _seal(length, _NO_HASH)[: -len(_NO_HASH)]
    seal = _seal(length, hashlib.sha256(unsealed).hexdigest())
    if (total := length + len(tail) + len(seal)) > _LARGEST:
        raise ModelError(f"{path}: expected at most {_LARGEST} bytes in all, got {total}; save it as .json")
    with writing(path, force=force) as file:
        file.writelines((by_hash[first], tail, seal))


def _text(file: BinaryIO, place: tuple[int, int], subject: str) -> bytes:
    start, end = place
    _require_size(subject, end - start)
    file.seek(start)
    return file.read(end - start)


def _require_size(subject: str, n_bytes: int) -> None:
    if not 0 < n_bytes <= LARGEST_CARD:
        remedy = "no budget raises this: shorten it" if n_bytes else "the file is damaged"
        raise ModelError(
            f"{subject}: expected a card of at most {LARGEST_CARD} bytes, got {n_bytes}; {remedy}"
        )


def _require_hash(subject: str, got: str, expected: str) -> None:
    if got != expected:
        raise ModelError(
            f"{subject}: expected sha256 {expected}, got {got}; the file is damaged or was changed"
        )


def _seal(length: int, sha256: str) -> bytes:
    """Return the last entry, which ends in the hash."""
    return entry(_PACKED, f"1 {length:016x} {sha256}".encode("ascii"))


_NO_HASH = "0" * 64
_SEAL_BYTES = len(_seal(0, _NO_HASH))
_SEAL = re.compile(re.escape(_seal(0, _NO_HASH)[: -16 - 1 - 64]) + rb"([0-9a-f]{16}) ([0-9a-f]{64})")
_KEYS = re.compile(f"{re.escape(_CARD)}|{re.escape(_LICENCE)}|{re.escape(_FILE)}[0-9a-f]{{64}}")
