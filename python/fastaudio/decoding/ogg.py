"""Ogg: its links, one after another, each as a file that begins at zero.

libsndfile reads the first link only, and takes a stream that doesn't begin at zero for one whose beginning
is to be dropped. So each link of the first stream of sound is given to it alone, with its pages' positions
moved.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

from fastaudio.decoding.sndfile import Part, SndfileDecoder
from fastaudio.decoding.sources import DecodeError
from fastaudio.decoding.views import View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastaudio.decoding.sources import Source

MAGIC = (b"OggS",)

_HEAD = 27
_MAX_PAGES = 4_000_000
_MAX_LINKS = 10_000
_BOS, _EOS = 2, 4
# How the first packet of each codec begins, and how many packets come before its sound.
_CODECS = {b"\x01vorbis": 3, b"OpusHead": 2, b"\x7fFLAC": 2, b"Speex   ": 2}
# libsndfile takes a first position below the first page's samples for sound to drop; from here on none is.
_FAR = 1 << 34
_FURTHEST = (1 << 62) - 1
_ONES = 0xFFFF_FFFF
_SILENCE = b"\0"  # a Vorbis packet of the first mode, without any floor
_MAX_BLOCK = 8192  # samples of Vorbis
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_OPUS_HZ = 48_000
# Samples of an Opus frame at 48 kHz by the configuration in its first byte.
_OPUS_FRAME = (
    *((480, 960, 1920, 2880) * 3),
    *((480, 960) * 2),
    *((120, 240, 480, 960) * 4),
)


@dataclass
class _Link:
    """A stream of sound from its first page to its last.

    Attributes:
        serial: number of the stream.
        codec: how its first packet begins.
        rate: of Opus, the rate that the sound had before, in Hz.
        starts: where each page begins.
        sizes: bytes of each page.
        packets: how many packets have ended before the page that is read.
        n_headers: how many pages come before the sound.
        number: of the page that was read last, which counts up.
        ended: whether there is a last page that says so.
        cut: whether a page is missing, or isn't all there.
    """

    serial: int
    codec: bytes
    starts: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("H"))
    packets: int = 0
    n_headers: int = 0
    number: int = 0
    ended: bool = False
    cut: bool = False


def parts(source: Source) -> list[Part] | None:
    """Return the links of an Ogg file, or None if it has no sound of a known codec."""
    found = _links(source)
    if not found:
        return None
    return [_part(source, link, found[0]) for link in found if len(link.starts) > link.n_headers] or None


def _part(source: Source, link: _Link, first: _Link) -> Part:
    """Return a link as a file."""
    rate: bytes | None = None
    ended = link.ended
    positions: array[int] | None = None
    far = link.codec == b"\x01vorbis" and (link is not first or _begins_late(source, link))
    if far and link.ended and len(link.starts) == link.n_headers + 1:
        far = False  # its only page drops from the end
    if link.codec == b"OpusHead":
        positions, trimmed = _opus_positions(source, link)
        ended |= trimmed
        if link is not first and first.codec == b"OpusHead":
            rate = _opus_rate(source.read(first.starts[0], first.sizes[0]))
    truncated = link.cut or not ended
    whole = link.starts[0] == 0 and sum(link.sizes) == source.size
    if whole and positions is None and not far and link.ended:
        return Part(truncated=truncated)
    if far and link is not first:
        return Part(partial(_Pages, source, link, _FAR, primed=True), None, truncated, exact=False)
    return Part(partial(_Pages, source, link, _FAR if far else positions, rate), None, truncated)


def _begins_late(source: Source, link: _Link) -> bool:
    """Tell whether Vorbis was cut out of a longer stream: by its positions it would lose sound.

    A first position below the samples of its page drops the first of these. Encoders drop less than a block
    so; where more would go, pages were moved.
    """
    try:
        decoder = SndfileDecoder(source, Part(partial(_Pages, source, link, _FAR)))
    except DecodeError:
        return False
    decoder.close()
    pages = zip(reversed(link.starts), reversed(link.sizes), strict=True)
    stated = (_position(source.read(start, size).ljust(_HEAD, b"\xff")) for start, size in pages)
    last = next((position for position in stated if position >= 0), 0)
    return decoder.n_samples is not None and not 0 <= decoder.n_samples - last <= _MAX_BLOCK


def _opus_positions(source: Source, link: _Link) -> tuple[array[int] | None, bool]:
    """Return the positions that the pages of a link have if it begins at zero and has no gaps.

    They are None if those that the pages state are these. The other value tells whether the last page states
    fewer samples than it has, as only the last of a stream may.
    """
    positions = array("q")
    now = before = short = 0
    moved = False
    for index, (start, size) in enumerate(zip(link.starts, link.sizes, strict=True)):
        page = source.read(start, size)
        if len(page) < size:  # it can't be read any more, as `raise_pending` tells
            break
        stated = _position(page)
        if index >= link.n_headers and stated >= 0:
            samples = _opus_samples(page)
            last = index == len(link.starts) - 1
            base = before if index > link.n_headers else (0 if last else stated - samples)
            short = max(0, samples - max(0, stated - base)) if last else 0
            now += samples - short
            moved |= stated != now
            before = stated
        positions.append(now if stated >= 0 else stated)
    source.raise_pending()
    return (positions if moved else None), short > 0


def _links(source: Source) -> list[_Link]:
    """Return all links that hold sound."""
    links: list[_Link] = []
    begun = beginning = False  # whether any stream has begun, and whether the pages read last begin some
    orphans = False  # pages before any stream begins: of one that was cut off
    link: _Link | None = None
    for start, head, size, whole in _pages(source):
        flags, serial, n_segments = head[5], head[14:18], head[26]
        if flags & _BOS:
            if not beginning:
                link = None
            beginning = True
            body = source.read(start + _HEAD + n_segments, 8)
            codec = next((codec for codec in _CODECS if body.startswith(codec)), None)
            begun = True
            if codec is None or link is not None:
                continue
            if len(links) == _MAX_LINKS:
                raise DecodeError(source.name, f"expected at most {_MAX_LINKS} links of Ogg, got more")
            link = _Link(int.from_bytes(serial, "little"), codec, cut=orphans and not links)
            links.append(link)
        else:
            beginning = False
            orphans |= not begun
        if link is None or int.from_bytes(serial, "little") != link.serial or link.ended:
            continue
        if not whole:
            link.cut = True
            continue
        number = int.from_bytes(head[18:22], "little")
        # After the headers, a stream that was cut out of a longer one begins anywhere.
        if len(link.starts) > link.n_headers and link.packets >= _CODECS[link.codec]:
            link.cut |= number != (link.number + 1) & _ONES
        link.number = number
        link.starts.append(start)
        link.sizes.append(size)
        if link.packets < _CODECS[link.codec]:
            link.n_headers = len(link.starts)
            link.packets += sum(segment < 255 for segment in head[_HEAD:])  # noqa: PLR2004
        link.ended = bool(flags & _EOS)
    source.raise_pending()
    return links


def _pages(source: Source) -> Iterator[tuple[int, bytes, int, bool]]:
    """Yield where each page begins, its head, its size, and whether it is all there."""
    position = 0
    for _ in range(_MAX_PAGES):
        head = source.read(position, _HEAD + 255)
        if len(head) < _HEAD:
            return
        if not head.startswith(b"OggS"):
            if (position := _find(source, position + 1)) < 0:
                return
            continue
        head = head[: _HEAD + head[26]]
        size = len(head) + sum(head[_HEAD:])
        whole = position + size <= source.size
        if not whole and (again := _find(source, position + 4)) >= 0:  # a damaged head
            position = again
            continue
        yield position, head, size, whole
        position += size
    raise DecodeError(source.name, f"expected an Ogg file of at most {_MAX_PAGES} pages, got more")


def _find(source: Source, position: int) -> int:
    """Return where the next page begins, or -1."""
    step = 512
    while position < source.size:
        data = source.read(position, step + 3)
        found = data.find(b"OggS")
        if found >= 0:
            return position + found
        position += step
        step = min(2 * step, 1 << 16)
    return -1


def _position(page: bytes | bytearray) -> int:
    value: int = struct.unpack_from("<q", page, 6)[0]
    return value


def _opus_samples(page: bytes) -> int:
    """Return how many samples the packets have that end in a page."""
    total = 0
    position = begins = _HEAD + page[26]
    known = not page[5] & 1  # a packet's length stands in its beginning, which may be a page before
    for segment in page[_HEAD:position]:
        position += segment
        if segment < 255:  # noqa: PLR2004
            if position > begins and known:
                total += _opus_packet(page[begins : begins + 2])
            begins, known = position, True
    return total


def _opus_packet(head: bytes) -> int:
    """Return how many samples a packet has by its first two bytes."""
    code = head[0] & 3
    frames = (1, 2, 2, head[1] & 0x3F if len(head) > 1 else 0)[code]
    return frames * _OPUS_FRAME[head[0] >> 3]


def _opus_rate(page: bytes) -> bytes:
    """Return the rate in the first page of Opus, as it stands there."""
    first = _HEAD + page[26] + 12
    return page[first : first + 4]


class _Pages(View):
    """The pages of one link, with their positions moved."""

    def __init__(
        self,
        source: Source,
        link: _Link,
        positions: array[int] | int | None,
        rate: bytes | None = None,
        *,
        primed: bool = False,
    ) -> None:
        """Take the pages' positions, or what to add to them.

        `rate` goes into the header of Opus. `primed` puts a packet of silence first: Vorbis gives nothing
        for its first packet, and FFmpeg's gives half a block where a later link begins.
        """
        sizes = link.sizes[:]
        if primed:
            sizes.insert(link.n_headers, len(_SILENCE) + _HEAD + 1)
        self._ends = array("q", accumulate(sizes))
        super().__init__(source, self._ends[-1])
        self._source = source
        self._link = link
        self._positions = positions
        self._rate = rate
        self._primed = primed

    def load(self, position: int) -> tuple[int, bytes]:
        """Return the page at a position."""
        index = bisect_right(self._ends, position)
        page = self._mended(index)
        return self._ends[index] - len(page), page

    def _mended(self, index: int) -> bytes:
        link = self._link
        later = self._primed and index > link.n_headers
        if self._primed and index == link.n_headers:
            head = struct.pack("<4sBBqIII", b"OggS", 0, 0, _FAR - _MAX_BLOCK, link.serial, index, 0)
            page = bytearray(head + bytes([1, len(_SILENCE)]) + _SILENCE)
            page[22:26] = _checksum(page)
            return bytes(page)
        index -= later
        ends = index == len(link.starts) - 1 and not link.ended
        page = bytearray(self._source.read(link.starts[index], link.sizes[index]))
        if len(page) < link.sizes[index]:
            return bytes(page).ljust(link.sizes[index], b"\0")
        move = self._positions if index >= link.n_headers and _position(page) >= 0 else None
        if move is None and not later and not ends and not (index == 0 and self._rate):
            return bytes(page)
        stated = page[22:26]
        page[22:26] = bytes(4)
        right = _checksum(page) == stated
        if move is not None:
            new = _position(page) + move if isinstance(move, int) else move[index]
            struct.pack_into("<q", page, 6, min(new, _FURTHEST))
        if later:
            number: int = struct.unpack_from("<I", page, 18)[0]
            struct.pack_into("<I", page, 18, (number + 1) & _ONES)
        if ends:  # without it, libsndfile drops what it holds of Opus
            page[5] |= _EOS
        if index == 0 and self._rate:
            first = _HEAD + page[26] + 12
            page[first : first + 4] = self._rate
        # A damaged page stays one, so that it is left out.
        page[22:26] = _checksum(page) if right else stated
        return bytes(page)


def _checksum(page: bytearray) -> bytes:
    """Return the checksum of a page whose own is zeroed: zlib's with all bits reversed, and no inversions."""
    register = zlib.crc32(page.translate(_REVERSED), _ONES) ^ _ONES
    return register.to_bytes(4, "big").translate(_REVERSED)
