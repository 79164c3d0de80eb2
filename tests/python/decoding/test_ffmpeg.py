"""What libsndfile refuses is decoded with FFmpeg's libraries where the extra [av] is installed."""

from __future__ import annotations

import io
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.decoding import folders
from fastaudio.decoding.audio_file import AudioFile, DecodeError
from sound_files import decoded, noise, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RATE = 48_000


@pytest.fixture(autouse=True)
def no_word_from_decoders(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def av() -> Any:
    return pytest.importorskip("av", reason="needs the extra [av]")


def made(av: Any, kind: str, codec: str, samples: np.ndarray | None, *, video: bool = False) -> bytes:
    """A file of sound, of a picture, or of both."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        pictures = container.add_stream("mpeg4", rate=5) if video else None
        sound = None
        if samples is not None:
            sound = container.add_stream(codec, rate=RATE)
            sound.layout = "mono" if samples.shape[1] == 1 else "stereo"
            sound.bit_rate = 128_000
            sound.format = {"wavpack": "s16p", "tta": "s16"}.get(codec, sound.format)
        if pictures is not None:
            pictures.width = pictures.height = 32
            pictures.pix_fmt = "yuv420p"
            for index in range(5):
                picture = av.VideoFrame(32, 32, "yuv420p")
                picture.pts, picture.time_base = index, Fraction(1, 5)
                container.mux(pictures.encode(picture))
            container.mux(pictures.encode(None))
        if sound is not None and samples is not None:
            planar = np.ascontiguousarray(samples.T.astype(np.float32))
            frame = av.AudioFrame.from_ndarray(planar, format="fltp", layout=sound.layout.name)
            frame.sample_rate = RATE
            resampler = av.AudioResampler(format=sound.format.name, layout=sound.layout, rate=RATE)
            fifo = av.AudioFifo()
            for part in resampler.resample(frame) + resampler.resample(None):
                fifo.write(part)
            for part in fifo.read_many(sound.codec_context.frame_size or 1024, partial=True):
                container.mux(sound.encode(part))
            container.mux(sound.encode(None))
    return file.getvalue()


LOSSLESS = [("matroska", "flac"), ("mov", "alac"), ("ipod", "alac"), ("wv", "wavpack"), ("tta", "tta")]
LOSSY = [("ipod", "aac"), ("mp4", "aac"), ("adts", "aac"), ("asf", "wmav2"), ("webm", "opus"), ("avi", "ac3")]


@pytest.mark.parametrize(("kind", "codec"), LOSSLESS)
@pytest.mark.parametrize("channels", [1, 2])
def test_lossless_sound_comes_back_as_it_was(av: Any, kind: str, codec: str, channels: int) -> None:
    samples = np.round(noise(1.3, channels, RATE) * 8000) / 32_768
    got, rate, truncated = decoded(made(av, kind, codec, samples.astype(np.float32)))
    assert (rate, truncated) == (RATE, False)
    np.testing.assert_allclose(got, samples, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("kind", "codec"), LOSSY)
@pytest.mark.parametrize("video", [False, True])
def test_a_sound_track_is_what_the_decoder_gives(av: Any, kind: str, codec: str, video: bool) -> None:
    if video and kind in ("ipod", "adts", "webm"):
        pytest.skip("holds no such picture")
    data = made(av, kind, codec, noise(1.0, 2, RATE), video=video)
    got, rate, truncated = decoded(data)
    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    wanted = np.concatenate(
        [frame if frame.shape[0] == 2 else frame.reshape(-1, 2).T for frame in frames], axis=1
    )
    assert (rate, truncated) == (RATE, False)
    np.testing.assert_allclose(got, wanted.T, rtol=0, atol=1e-6)


def test_a_video_without_sound_says_so(av: Any) -> None:
    with pytest.raises(DecodeError, match="expected a stream of sound, got video only"):
        AudioFile(made(av, "mp4", "", None, video=True))


@pytest.mark.parametrize(("kind", "codec"), [("matroska", "flac"), ("tta", "tta"), ("asf", "wmav2")])
def test_a_file_cut_short_says_so(av: Any, kind: str, codec: str) -> None:
    data = made(av, kind, codec, noise(4.0, 2, RATE))
    got, _, truncated = decoded(data[: len(data) // 2])
    assert truncated
    assert 0 < len(got) < 3 * RATE


def test_a_video_cut_short_says_so_and_one_longer_than_its_sound_does_not(av: Any) -> None:
    data = made(av, "matroska", "flac", noise(4.0, 2, RATE), video=True)
    assert decoded(data)[2] is False
    got, _, truncated = decoded(data[: len(data) // 2])
    assert truncated
    assert 0 < len(got) < 3 * RATE
    assert decoded(made(av, "matroska", "flac", noise(0.2, 2, RATE), video=True))[2] is False


def test_paths_and_file_objects_are_read_alike(av: Any, tmp_path: Path) -> None:
    data = made(av, "ipod", "aac", noise(1.0, 1, RATE))
    (tmp_path / "phone.m4a").write_bytes(data)
    pipe = fa.Pipeline(fa.MelSpectrogram(sample_rate=RATE))
    rows = pipe(tmp_path / "phone.m4a")
    assert len(rows) > 50
    assert np.array_equal(pipe(io.BytesIO(data)), rows)
    assert np.array_equal(pipe(data), rows)


def test_no_other_file_is_opened(av: Any, tmp_path: Path) -> None:
    assert av
    secret = tmp_path / "secret.wav"
    secret.write_bytes(written(noise(1.0), "WAV"))
    lists = {
        "a.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:5,\n{secret}\n#EXT-X-ENDLIST\n",
        "b.ffconcat": f"ffconcat version 1.0\nfile {secret}\n",
        "c.mpd": f'<?xml version="1.0"?><MPD type="static"><BaseURL>{secret}</BaseURL></MPD>',
        "d.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
    }
    for name, text in lists.items():
        for given in (name, "renamed.m4a", "renamed.webm"):
            (tmp_path / given).write_text(text)
            with pytest.raises(DecodeError, match="expected audio"):
                AudioFile(tmp_path / given)


def test_without_the_extra_the_error_names_it_and_what_converts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    for suffix, head in (
        ("m4a", b"\0\0\0\x18ftypM4A "),
        ("webm", b"\x1a\x45\xdf\xa3"),
        ("wma", b"\x30\x26\xb2\x75"),
    ):
        path = tmp_path / f"my phone.{suffix}"
        path.write_bytes(head + bytes(200))
        with pytest.raises(DecodeError) as caught:
            AudioFile(path)
        assert "pip install 'fastaudio-toolkit[av]'" in caught.value.reason
        assert f"ffmpeg -i '{path}' '{path.with_suffix('.wav')}'" in caught.value.reason
    with pytest.raises(DecodeError, match=r"ffmpeg -i FILE FILE\.wav"):
        AudioFile(b"\0\0\0\x18ftypM4A " + bytes(99))
    with pytest.raises(DecodeError) as caught:
        AudioFile(b"words, " * 99)
    assert "ffmpeg" not in caught.value.reason
    assert "m4a" in folders.SUFFIXES


@pytest.mark.parametrize(("layout", "channels"), [("5.1", 6), ("7.1", 8), ("hexadecagonal", 16)])
def test_eight_channels_and_more_are_decoded(av: Any, layout: str, channels: int) -> None:
    samples = np.arange(1000 * channels, dtype=np.int16).reshape(-1, channels)
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE, layout=layout)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])
    with AudioFile(file.getvalue()) as opened:
        got = np.concatenate([block.copy() for block in opened.blocks()])
    assert np.array_equal(got, samples / np.float32(32_768))
