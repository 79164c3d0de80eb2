"""All the sound in a file is decoded, whatever its header says; `truncated` is said of no intact file."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fastaudio.decoding import riff
from fastaudio.decoding.audio_file import AudioFile, DecodeError
from fastaudio.decoding.mpeg_frames import runs
from fastaudio.decoding.sources import Source
from helpers import ROOT
from sound_files import (
    RATE,
    decoded,
    noise,
    wav,
    wav_head,
    without_first_frame,
    written,
)

REPORTED = ROOT.parent / "shared" / "audio" / "reported"
MANIFEST = REPORTED / "manifest.csv"
ROWS = list(csv.DictReader(MANIFEST.read_text().splitlines())) if MANIFEST.is_file() else []
FOR_AV = {"browser.webm", "lossless.m4a", "old.wma", "phone.m4a"}
# Each link of Opus drops its own pre-skip.
FEWER = {"chained.opus": 312}
# FFmpeg has an Opus decoder of its own.
TOLERANCE = {".opus": 4e-4}

PCM = (noise(2.0)[:, 0] * 32_767).astype("<i2").tobytes()
WANTED = np.frombuffer(PCM, "<i2").astype(np.float32)[:, None] / 32_768
LIST = b"LIST" + struct.pack("<I", 4) + b"INFO"
ALL_ONES = 0xFFFF_FFFF


@pytest.fixture(autouse=True)
def no_word_from_decoders(capfd: pytest.CaptureFixture[str]) -> object:
    yield
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not ROWS, reason="needs ../shared/audio/reported")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_reported_files_have_the_samples_that_ffmpeg_reads(row: dict[str, str]) -> None:
    path = REPORTED / row["file"]
    if path.name in FOR_AV:
        pytest.importorskip("av", reason="needs the extra [av]")
    samples, rate, truncated = decoded(path)
    n_samples = int(row["samples_a_channel_by_ffmpeg"]) - FEWER.get(path.name, 0)
    assert (rate, truncated) == (int(row["sample_rate"]), False)
    assert samples.shape == (n_samples, int(row["channels"]))


@pytest.mark.skipif(not ROWS, reason="needs ../shared/audio/reported")
@pytest.mark.parametrize("name", [row["file"] for row in ROWS if not row["file"].startswith("chained")])
def test_reported_files_sound_as_in_ffmpeg(name: str) -> None:
    av = pytest.importorskip("av", reason="compares with FFmpeg's libraries, of the extra [av]")
    with av.open(str(REPORTED / name)) as container:
        resampler = av.AudioResampler(format="fltp")
        frames = []
        for packet in container.demux(audio=0):
            with contextlib.suppress(av.FFmpegError):  # junk between frames
                frames += [part for frame in packet.decode() for part in resampler.resample(frame)]
        wanted = np.concatenate([frame.to_ndarray().T for frame in frames])
    samples, _, _ = decoded(REPORTED / name)
    n = min(len(samples), len(wanted))  # FFmpeg's own versions differ about stale sizes
    assert n > 2000
    np.testing.assert_allclose(samples[:n], wanted[:n], rtol=0, atol=TOLERANCE.get(Path(name).suffix, 1e-4))


@pytest.mark.parametrize(
    ("riff_size", "data_size"),
    [
        (0, 0),
        (ALL_ONES, ALL_ONES),
        (ALL_ONES, ALL_ONES - 36),
        (0x7FFF_F024, 0x7FFF_F000),  # what sox writes into pipes
        (0x8000_0024, 0x8000_0000),  # arecord
        (36, 0),
        (36 + 4410, 4410),
        (4446, 4410),
        (len(PCM) + 36, 100),
        (len(PCM) + 36, ALL_ONES),
        (0, len(PCM)),
        (36 + 4411, 4411),
    ],
)
@pytest.mark.parametrize("as_path", [True, False])
def test_a_wav_whose_writer_did_not_know_its_sizes_is_read_whole(
    riff_size: int, data_size: int, as_path: bool, tmp_path: Path
) -> None:
    data = wav(PCM, riff=riff_size, size=data_size)
    path = tmp_path / "killed.wav"
    path.write_bytes(data)
    samples, _, truncated = decoded(path if as_path else data)
    assert np.array_equal(samples, WANTED)
    assert not truncated


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        LIST,
        b"id3 " + struct.pack("<I", 20) + bytes(20),
        b"zzzz" + struct.pack("<I", 3) + b"abc\0",
        b"LIST" + struct.pack("<I", 999) + b"INFO",  # says more than there is
        bytes(512),
        b"TAG" + bytes(125),
        b"ab",
    ],
)
@pytest.mark.parametrize("odd", [0, 1])
def test_what_follows_the_sound_of_a_wav_is_not_sound(tail: bytes, odd: int) -> None:
    pcm = PCM[: len(PCM) - odd]
    data = wav(pcm, tail=b"\0" * odd + tail, riff=36 + len(pcm) + odd + len(tail))
    samples, _, truncated = decoded(data)
    assert np.array_equal(samples, WANTED[: len(pcm) // 2])
    assert not truncated


def test_chunks_of_odd_size_without_padding_are_chunks() -> None:
    odd = b"LIST" + struct.pack("<I", 5) + b"INFOx"
    samples, _, truncated = decoded(wav(PCM, tail=odd + LIST))
    assert (len(samples), truncated) == (len(WANTED), False)


def test_sizes_that_are_no_unknown_ones_prove_that_sound_is_missing() -> None:
    for size in (len(PCM) + 2, 10 * len(PCM), 0x7000_0000):
        samples, _, truncated = decoded(wav(PCM, size=size))
        assert (len(samples), truncated) == (len(WANTED), True)


def test_an_empty_wav_has_no_sound() -> None:
    assert len(decoded(wav(b""))[0]) == 0
    assert len(decoded(wav(b"", tail=LIST))[0]) == 0


def test_a_format_after_the_sound_is_found() -> None:
    head, fmt, data = wav(PCM)[:12], wav(PCM)[12:36], wav(PCM)[36:]
    samples, rate, truncated = decoded(head + data + fmt)
    assert np.array_equal(samples, WANTED)
    assert (rate, truncated) == (RATE, False)
    with pytest.raises(DecodeError, match="expected a WAV file that states its format, got none"):
        decoded(head + data)


def big(path: Path, head: bytes, n_bytes: int, tail: bytes = b"") -> Path:
    """A sparse file of silence that ends in four samples."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + n_bytes)
        file.seek(len(head) + n_bytes - 8)
        file.write(struct.pack("<4h", 1, 2, 3, 4) + tail)
    return path


def rf64_head(size: int) -> bytes:
    ds64 = struct.pack("<4sIQQQI", b"ds64", 28, (size + 72) % 2**64, size, size // 2, 0)
    return b"RF64" + b"\xff" * 4 + b"WAVE" + ds64 + wav_head(ALL_ONES, 0)[12:]


N_BIG = (5 << 30) + 8


@pytest.mark.parametrize(
    ("head", "tail"),
    [
        (wav_head(N_BIG % 2**32, (N_BIG + 36) % 2**32), b""),
        (wav_head(N_BIG % 2**32, (N_BIG + 36) % 2**32), LIST),
        (wav_head(ALL_ONES, ALL_ONES), b""),
        (wav_head(0, 0), b""),
        (rf64_head(N_BIG), b""),
        (rf64_head(N_BIG), LIST),
        (rf64_head(0), b""),
        (rf64_head(2**64 - 1), b""),
    ],
    ids=["wrapped", "wrapped, LIST", "all ones", "zero", "RF64", "RF64, LIST", "RF64 of zero", "RF64 of -1"],
)
def test_sound_of_more_than_4_gib_is_all_there(head: bytes, tail: bytes, tmp_path: Path) -> None:
    path = big(tmp_path / "big.wav", head, N_BIG, tail)
    with AudioFile(path) as file:
        assert file.duration_s == N_BIG / 2 / RATE
        assert not file.truncated
    source = Source(path)
    (part,) = riff.parts(source) or []
    with soundfile.SoundFile(part.view() if part.view else path) as sound:
        sound.seek(-5, io.SEEK_END)
        assert sound.read(dtype="int16").tolist() == [0, 1, 2, 3, 4]
    source.close()


def test_aiff_au_and_caf_of_unknown_size_are_read_whole() -> None:
    samples = noise(1.0, 2)
    aiff = bytearray(written(samples, "AIFF", "PCM_16"))
    wanted = decoded(bytes(aiff))[0]
    common, sound = aiff.index(b"COMM"), aiff.index(b"SSND")
    for unknown in (0, ALL_ONES, 0x7F000008):  # the last is what SoX writes into a pipe
        aiff[4:8] = aiff[sound + 4 : sound + 8] = struct.pack(">I", unknown)
        aiff[common + 10 : common + 14] = struct.pack(">I", unknown)
        got, _, truncated = decoded(bytes(aiff))
        assert np.array_equal(got[: len(wanted)], wanted)
        assert (len(got) - len(wanted) < 8, truncated) == (True, False)
    au = bytearray(written(samples, "AU", "PCM_16"))
    au[8:12] = b"\xff" * 4
    got, _, truncated = decoded(bytes(au))
    assert np.array_equal(got, wanted)
    assert not truncated
    caf = bytearray(written(samples, "CAF", "PCM_16"))
    at = caf.index(b"data")
    caf[at + 4 : at + 12] = b"\xff" * 8
    got, _, truncated = decoded(bytes(caf))
    assert np.array_equal(got, wanted)
    assert not truncated


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100])
def test_a_variable_mp3_without_xing_is_read_to_its_end(channels: int, rate: int) -> None:
    samples = noise(3.0, channels, rate)
    with_xing = written(samples, "MP3", rate=rate, bitrate_mode="VARIABLE")
    bare = without_first_frame(with_xing)
    got, got_rate, truncated = decoded(bare)
    per_frame = 1152 if rate >= 32_000 else 576
    (run,) = list(runs(Source(bare)))
    assert len(got) == run.n_frames * per_frame >= len(samples)
    assert (got_rate, truncated) == (rate, False)
    # The Xing header states what the encoder put before the sound, so these begin later.
    whole = decoded(with_xing)[0]
    assert len(whole) == len(samples)
    shift = next(n for n in range(3000) if np.allclose(got[n : n + 9000], whole[:9000], atol=1e-3))
    middle = slice(9000, 20_000)
    np.testing.assert_allclose(got[shift:][middle], whole[middle], atol=1e-5)


ID3V2 = b"ID3\3\0\0\0\0\1\x20" + (b"COMM\0\0\0\x32\0\0\1abc\xff\xfe" + b"q" * 44).ljust(160, b"\0")
JUNK = bytes(np.random.default_rng(3).integers(0, 256, 4000, dtype=np.uint8))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"TAG" + bytes(125)),
        (ID3V2, b""),
        (ID3V2 + ID3V2, JUNK),
        (JUNK, b""),
        (b"", JUNK),
        (b"", b"APETAGEX" + struct.pack("<III", 2000, 60, 1) + bytes(12) + b"k" * 60),
        (b"", b"LYRICSBEGIN" + b"la" * 200 + b"000411LYRICS200"),
        (b"", bytes(5000)),
    ],
)
@pytest.mark.parametrize("xing", [True, False])
def test_tags_and_junk_around_an_mp3_change_no_sample_and_no_decoder_speaks_of_them(
    before: bytes, after: bytes, xing: bool, tmp_path: Path
) -> None:
    mp3 = written(noise(2.0), "MP3", bitrate_mode="VARIABLE")
    mp3 = mp3 if xing else without_first_frame(mp3)
    path = tmp_path / "a.mp3"
    path.write_bytes(before + mp3 + after)
    got, _, truncated = decoded(path)
    assert np.array_equal(got, decoded(mp3)[0])
    assert not truncated


@pytest.mark.skipif(sys.platform == "win32", reason="libsndfile and Python don't share descriptors there")
@pytest.mark.parametrize("before", [b"", ID3V2, JUNK])
def test_an_mp3_whose_count_is_right_is_read_without_calls_of_python(
    before: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mp3 = written(noise(2.0), "MP3", bitrate_mode="VARIABLE")
    path = tmp_path / "a.mp3"
    path.write_bytes(before + mp3)
    expected = decoded(mp3)[0]
    n_open = len(list(Path("/dev/fd").iterdir()))
    with monkeypatch.context() as patched:
        patched.delattr("fastaudio.decoding.sndfile.Buffered")
        assert np.array_equal(decoded(path)[0], expected)
    assert len(list(Path("/dev/fd").iterdir())) == n_open
    with monkeypatch.context() as patched:  # where no descriptor is left, it is read by that which is open
        patched.setattr("fastaudio.decoding.sndfile._at", no_descriptor)
        assert np.array_equal(decoded(path)[0], expected)


def no_descriptor(*_: object) -> object:
    raise OSError(errno.EMFILE, "Too many open files")


def test_junk_between_frames_is_left_out() -> None:
    mp3 = without_first_frame(written(noise(4.0), "MP3", bitrate_mode="VARIABLE"))
    (run,) = list(runs(Source(mp3)))
    begin = mp3[:2]
    middle = next(at for at in range(len(mp3) // 2, len(mp3)) if _begins_run(mp3, at, begin))
    got, _, truncated = decoded(mp3[:middle] + JUNK + ID3V2 + mp3[middle:])
    assert (len(got), truncated) == (run.n_frames * 576, False)


def _begins_run(mp3: bytes, at: int, begin: bytes) -> bool:
    first = list(runs(Source(mp3[at:])))
    return mp3[at : at + 2] == begin and bool(first) and next(iter(first[0].ranges))[0] == 0


def test_an_mp3_that_ends_within_a_frame_says_so() -> None:
    mp3 = written(noise(3.0), "MP3", bitrate_mode="VARIABLE")
    for data in (mp3, without_first_frame(mp3)):
        got, _, truncated = decoded(data[:-30])
        assert truncated
        assert len(got) > 2.8 * RATE


def test_an_mp3_of_one_frame_is_read_in_silence() -> None:
    mp3 = without_first_frame(written(noise(2.0), "MP3", bitrate_mode="VARIABLE"))
    (run,) = list(runs(Source(mp3)))
    second = mp3.index(mp3[:2], 4)
    got, _, truncated = decoded(mp3[:second])
    assert (len(got), truncated) == (576, False)
    assert run.n_frames > 50


def test_mp3_files_one_after_another_are_all_read() -> None:
    first, second = noise(2.0, 2, 44_100), noise(1.5, 1, 22_050, seed=2)
    one = written(first, "MP3", rate=44_100)
    two = written(second, "MP3", rate=22_050)
    got, rate, truncated = decoded(one + ID3V2 + two)
    assert (got.shape, rate, truncated) == ((len(first) + 2 * len(second), 2), 44_100, False)
    assert np.array_equal(got[: len(first)], decoded(one)[0])
    assert np.array_equal(got[len(first) :, 0], got[len(first) :, 1])
    again = decoded(one + one)[0]
    assert np.array_equal(again, np.tile(got[: len(first)], (2, 1)))


def test_flac_files_one_after_another_are_all_read() -> None:
    one, two = noise(2.0, 2), noise(1.0, 1, 8000)
    first = written(one, "FLAC", "PCM_16")
    got, rate, truncated = decoded(first + first + written(two, "FLAC", "PCM_16", 8000))
    alone = decoded(first)[0]
    assert np.array_equal(got[: 2 * len(alone)], np.tile(alone, (2, 1)))
    assert (len(got), rate, truncated) == (2 * len(one) + 2 * len(two), RATE, False)


@pytest.mark.parametrize("kind", ["FLAC", "OGG"])
def test_a_part_that_cannot_be_decoded_loses_no_other(kind: str) -> None:
    good = written(noise(1.0), kind)
    bad = bytearray(good)
    bad[50:400] = bytes(350)
    got, _, truncated = decoded(good + bytes(bad) + good)
    alone = decoded(good)[0]
    assert np.array_equal(got[: len(alone)], alone)
    assert len(got) >= 2 * len(alone)
    assert truncated


def test_a_midi_dump_with_bad_blocks_ends_before_them() -> None:
    sds = written(noise(1.0), "SDS", "PCM_16")
    wanted = decoded(sds)[0]
    bad = bytearray(sds)
    bad[21 + 127 * 50 : 21 + 127 * 50 + 2] = b"\0\0"  # libsndfile would print about it
    got, _, truncated = decoded(bytes(bad))
    assert 0 < len(got) < len(wanted)
    assert truncated
    with pytest.raises(DecodeError):
        decoded(sds[:21] + bytes(500))


def test_files_under_a_wrong_name_and_without_frames_are_refused_in_silence(tmp_path: Path) -> None:
    for name, data in (
        ("a.mp3", JUNK),
        ("b.mp3", ID3V2),
        ("c.mp3", ID3V2 + bytes(20_000)),
        ("d.mp3", b"word " * 999),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DecodeError, match="expected audio"):
            decoded(tmp_path / name)
    (tmp_path / "wav.mp3").write_bytes(wav(PCM))
    assert np.array_equal(decoded(tmp_path / "wav.mp3")[0], WANTED)
