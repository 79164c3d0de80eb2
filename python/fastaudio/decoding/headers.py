"""Lesser formats that libsndfile takes at their word: AIFF, FLAC after FLAC, and MIDI sample dumps."""

from __future__ import annotations

import struct
from functools import partial
from typing import TYPE_CHECKING

from fastaudio.decoding.sndfile import Part
from fastaudio.decoding.sources import DecodeError
from fastaudio.decoding.views import Pieces

if TYPE_CHECKING:
    from fastaudio.decoding.sources import Source

_WRAP = 1 << 32
_UNKNOWN = (0, 8, _WRAP - 1, (1 << 31) - 1, 0x7F00_0008)  # sizes in place of unknown ones; the last is SoX's
_MAX_CHUNKS = 10_000
_STEP = 1 << 20
_AU = (b".snd", b"dns.")
_STREAMINFO = b"fLaC\x00\x00\x00\x22"
_ID3V1 = 128
_SDS_HEADER, _SDS_BLOCK = 21, 127


def knows(head: bytes) -> bool:
    """Tell whether a file is of one of these formats by its first bytes."""
    return head.startswith((b"FORM", b"fLaC", b"\xf0\x7e", *_AU))


def parts(source: Source) -> list[Part] | None:
    """Return what to decode, or None to leave it to libsndfile as it is."""
    head = source.read(0, 12)
    if head.startswith(b"FORM"):
        return _aiff(source) if head[8:] in (b"AIFF", b"AIFC") else None
    if head.startswith(_AU):
        return _au(source)
    return _flac(source) if head.startswith(b"fLaC") else _sds(source)


def _aiff(source: Source) -> list[Part] | None:
    """Put in the sizes of an AIFF file whose writer didn't know them."""
    position, common, sound = 12, 0, 0
    for _ in range(_MAX_CHUNKS):
        head = source.read(position, 8)
        if len(head) < 8 or sound:  # noqa: PLR2004
            break
        name, size = struct.unpack(">4sI", head)
        common = position if name == b"COMM" else common
        sound = position if name == b"SSND" else sound
        stated = size
        position += 8 + size + size % 2
    source.raise_pending()
    if not (common and sound):
        return None
    first = sound + 16
    if stated not in _UNKNOWN or source.size - first <= 0:
        return None
    channels, _, bits = struct.unpack(">HIH", source.read(common + 8, 8))
    frame = max(1, channels * ((bits + 7) // 8))
    length = (source.size - first) // frame * frame
    if length >= _WRAP - first:
        return None
    whole = struct.pack(">I", first + length - 8)
    n_samples = struct.pack(">I", length // frame)
    size = struct.pack(">I", length + 8)
    pieces: list[bytes | tuple[int, int]] = [
        b"FORM",
        whole,
        (8, common + 10),
        n_samples,
        (common + 14, sound + 4),
    ]
    pieces += [size, (sound + 8, first + length)]
    return [Part(partial(Pieces, source, pieces), None, truncated=False)]


def _au(source: Source) -> list[Part] | None:
    """Put in the size of an AU file that states none, or a wrong one: nothing follows its sound."""
    head = source.read(0, 12)
    source.raise_pending()
    order = ">" if head.startswith(_AU[0]) else "<"
    if len(head) < 12:  # noqa: PLR2004
        return None
    first, stated = struct.unpack(order + "II", head[4:])
    rest = source.size - first
    if rest <= 0 or stated == rest or rest >= _WRAP:
        return None
    pieces: list[bytes | tuple[int, int]] = [(0, 8), struct.pack(order + "I", rest), (12, source.size)]
    return [Part(partial(Pieces, source, pieces), None, truncated=rest < stated < _WRAP - 1)]


def _flac(source: Source) -> list[Part] | None:
    """Return each of several FLAC files in one."""
    starts = [0]
    position = len(_STREAMINFO)
    while position < source.size:
        data = source.read(position, _STEP + len(_STREAMINFO) - 1)
        found = data.find(_STREAMINFO)
        while found >= 0:
            starts.append(position + found)
            found = data.find(_STREAMINFO, found + 1)
        position += _STEP
        if len(starts) > _MAX_CHUNKS:
            raise DecodeError(source.name, f"expected at most {_MAX_CHUNKS} FLAC files in one, got more")
    source.raise_pending()
    end = source.size - _ID3V1 if source.read(source.size - _ID3V1, 3) == b"TAG" else source.size
    source.raise_pending()
    if len(starts) == 1 and end == source.size:
        return None
    ends = [*starts[1:], end]
    return [Part(partial(Pieces, source, [(first, last)])) for first, last in zip(starts, ends, strict=True)]


def _sds(source: Source) -> list[Part]:
    """Return the blocks of a MIDI sample dump up to the first bad one, about which libsndfile would print."""
    n_blocks = (source.size - _SDS_HEADER) // _SDS_BLOCK
    good = 0
    while good < n_blocks:
        data = source.read(_SDS_HEADER + good * _SDS_BLOCK, _SDS_BLOCK * 8192)
        bad = next((at for at in range(0, len(data), _SDS_BLOCK) if data[at : at + 2] != b"\xf0\x7e"), None)
        good += (len(data) if bad is None else bad) // _SDS_BLOCK
        if bad is not None or len(data) < _SDS_BLOCK:  # fewer than there were: the file has shrunk
            break
    source.raise_pending()
    good = min(good, n_blocks)
    if good == 0:
        raise DecodeError(source.name, "expected a MIDI sample dump with blocks of sound, got none")
    head = source.read(0, _SDS_HEADER)
    stated = head[10] | head[11] << 7 | head[12] << 14
    bytes_per_sample = 2 + (head[6] > 14) + (head[6] > 21)  # noqa: PLR2004  # of 7 bits each
    there = good * (120 // bytes_per_sample)
    n_samples = min(stated, there)
    length = bytes([n_samples & 0x7F, n_samples >> 7 & 0x7F, n_samples >> 14 & 0x7F])
    last = _SDS_HEADER + good * _SDS_BLOCK
    return [Part(partial(Pieces, source, [(0, 10), length, (13, last)]), None, there < stated)]
