"""The memory that a file takes has a bound, whatever its few bytes become; its thread ends with its call."""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
import time
import tracemalloc
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.decoding import mpeg, mpeg_frames, ogg
from fastaudio.decoding.audio_file import AudioFile
from fastaudio.decoding.sources import Source
from sound_files import decoded, noise, pages, written

if TYPE_CHECKING:
    from pathlib import Path

SOON_S = 60.0
MOST_VALUES = 2_000_000  # of a block, all channels together

PEAK = """
import itertools, resource, sys
from fastaudio.decoding.audio_file import AudioFile, DecodeError
unit = 1e6 if sys.platform == "darwin" else 1e3
peak_mb = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
with AudioFile(sys.argv[1]) as file:
    sum(map(len, file.blocks()))
before_mb, n = peak_mb(), 0
try:
    with AudioFile(sys.argv[2]) as file:
        for block in itertools.islice(file.blocks(), 8):
            n += block.size
except DecodeError as error:
    print(error, file=sys.stderr)
print(n, peak_mb() - before_mb)
"""


def growth(folder: Path, short: bytes, long: bytes) -> tuple[int, float, str]:
    """How many values a file's first blocks have, and how many MB more it takes than a short one."""
    pytest.importorskip("resource", reason="this system doesn't say how much memory was taken")
    paths = folder / "short", folder / "long"
    for path, data in zip(paths, (short, long), strict=True):
        path.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *map(str, paths)], capture_output=True, check=True, timeout=120
    )
    n, grown_mb = done.stdout.split()
    return int(n), float(grown_mb), done.stderr.decode()


def flac(rate: int, channels: int, n: int) -> bytes:
    return written(np.zeros((n, channels), np.float32), "FLAC", "PCM_16", rate)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((655_350, 8), (1000, 1)),
        ((655_350, 8), (100, 8)),
        ((96_000, 8), (96_000, 1)),
        ((100, 1), (655_350, 8)),
    ],
)
def test_a_part_of_another_rate_is_converted_in_pieces(
    first: tuple[int, int], second: tuple[int, int], tmp_path: Path
) -> None:
    small = flac(*first, 1000)
    n, grown_mb, _ = growth(tmp_path, small, small + flac(*second, 65_536))
    assert n > 1000 * first[1]
    assert grown_mb < 80


def test_the_thread_ends_though_little_becomes_much() -> None:
    pipeline = fa.Pipeline(fa.RMS(sample_rate=16_000, frame_length=512, hop_length=512) >> fa.Mean())
    small = flac(655_350, 8, 1000) + flac(100, 1, 65_536)
    with pytest.raises(fa.TimedOut):
        pipeline(small, timeout_s=0.5)
    end_s = time.monotonic() + SOON_S
    while any(one.name == "fastaudio-decode" for one in threading.enumerate()):
        assert time.monotonic() < end_s
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("first", "second"),
    [((48_000, 2), (44_100, 2)), ((96_000, 3), (100, 1)), ((100, 1), (96_000, 3)), ((8000, 3), (655_350, 3))],
)
def test_pieces_have_the_numbers_of_the_whole(first: tuple[int, int], second: tuple[int, int]) -> None:
    begin = written(noise(500 / first[0], first[1], first[0]), "FLAC", "PCM_16", first[0])
    sound = noise(70_001 / second[0] if second[0] > 1000 else 9.0, second[1], second[0])
    later = written(sound, "FLAC", "PCM_16", second[0])
    sound = decoded(later)[0]
    same = first[1] == second[1]
    lanes = list(sound.T) if same else [np.asarray(fa.Mono(channels=sound.shape[1])(sound))]
    resample = fa.Resample(input_rate=second[0], output_rate=first[0])
    whole = np.stack([np.asarray(resample(np.ascontiguousarray(lane))) for lane in lanes], axis=1)
    got = decoded(begin + later)[0][500:]
    assert np.array_equal(got, np.broadcast_to(whole, (len(whole), first[1])))


def mpeg_with_junk(n: int) -> bytes:
    """Three of the smallest frames before each byte of junk."""
    return ((bytes([0xFF, 0xF3, 0x14, 0xC0]) + bytes(20)) * 3 + b"\0") * n


def many_ogg_pages(n: int) -> bytes:
    """A link of Opus that goes on with empty pages."""
    whole = list(pages(written(noise(8.0, 1, 48_000), "OGG", "OPUS", 48_000)))
    empty = struct.pack("<4sBBq", b"OggS", 0, 0, -1) + whole[0][14:18] + bytes(9)
    return b"".join(whole[:3]) + empty * n


@pytest.mark.parametrize(
    ("parts", "many", "each"), [(mpeg.parts, mpeg_with_junk, 50), (ogg.parts, many_ogg_pages, 35)]
)
def test_a_list_of_what_a_file_has_takes_a_few_bytes_of_each(parts: Any, many: Any, each: int) -> None:
    n = 6000
    parts(Source(many(1)))  # tables that are made once
    source = Source(many(n))
    tracemalloc.start()
    try:
        found = parts(source)
        views = [part.view() for part in found]
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert sum(view.size for view in views) > 20 * n
    assert held < each * n


def test_junk_between_mpeg_frames_too_often_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mpeg_frames, "_MAX_RANGES", 1000)
    assert len(decoded(mpeg_with_junk(1000))[0])
    with pytest.raises(
        fa.DecodeError, match="expected junk between MPEG frames at most 1000 times, got more"
    ):
        decoded(mpeg_with_junk(1001))


def frame_of(av: Any, rate: int, n: int) -> Any:
    frame = av.AudioFrame.from_ndarray(np.ones((1, n), np.int16), format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    return frame


@pytest.mark.parametrize(("rate", "channels", "kept"), [(8000, 8, True), (2000, 8, True), (100, 1, False)])
def test_a_frame_of_another_rate_is_converted_in_pieces(rate: int, channels: int, kept: bool) -> None:
    av = pytest.importorskip("av", reason="needs the extra [av]")
    from fastaudio.decoding.ffmpeg import FfmpegDecoder

    decoder = FfmpegDecoder(Source(written(noise(0.1, channels, 96_000), "WAV", "PCM_16", 96_000)), av)
    decoder._sound = lambda: iter([frame_of(av, rate, 65_535)])  # type: ignore[method-assign]
    sizes = [block.size for block in decoder._decoded()]
    decoder.close()
    assert decoder.truncated is not kept
    assert max(sizes, default=0) <= MOST_VALUES
    assert abs(sum(sizes) / channels - (65_535 * 96_000 / rate if kept else 0)) < 2 * 96_000 / rate


@pytest.mark.parametrize(("channels", "rate"), [(0, 44_100), (65_535, 44_100), (1, 0), (1, 0xFFFFFFF0)])
def test_a_wav_file_without_channels_or_a_rate_is_refused_in_plain_words(channels: int, rate: int) -> None:
    wav = bytearray(written(noise(0.1), "WAV", "PCM_16"))
    wav[22:24], wav[24:28] = channels.to_bytes(2, "little"), rate.to_bytes(4, "little")
    with pytest.raises(fa.DecodeError, match=f"got {channels} channels at {rate} Hz"), AudioFile(bytes(wav)):
        pass
