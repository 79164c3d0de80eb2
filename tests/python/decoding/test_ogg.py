"""All the sound of an Ogg file is read: each of its links, from its first page to its last."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fastaudio.decoding import ogg
from fastaudio.decoding.sources import Source
from sound_files import (
    RATE,
    cut_out,
    decoded,
    noise,
    pages,
    written,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


ALL_ONES = 0xFFFF_FFFF


@pytest.fixture(autouse=True)
def no_word_from_decoders(capfd: pytest.CaptureFixture[str]) -> object:
    yield
    assert capfd.readouterr() == ("", "")


def opus(seconds: float, channels: int = 1, seed: int = 0, rate: int = 48_000) -> bytes:
    return written(noise(seconds, channels, rate, seed), "OGG", "OPUS", rate)


def vorbis(seconds: float, channels: int = 1, seed: int = 0, rate: int = RATE) -> bytes:
    return written(noise(seconds, channels, rate, seed), "OGG", "VORBIS", rate)


@pytest.mark.parametrize("make", [opus, vorbis])
def test_links_of_a_chained_ogg_are_all_read(make: object) -> None:
    links = [make(seconds, 2, seed) for seed, seconds in enumerate((2.0, 3.5, 2.5))]  # type: ignore[operator]
    got, _, truncated = decoded(b"".join(links))
    assert not truncated
    done = 0
    for index, link in enumerate(links):
        alone = decoded(link)[0]
        more = _half_a_block(got, done, alone) if index and make is vorbis else 0
        np.testing.assert_allclose(got[done + more :][: len(alone)], alone, rtol=0, atol=1e-6)
        done += more + len(alone)
    assert done == len(got)


def _half_a_block(got: NDArray[np.float32], done: int, link: NDArray[np.float32]) -> int:
    """How many samples a later link of Vorbis begins before its first, as FFmpeg's decoder has it."""
    return next(n for n in range(0, 4097, 64) if np.allclose(got[done + n :][:500], link[:500], atol=1e-6))


@pytest.mark.parametrize("make", [opus, vorbis])
@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (16_000, 2), (24_000, 1)])
def test_later_links_of_other_rates_and_channels_are_converted(
    make: object, rate: int, channels: int
) -> None:
    t = np.arange(3 * rate) / rate
    tone = np.tile(0.3 * np.sin(2 * np.pi * 440 * t)[:, None], (1, channels)).astype(np.float32)
    subtype = "OPUS" if make is opus else "VORBIS"
    later = written(tone, "OGG", subtype, rate)
    first = make(1.0, 2, 0, 48_000)  # type: ignore[operator]
    got, got_rate, truncated = decoded(first + later)
    assert (got_rate, got.shape[1], truncated) == (48_000, 2, False)
    assert abs(len(got) - 4 * 48_000) < 2000
    sound = got[-100_000:-5000, 0].astype(np.float64)
    angle = 2 * np.pi * 440 / 48_000 * np.arange(len(sound))
    a, b = sound @ np.cos(angle), sound @ np.sin(angle)
    assert 2 * np.hypot(a, b) / len(sound) == pytest.approx(0.3, rel=0.03)
    assert np.array_equal(got[-100_000:-5000, 0], got[-100_000:-5000, 1])


@pytest.mark.parametrize(("make", "n_headers"), [(opus, 2), (vorbis, 2)])
@pytest.mark.parametrize("n_dropped", [1, 2])
def test_ogg_cut_out_of_a_stream_begins_with_its_first_page(
    make: object, n_headers: int, n_dropped: int
) -> None:
    whole = make(12.0, 2)  # type: ignore[operator]
    cut = cut_out(whole, n_headers, n_dropped)
    assert len(list(pages(whole))) > n_headers + n_dropped + 1
    got, _, truncated = decoded(cut)
    wanted = decoded(whole)[0]
    assert not truncated
    n = len(got) // 2
    np.testing.assert_allclose(got[-n:], wanted[-n:], rtol=0, atol=2e-2 if make is opus else 1e-6)
    first = list(pages(whole))[n_headers : n_headers + n_dropped]
    dropped = struct.unpack_from("<q", first[-1], 6)[0]
    assert abs(len(got) - (len(wanted) - dropped)) <= 2048


def test_opus_cut_out_of_a_stream_drops_its_pre_skip() -> None:
    cut = cut_out(opus(6.0), 2, 1)
    n_packets = sum(page[27 : 27 + page[26]].count(255) < page[26] for page in pages(cut)) > 0
    assert n_packets
    header = next(pages(cut))
    skip = struct.unpack_from("<H", header, header.index(b"OpusHead") + 10)[0]
    source = Source(cut)
    (link,) = ogg._links(source)
    total = sum(
        ogg._opus_samples(source.read(*at)) for at in list(zip(link.starts, link.sizes, strict=True))[2:]
    )
    got = decoded(cut)[0]
    assert total - 960 * 2 - skip <= len(got) <= total - skip


def test_ogg_without_its_end_says_so_and_the_last_page_may_prove_that_it_is_one() -> None:
    whole = vorbis(8.0)
    assert decoded(whole[:-200])[2]
    assert decoded(b"".join(list(pages(whole))[:-1]))[2]
    got = bytearray(opus(3.01))
    last = list(pages(bytes(got)))[-1]
    at = len(got) - len(last)
    got[at + 5] &= ~4  # an encoder that writes no end, but states that part of the last packet isn't sound
    mended = ogg_checksum(bytes(got[at:]))
    samples, _, truncated = decoded(bytes(got[:at]) + mended)
    assert (len(samples), truncated) == (round(3.01 * 48_000), False)


def ogg_checksum(page: bytes) -> bytes:
    """The page with its right checksum, computed bit by bit."""
    data = bytearray(page)
    data[22:26] = bytes(4)
    register = 0
    for byte in data:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ (0x04C1_1DB7 if register >> 31 else 0)) & ALL_ONES
    data[22:26] = struct.pack("<I", register)
    return bytes(data)


def test_the_sound_of_a_multiplexed_ogg_is_found() -> None:
    sound = vorbis(3.0)
    head, *rest = pages(sound)
    other = bytearray(head)
    other[14:18] = b"\1\2\3\4"
    body = other.index(b"\x01vorbis")
    other[body : body + 7] = b"\x80theora"
    first = ogg_checksum(bytes(other))
    other[5] = 0
    later = ogg_checksum(bytes(other))
    got, _, truncated = decoded(first + head + b"".join(later + page for page in rest))
    assert np.array_equal(got, decoded(sound)[0])
    assert not truncated
