"""The frames of MPEG audio, layers I to III, found one by one; the junk between them is left out."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from fastaudio.decoding.sources import DecodeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastaudio.decoding.sources import Source

_CHUNK = 1 << 20
_AHEAD = 1 << 15  # bytes of the buffer that hold any few frames
_JUNK = 1 << 18  # bytes before the first frame, after all tags
_MAX_RANGES = 500_000  # of frames with junk in between, of which each takes memory
_IN_A_ROW = 3  # frames that make a beginning
_SYNC = 0xFF
_RATES = (44_100, 48_000, 32_000)
# kbit/s by MPEG 1 or 2, and layer I, II, III.
_KBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_XING = (b"Xing", b"Info")  # of frames that state how many there are, as is the next
_XING_LETTERS = frozenset(b"XI")
_VBRI = b"VBRI"
_VBRI_AT = 36  # from the frame's first byte on
_MAY_BE_HEAD = re.compile(rb"\xff[\xe2-\xe7\xf2-\xff][\x10-\xef]")

Kind: TypeAlias = "tuple[int, int, bool]"
"""What the headers of one stream share: bits of the second byte and of the third, and whether it is mono."""


@cache
def _frame_sizes() -> list[int]:
    """Return bytes in a frame by its header's second and third byte; 0 for what is no header."""
    sizes = [0] * 65_536
    for second in range(0xE0, 0x100):
        version, layer = (second >> 3) & 3, 4 - ((second >> 1) & 3)
        if version == 1 or layer == 4:  # noqa: PLR2004
            continue
        for third in range(256):
            kbit, rate, padding = third >> 4, (third >> 2) & 3, (third >> 1) & 1
            if kbit in (0, 15) or rate == 3:  # noqa: PLR2004  # free format: of no stated size
                continue
            hz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
            bits = 1000 * _KBITS[1 if version == 3 else 2, layer][kbit - 1]  # noqa: PLR2004
            if layer == 1:
                size = (12 * bits // hz + padding) * 4
            else:
                size = (72 if layer == 3 and version != 3 else 144) * bits // hz + padding  # noqa: PLR2004
            sizes[second << 8 | third] = size
    return sizes


class Ranges:
    """From which position to which, the last left out, for many of them."""

    def __init__(self) -> None:
        self._firsts, self._lasts = array("q"), array("q")

    def append(self, first: int, last: int) -> None:
        """Add one."""
        self._firsts.append(first)
        self._lasts.append(last)

    def __len__(self) -> int:
        return len(self._firsts)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._firsts, self._lasts, strict=True)


@dataclass
class Run:
    """Frames of one kind that follow one another, but for junk in between.

    Attributes:
        kind: what their headers have in common.
        n_frames: how many have sound.
        stated: how many a Xing or VBRI header states, or None if there is none.
        stated_at: where it does, from the first frame on, or None if the count isn't to be changed.
        ranges: where they lie.
        cut: whether the last one isn't whole.
    """

    kind: Kind
    n_frames: int = 0
    stated: int | None = None
    stated_at: int | None = None
    ranges: Ranges = field(default_factory=Ranges)
    cut: bool = False

    def add(self, first: int, last: int) -> None:
        """Add a range, if it isn't empty."""
        if last > first:
            self.ranges.append(first, last)

    @property
    def samples_per_frame(self) -> int:
        """Samples per channel in a frame."""
        layer = 4 - ((self.kind[0] >> 1) & 3)
        lower = (self.kind[0] >> 3) & 3 != 3  # noqa: PLR2004
        return {1: 384, 2: 1152, 3: 576 if lower else 1152}[layer]


def runs(source: Source) -> Iterator[Run]:
    """Yield the runs of frames in a file, in its order; a frame that states a count begins another.

    Raises:
        DecodeError: there is junk between them too often.
    """
    window = _Window(source)
    run: Run | None = None
    position = n_ranges = 0
    while (begins := _beginning(source, window, position, run)) is not None:
        position = begins
        n_ranges += 1
        if n_ranges > _MAX_RANGES:
            raise DecodeError(
                source.name, f"expected junk between MPEG frames at most {_MAX_RANGES} times, got more"
            )
        p = window.at(position)
        kind = _kind(window.data, p)
        if run is None or kind != run.kind:
            if run is not None:
                yield run
            run = Run(kind)
        run.cut = False
        first = position
        while True:
            p, n_frames, tag = _follow(window, position, run.kind)
            run.n_frames += n_frames
            position = window.first + p
            if tag is None:
                break
            count = _stated(window.data, p, tag)
            position += (size := _frame_sizes()[window.data[p + 1] << 8 | window.data[p + 2]])
            if run.n_frames or run.stated is not None:
                run.add(first, position - size)
                yield run
                run, first = Run(run.kind), position - size
            run.stated, run.stated_at = count
        run.add(first, position)
        run.cut = _is_cut(window.data, p, run.kind)
    if run is not None:
        yield run


def _follow(window: _Window, position: int, kind: Kind) -> tuple[int, int, int | None]:
    """Return where frames of a kind end from a position on, their number, and where the next has a tag."""
    sizes = _frame_sizes()
    second, third, mono = kind
    xing_at = _xing_at(kind)
    n_frames = 0
    while True:
        p = window.at(position)
        data = window.data
        limit = len(data) - (4 if window.ends else _AHEAD)
        while p <= limit:
            if data[p] != _SYNC or data[p + 1] & 0xFE != second or data[p + 2] & 0x0C != third:
                return p, n_frames, None
            size = sizes[data[p + 1] << 8 | data[p + 2]]
            if size == 0 or p + size > len(data) or (data[p + 3] >> 6 == 3) is not mono:  # noqa: PLR2004
                return p, n_frames, None
            if size > xing_at and data[p + xing_at] in _XING_LETTERS and data.startswith(_XING, p + xing_at):
                return p, n_frames, p + xing_at
            if size > _VBRI_AT and data[p + _VBRI_AT] == _VBRI[0] and data.startswith(_VBRI, p + _VBRI_AT):
                return p, n_frames, p + _VBRI_AT
            n_frames += 1
            p += size
        position = window.first + p
        if window.ends:
            return p, n_frames, None


class _Window:
    """The part of a source around a position that only grows."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.data = b""
        self.first = 0
        self.ends = False

    def at(self, position: int) -> int:
        """Return where a position is in `data`, which has the bytes after it as far as there are any."""
        if not self.first <= position <= self.first + len(self.data) - _AHEAD and not self.ends:
            self.first = position
            self.data = self._source.read(position, _CHUNK)
            self._source.raise_pending()
            self.ends = len(self.data) < _CHUNK or position + _CHUNK >= self._source.size
        return position - self.first


def _kind(data: bytes, p: int) -> Kind:
    return data[p + 1] & 0xFE, data[p + 2] & 0x0C, data[p + 3] >> 6 == 3  # noqa: PLR2004


def _is_cut(data: bytes, p: int, kind: Kind) -> bool:
    """Tell whether a frame begins here that isn't whole."""
    if p + 4 > len(data) or data[p] != _SYNC or _kind(data, p) != kind:
        return False
    return p + _frame_sizes()[data[p + 1] << 8 | data[p + 2]] > len(data)


def _beginning(source: Source, window: _Window, position: int, run: Run | None) -> int | None:
    """Return where the next few frames in a row begin, from a position on; None if nowhere."""
    start = position
    while position + 4 <= source.size:
        p = window.at(position)
        data = window.data
        if p >= len(data):  # the file has shrunk
            return None
        if data[p : p + 3] == b"ID3" and (size := id3_size(data[p : p + 10])):
            position += size
            start = position
            continue
        if run is None and position - start > _JUNK:
            return None
        if _in_a_row(data, p, window.ends):
            return position
        limit = len(data) if window.ends else len(data) - _AHEAD + 1
        head = _MAY_BE_HEAD.search(data, p + 1, limit + 2)
        found = head.start() if head else -1
        tag = data.find(b"ID3", p + 1, limit if found < 0 else found)
        skip = tag if tag >= 0 else found if found >= 0 else max(limit, p + 1)
        position += skip - p
    return None


def _in_a_row(data: bytes, p: int, ends: bool) -> bool:
    """Tell whether some frames of one kind follow one another, or fewer that end just where the data end."""
    sizes = _frame_sizes()
    kind = None
    for n in range(_IN_A_ROW):
        if p + 4 > len(data):
            return ends and n > 0 and p == len(data)
        if data[p] != _SYNC or (size := sizes[data[p + 1] << 8 | data[p + 2]]) == 0:
            return False
        own = _kind(data, p)
        if kind not in (None, own):
            return False
        kind = own
        p += size
    return True


def id3_size(head: bytes) -> int:
    """Return the bytes of a whole ID3v2 tag, 0 if it is none."""
    if len(head) < 10 or head[3] == _SYNC or any(byte > 0x7F for byte in head[6:]):  # noqa: PLR2004
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _xing_at(kind: Kind) -> int:
    """Return where in a frame a Xing header would be: after its head and what layer III says of channels."""
    second, _, mono = kind
    lower = (second >> 3) & 3 != 3  # noqa: PLR2004
    return 4 + ((9 if mono else 17) if lower else (17 if mono else 32))


def _stated(data: bytes, p: int, tag: int) -> tuple[int | None, int | None]:
    """Return how many frames the tag of a frame states, and where in the frame, if that is to be changed."""
    if data[tag : tag + 4] == _VBRI:
        return int.from_bytes(data[tag + 14 : tag + 18], "big"), None
    if not data[tag + 7] & 1:
        return None, None
    return int.from_bytes(data[tag + 8 : tag + 12], "big"), tag + 8 - p
