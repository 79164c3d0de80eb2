"""What one part of a file lacks costs no other part, and is said."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from fastaudio.decoding import mpeg_frames
from fastaudio.decoding.audio_file import AudioFile, DecodeError
from sound_files import decoded, noise, pages, wav, without_first_frame, written

RATE = 48_000


def vorbis(seconds: float, seed: int = 0) -> bytes:
    return written(noise(seconds, 1, RATE, seed), "OGG", "VORBIS", RATE)


def test_a_link_that_cannot_be_opened_costs_no_other() -> None:
    bad = bytearray(vorbis(1.0))
    at = bad.index(b"\x01vorbis") + 7
    bad[at : at + 8] = b"\xff" * 8  # no such version, and too many channels
    got, rate, truncated = decoded(bytes(bad) + vorbis(2.0))
    assert (rate, truncated) == (RATE, True)
    assert abs(len(got) - 2 * RATE) < 2048


def test_a_part_of_a_rate_that_no_resampler_takes_costs_no_other() -> None:
    first, odd = noise(1.0, 1, 44_100), noise(1.0, 1, 50)
    flac = [written(samples, "FLAC", "PCM_16", rate) for samples, rate in ((first, 44_100), (odd, 50))]
    got, _, truncated = decoded(flac[0] + flac[1] + flac[0])
    assert (len(got), truncated) == (2 * len(first), True)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_pages_that_are_missing_in_the_middle_are_said(subtype: str) -> None:
    whole = list(pages(written(noise(8.0, 1, RATE), "OGG", subtype, RATE)))
    assert len(whole) > 6
    assert decoded(b"".join(whole))[2] is False
    assert decoded(b"".join(whole[:4] + whole[5:]))[2] is True
    assert decoded(b"".join(whole[3:] + whole))[2] is True  # the end of another stream, without its headers


@pytest.mark.parametrize("junk", [b"\0", b"\xff", b"\xff\xfb"])
def test_sound_behind_megabytes_of_junk_is_read(junk: bytes) -> None:
    mp3 = without_first_frame(written(noise(1.0), "MP3"))
    alone = decoded(mp3)[0]
    between = junk * (6_000_000 // len(junk))
    got, _, truncated = decoded(mp3 + between + mp3)
    assert (len(got), truncated) == (2 * len(alone), False)


def test_a_xing_header_with_a_wrong_size_is_put_right_silently(capfd: pytest.CaptureFixture[str]) -> None:
    mp3 = bytearray(written(noise(4.0), "MP3", bitrate_mode="VARIABLE"))
    whole = decoded(bytes(mp3))[0]
    at = max(mp3.find(b"Xing"), mp3.find(b"Info"))
    flags = struct.unpack_from(">I", mp3, at + 4)[0]
    assert flags & 3 == 3  # it states frames and bytes
    struct.pack_into(">I", mp3, at + 12, len(mp3) // 2)
    got, _, truncated = decoded(bytes(mp3))
    assert np.array_equal(got, whole)
    assert not truncated
    assert capfd.readouterr() == ("", "")


def test_a_count_is_found_in_frames_of_36_bytes() -> None:
    class Sound:
        name, size = "x", 6 * 36

        def read(self, position: int, n_bytes: int) -> bytes:
            return (stating.ljust(36, b"\0") + head.ljust(36, b"\0") * 5)[position : position + n_bytes]

        def raise_pending(self) -> None:
            pass

    head = b"\xff\xf3\x18\x00"
    stating = head + bytes(17) + b"Xing" + bytes([0, 0, 0, 1]) + (3).to_bytes(4, "big")
    sound: Any = Sound()
    assert [(run.n_frames, run.stated, run.stated_at) for run in mpeg_frames.runs(sound)] == [(5, 3, 29)]


def adts(av: Any, rate: int, layout: str, seconds: float) -> bytes:
    """A second of a sine as AAC, each frame with its own header."""
    file = io.BytesIO()
    channels = {"mono": 1, "stereo": 2}[layout]
    sine = 0.25 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    with av.open(file, "w", format="adts") as container:
        stream = container.add_stream("aac", rate=rate)
        stream.layout = layout
        frame = av.AudioFrame.from_ndarray(
            np.tile(sine.astype(np.float32), (channels, 1)), format="fltp", layout=layout
        )
        frame.sample_rate = rate
        fifo = av.AudioFifo()
        fifo.write(frame)
        while (part := fifo.read(1024, partial=True)) is not None:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize(("rate", "layout"), [(22_050, "mono"), (44_100, "stereo"), (22_050, "stereo")])
def test_a_stream_that_changes_its_rate_or_channels_is_converted(rate: int, layout: str) -> None:
    av = pytest.importorskip("av", reason="needs the extra [av]")
    with AudioFile(adts(av, 44_100, "mono", 1.0) + adts(av, rate, layout, 1.0)) as file:
        sound = np.concatenate([block.copy() for block in file.blocks()])
    assert abs(len(sound) - 2 * 44_100) < 8192
    later = sound[44_100 + 8192 : 44_100 + 8192 + 16_384, 0] * np.hanning(16_384)
    peak_hz = np.abs(np.fft.rfft(later)).argmax() * 44_100 / 16_384
    assert abs(peak_hz - 440) < 5


@pytest.mark.parametrize("stated", [0, 0xFFFFFFFF, 100])
def test_an_au_file_is_read_to_its_end(stated: int) -> None:
    au = bytearray(written(noise(1.0), "AU", "PCM_16"))
    whole = decoded(bytes(au))[0]
    struct.pack_into(">I", au, 8, stated)
    got, _, truncated = decoded(bytes(au))
    assert np.array_equal(got, whole)
    assert not truncated


def test_an_au_file_that_states_more_is_cut_short() -> None:
    au = written(noise(1.0), "AU", "PCM_16")
    assert decoded(au[:-1000])[2] is True


def test_a_tag_behind_flac_is_no_damage() -> None:
    flac = written(noise(1.0), "FLAC", "PCM_16")
    got, _, truncated = decoded(flac + b"TAG" + b" " * 125)
    assert (len(got), truncated) == (len(decoded(flac)[0]), False)


def test_silence_without_a_size_is_sound_and_zeros_behind_a_size_are_not() -> None:
    silence = bytes(2 * RATE)
    assert len(decoded(wav(silence, size=0, riff=0))[0]) == RATE
    sound = np.arange(1, 5001, dtype=np.int16).tobytes()
    got, _, truncated = decoded(wav(sound + bytes(100_000), size=len(sound)))
    assert (len(got), truncated) == (5000, False)


@pytest.mark.parametrize("size", [0xFFFFFFFE, 0xFFFFFF00])
def test_sizes_next_to_all_ones_are_unknown(size: int) -> None:
    sound = np.arange(1, 5001, dtype=np.int16).tobytes()
    got, _, truncated = decoded(wav(sound, size=size, riff=size))
    assert (len(got), truncated) == (5000, False)


def test_raw_sound_that_begins_like_mpeg_is_refused_silently(capfd: pytest.CaptureFixture[str]) -> None:
    quiet = np.random.default_rng(0).integers(-3, 3, 40_000).astype("<i2")
    quiet[:2] = -2, -1
    with pytest.raises(DecodeError):
        decoded(quiet.tobytes())
    assert capfd.readouterr() == ("", "")


def test_a_pipe_that_does_not_wait_is_read_to_its_end() -> None:
    flac = io.BytesIO(written(noise(1.0), "FLAC", "PCM_16"))
    whole = decoded(flac.getvalue())[0]

    class Slow:
        """Gives nothing yet at every other call."""

        ready = False

        def read(self, n_bytes: int) -> bytes | None:
            self.ready = not self.ready
            return flac.read(min(n_bytes, 5000)) if self.ready else None

    assert np.array_equal(decoded(Slow())[0], whole)  # type: ignore[arg-type]


def test_the_length_of_another_stream_is_no_proof() -> None:
    av = pytest.importorskip("av", reason="needs the extra [av]")
    file = io.BytesIO()
    with av.open(file, "w", format="mov") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.ones((1, RATE), np.int16), format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    got, _, truncated = decoded(file.getvalue())
    assert (len(got), truncated) == (RATE, False)
