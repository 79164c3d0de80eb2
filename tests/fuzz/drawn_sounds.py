"""Draws sound files with odd headers: sizes, channels, rates and formats that don't fit what follows."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random


def generated(rng: random.Random) -> bytes:
    """Return a file with a drawn header and some noise behind it."""
    return rng.choice([wav, wav, aiff, au, caf, w64, flac, ogg])(rng)


def _size(rng: random.Random, right: int, bits: int = 32) -> int:
    odd = [0, 1, right - 1, right + 1, right * 2, (1 << bits - 1) - 1, 1 << bits - 1, (1 << bits) - 1]
    return right if rng.random() < 0.7 else rng.choice(odd) % (1 << bits)


def _format(rng: random.Random) -> tuple[int, int, int]:
    """Return channels, rate and bits per sample."""
    channels = rng.choice([1, 1, 2, 2, 3, 8, 64, 1024, 0, 65_535])
    rate = rng.choice([8000, 16_000, 44_100, 48_000, 768_000, 1, 0, (1 << 32) - 1, 1 << 31, 99, 768_001])
    return channels, rate, rng.choice([8, 16, 16, 24, 32, 64, 0, 1, 7, 12, 255])


def _noise(rng: random.Random) -> bytes:
    n = rng.choice([0, 1, 100, 2000, 6000])
    special = struct.pack("<4f", float("nan"), float("inf"), -1e38, 1e-45)
    return special * (n // 16) if rng.random() < 0.1 else rng.randbytes(n)


def _chunk(name: bytes, data: bytes, rng: random.Random, order: str = "<", bits: int = 32) -> bytes:
    size = _size(rng, len(data), bits)
    return name + struct.pack(order + ("I" if bits == 32 else "Q"), size) + data + b"\0" * (len(data) % 2)


def _extra(rng: random.Random, order: str) -> list[bytes]:
    names = [
        b"LIST",
        b"fact",
        b"bext",
        b"smpl",
        b"cue ",
        b"id3 ",
        b"\0\0\0\0",
        b"COMT",
        b"MARK",
        b"INST",
        b"PEAK",
    ]
    return [
        _chunk(rng.choice(names), rng.randbytes(rng.choice([0, 4, 24, 602])), rng, order)
        for _ in range(rng.choice([0, 0, 1, 2]))
    ]


def wav(rng: random.Random) -> bytes:
    """RIFF and RF64."""
    channels, rate, bits = _format(rng)
    code = rng.choice([1, 1, 3, 6, 7, 2, 17, 0x31, 0x55, 0x161, 0xFFFE, 0, 0xFFFF])
    align = channels * bits // 8 if rng.random() < 0.8 else rng.choice([0, 1, 65_535])
    fmt = struct.pack("<HHIIHH", code, channels, rate, (rate * align) % (1 << 32), align % 65_536, bits)
    if code in (2, 17, 0xFFFE):
        fmt += struct.pack("<HHI", 22, bits, rng.getrandbits(18)) + struct.pack(
            "<H", rng.choice([1, 3, 7, 0])
        )
        fmt += bytes.fromhex("000000001000800000aa00389b71")
    long = rng.random() < 0.2
    data = _chunk(b"data", _noise(rng), rng) if not long else b"data\xff\xff\xff\xff" + _noise(rng)
    parts = [_chunk(b"fmt ", fmt, rng), *_extra(rng, "<"), data]
    if long:
        sizes = struct.pack("<QQQI", *(_size(rng, len(data), 64) for _ in range(3)), 0)
        parts.insert(0, _chunk(b"ds64", sizes, rng))
    if rng.random() < 0.1:
        rng.shuffle(parts)
    body = b"WAVE" + b"".join(parts)
    return (b"RF64" if long else b"RIFF") + struct.pack("<I", _size(rng, len(body))) + body


def aiff(rng: random.Random) -> bytes:
    """AIFF and AIFC."""
    channels, rate, bits = _format(rng)
    data = _noise(rng)
    exponent = rate.bit_length() - 1 if rate else 0
    number = struct.pack(">HQ", 16_383 + exponent, (rate << 63 - exponent) % (1 << 64))
    number = number if rng.random() < 0.8 else rng.randbytes(10)
    frames = _size(rng, len(data) // max(1, channels * bits // 8))
    common = struct.pack(">HIH", channels, frames, bits) + number
    kind = rng.choice([b"AIFF", b"AIFC"])
    if kind == b"AIFC":
        common += rng.choice([b"NONE", b"sowt", b"fl32", b"fl64", b"ulaw", b"ima4", b"GSM "]) + b"\0\0"
    sound = struct.pack(">II", rng.choice([0, 0, 8, (1 << 32) - 1]), 0) + data
    parts = [_chunk(b"COMM", common, rng, ">"), *_extra(rng, ">"), _chunk(b"SSND", sound, rng, ">")]
    body = kind + b"".join(parts)
    return b"FORM" + struct.pack(">I", _size(rng, len(body))) + body


def au(rng: random.Random) -> bytes:
    """Sun's AU, either byte order."""
    channels, rate, _ = _format(rng)
    data = _noise(rng)
    order, magic = rng.choice([(">", b".snd"), ("<", b"dns.")])
    header = [_size(rng, 24), _size(rng, len(data)), rng.randrange(30), rate, channels]
    return magic + struct.pack(f"{order}5I", *header) + data


def caf(rng: random.Random) -> bytes:
    """Apple's CAF."""
    channels, rate, bits = _format(rng)
    rate = rng.choice([float(rate), float("nan"), float("inf"), -1.0, 1e-300])
    code = rng.choice([b"lpcm", b"lpcm", b"alaw", b"ulaw", b"alac", b"ima4"])
    describe = (
        struct.pack(">d", rate)
        + code
        + struct.pack(">5I", rng.randrange(4), _size(rng, channels * bits // 8), 1, channels, bits)
    )
    parts = [
        _chunk(b"desc", describe, rng, ">", 64),
        _chunk(b"data", b"\0\0\0\0" + _noise(rng), rng, ">", 64),
    ]
    return b"caff\0\1\0\0" + b"".join(parts)


def w64(rng: random.Random) -> bytes:
    """Sony's W64."""
    tail = bytes.fromhex("f3acd3118cd100c04f8edb8a")
    channels, rate, bits = _format(rng)
    align = channels * bits // 8
    fmt = struct.pack("<HHIIHH", 1, channels, rate, (rate * align) % (1 << 32), align % 65_536, bits)
    data = _noise(rng)
    parts = b"".join(
        name + tail + struct.pack("<Q", _size(rng, len(part) + 24, 64)) + part + b"\0" * (-len(part) % 8)
        for name, part in ((b"fmt ", fmt), (b"data", data))
    )
    riff = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
    return riff + struct.pack("<Q", _size(rng, len(parts) + 40, 64)) + b"wave" + tail + parts


def flac(rng: random.Random) -> bytes:
    """FLAC's first block with drawn numbers, and noise that holds a frame's mark."""
    low, high = rng.choice([(4096, 4096), (16, 65_535), (0, 0), (65_535, 16)])
    bits = rng.randrange(4, 33) - 1
    packed = rng.choice([44_100, 655_350, 0, (1 << 20) - 1]) << 44 | rng.randrange(8) << 41 | bits << 36
    packed |= rng.choice([0, 1000, (1 << 36) - 1])
    info = struct.pack(">HH", low, high) + bytes(6) + struct.pack(">Q", packed % (1 << 64)) + bytes(16)
    last = rng.choice([0x80, 0x80, 0])
    return (
        b"fLaC" + bytes([last]) + struct.pack(">I", _size(rng, 34, 24))[1:] + info + b"\xff\xf8" + _noise(rng)
    )


def ogg(rng: random.Random) -> bytes:
    """Pages of Ogg with their check sums, around drawn packets."""
    serials = [rng.getrandbits(32) for _ in range(rng.choice([1, 1, 2]))]
    heads = [b"\x01vorbis", b"OpusHead", b"\x7fFLAC\x01\0\0\x01fLaC", b"Speex   ", b"\x80theora"]
    pages = []
    for i in range(rng.randint(1, 6)):
        data = (rng.choice(heads) if i < 2 else b"") + rng.randbytes(rng.choice([0, 11, 22, 300, 2000]))
        laces = [255] * (len(data) // 255) + [len(data) % 255]
        flags = 2 if i == 0 else rng.choice([0, 0, 1, 4, 7])
        granule = rng.choice([0, i * 960, (1 << 64) - 1, (1 << 63) - 1])
        header = struct.pack("<BBQII", 0, flags, granule, rng.choice(serials), i)
        rest = bytes([len(laces)]) + bytes(laces) + data
        page = b"OggS" + header + b"\0\0\0\0" + rest
        pages.append(b"OggS" + header + struct.pack("<I", _ogg_sum(page)) + rest)
    return b"".join(pages)


_TABLE = []
for _byte in range(256):
    _sum = _byte << 24
    for _ in range(8):
        _sum = (_sum << 1 ^ (0x04C11DB7 if _sum & 0x80000000 else 0)) & 0xFFFFFFFF
    _TABLE.append(_sum)


def _ogg_sum(page: bytes) -> int:
    total = 0
    for byte in page:
        total = (total << 8 & 0xFFFFFFFF) ^ _TABLE[total >> 24 ^ byte]
    return total
