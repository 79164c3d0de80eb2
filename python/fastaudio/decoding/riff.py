"""WAV and its 64-bit kinds: where the sound lies, whatever the sizes in the header say.

A writer that was killed, or wrote into a pipe, leaves sizes that are zero, all ones or old; above 4 GiB
they wrap. libsndfile believes them, so it is given a header made from what the file holds.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fastaudio.decoding.sndfile import Part
from fastaudio.decoding.sources import DecodeError
from fastaudio.decoding.views import Pieces

if TYPE_CHECKING:
    from fastaudio.decoding.sources import Source

MAGIC = (b"RIFF", b"RIFX", b"RF64", b"BW64")

_WRAP = 1 << 32
_MAX_CHUNKS = 10_000
_MAX_FORMAT = 1 << 16
_MOST_CHANNELS, _HIGHEST_HZ = 1024, (1 << 31) - 1  # that libsndfile takes
_PADDING = 1 << 20  # zeros after the end that are no sound
_LITTLE = 1 << 12
# What those write who don't know the length, less what some take off for the header.
_UNKNOWN = (_WRAP - 1, _WRAP - 2, 1 << 31, 0x7FFF_F000, 0xFFFF_F000, 0xFFFF_FF00)
_LEAST_HEADER = 20
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")
# Chunks that may follow the sound; "_" at the end stands for a space.
_CHUNKS = frozenset(
    re.sub(rb"_$", b" ", name)
    for name in b"""
    LIST INFO id3_ ID3_ bext cue_ smpl fact PEAK iXML _PMX junk JUNK PAD_ FLLR afsp DISP acid inst
    cart axml aXML umid minf elm1 regn ovwf strc plst note labl ltxt levl chna ResU LGWV SAUR MD5_
    r64m slnt wavl
    """.split()
)


@dataclass
class _Header:
    """What the chunks before the sound say.

    Attributes:
        order: "<" or ">".
        format: contents of the chunk of this name.
        sizes: of the whole and of the sound, in 64 bits, or None.
        first: where the sound begins, or None if there is none.
        stated: bytes of sound.
        late: whether the format comes after the sound.
    """

    order: str
    format: bytes | None = None
    sizes: tuple[int, int] | None = None
    first: int | None = None
    stated: int = 0
    late: bool = False


def parts(source: Source) -> list[Part] | None:
    """Return where the sound is in a WAV file, or None to leave it to libsndfile as it is.

    Raises:
        DecodeError: the format is stated nowhere, or has no channels or no rate.
    """
    header = _header(source)
    if header.first is None:
        return None
    if header.format is None or len(header.format) < 16:  # noqa: PLR2004
        if header.format is None:
            raise DecodeError(source.name, "expected a WAV file that states its format, got none")
        return None
    channels, rate_hz = struct.unpack_from(header.order + "HI", header.format, 2)
    if not (1 <= channels <= _MOST_CHANNELS and 1 <= rate_hz <= _HIGHEST_HZ):
        wanted = f"1 to {_MOST_CHANNELS} channels at a rate of 1 to {_HIGHEST_HZ} Hz"
        raise DecodeError(
            source.name, f"expected a WAV file of {wanted}, got {channels} channels at {rate_hz} Hz"
        )
    first, stated = header.first, header.stated
    rest = source.size - first
    unknown = _is_unknown(stated, first)
    if stated == 0:  # of many zeros, too: they may be silence
        silent = rest > _LITTLE and not any(source.read(first, min(rest, _PADDING)))
        unknown = silent or not _ends_well(source, first, header.order)
    if unknown:
        length = _before_tags(source, first, source.size) - first
    elif stated > rest:
        return [_mended(source, header, rest, truncated=True) if header.late else Part(truncated=True)]
    else:
        length = _length(source, first, stated, header.order)
    if length == stated and not header.late:
        # libsndfile estimates how much compressed sound there is.
        return [Part(truncated=False, exact=_is_plain(header))]
    return [_mended(source, header, length, truncated=False)]


def _header(source: Source) -> _Header:
    """Read the chunks."""
    magic = source.read(0, 12)
    header = _Header(">" if magic[:4] == b"RIFX" else "<")
    position = 12
    for _ in range(_MAX_CHUNKS):
        head = source.read(position, 8)
        if len(head) < 8 or (header.first is not None and header.format is not None):  # noqa: PLR2004
            break
        name, size = struct.unpack(header.order + "4sI", head)
        position += 8
        if name == b"ds64":
            header.sizes = struct.unpack("<QQ", source.read(position, 16).ljust(16, b"\0"))
        elif name == b"fmt " and header.format is None:
            header.format = source.read(position, min(size, _MAX_FORMAT))
            header.late = header.first is not None
        elif name == b"data" and header.first is None:
            if header.sizes is not None and size == _WRAP - 1:
                size = header.sizes[1]
            header.first, header.stated = position, size
        position += size + size % 2
    source.raise_pending()
    return header


def _is_plain(header: _Header) -> bool:
    tag: int = struct.unpack_from(header.order + "H", header.format or b"\0\0")[0]
    return tag in (_PCM, _FLOAT, _EXTENSIBLE)


def _is_unknown(stated: int, first: int) -> bool:
    """Tell whether a size is what those write who don't know it."""
    if stated >= _WRAP << 20:  # all ones in 64 bits
        return True
    return any(stated == size or _LEAST_HEADER <= size - stated <= first + 8 for size in _UNKNOWN)


def _length(source: Source, first: int, stated: int, order: str) -> int:
    """Return the bytes of sound if the header states fewer than there may be."""
    end = first + stated
    if _ends_well(source, end, order):
        return stated
    wraps = (source.size - end) // _WRAP
    if wraps and _ends_well(source, end + wraps * _WRAP, order):
        return stated + wraps * _WRAP
    return _before_tags(source, first, source.size) - first


def _ends_well(source: Source, end: int, order: str) -> bool:
    """Tell whether the sound ends here: nothing follows but chunks, tags or a few zeros."""
    position = end
    for _ in range(_MAX_CHUNKS):
        rest = source.size - position
        if rest < 8:  # noqa: PLR2004
            return True
        head = source.read(position, 16)
        if head.startswith(_TAGS) or head[:4] in _CHUNKS:
            return True
        if not _is_chunk(head, rest, order):
            if position % 2:  # padding after a chunk of odd size, which some writers forget
                position += 1
                continue
            return rest <= _PADDING and not any(source.read(position, rest))
        position += 8 + _size(head, order)
    return True


def _is_chunk(head: bytes, rest: int, order: str) -> bool:
    """Tell whether bytes are the head of a chunk that fits."""
    name, size = head[:4], _size(head, order)
    return name in _CHUNKS or (all(0x20 <= byte < 0x7F for byte in name) and 8 + size <= rest)  # noqa: PLR2004


def _size(head: bytes, order: str) -> int:
    return int.from_bytes(head[4:8], "little" if order == "<" else "big")


def _before_tags(source: Source, first: int, last: int) -> int:
    """Return where the sound ends before a tag at the end of the file."""
    id3v1 = max(first, last - 128)
    return id3v1 if source.read(id3v1, 3) == b"TAG" else last


def _mended(source: Source, header: _Header, length: int, *, truncated: bool) -> Part:
    """Return the sound behind a header that is right."""
    wave = header.format or b""
    align = max(1, struct.unpack_from(header.order + "H", wave, 12)[0])
    length -= length % align
    fmt = b"fmt " + struct.pack(header.order + "I", len(wave)) + wave + b"\0" * (len(wave) % 2)
    large = length + len(fmt) + 100 >= _WRAP
    whole = 4 + len(fmt) + 8 + length + (36 if large else 0)
    if large:
        ds64 = struct.pack("<4sIQQQI", b"ds64", 28, whole, length, length // align, 0)
        head = struct.pack("<4sI4s", b"RF64", _WRAP - 1, b"WAVE") + ds64
    else:
        head = (
            (b"RIFX" if header.order == ">" else b"RIFF") + struct.pack(header.order + "I", whole) + b"WAVE"
        )
    head += fmt + b"data" + struct.pack(header.order + "I", _WRAP - 1 if large else length)
    first = header.first or 0
    return Part(partial(Pieces, source, [head, (first, first + length)]), None, truncated)
