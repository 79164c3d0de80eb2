"""Sources: what is read is what is pushed, at the right pace; ends, errors and stops reach the stream."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio.live import sources
from helpers import GUITAR, decode
from live_helpers import LIMIT_S, RATE_HZ, features, noise, rows_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class Sink:
    """Keeps what is pushed, with the times."""

    def __init__(self, fail: Callable[[], None] | None = None) -> None:
        self.blocks: list[NDArray[Any]] = []
        self.times_s: list[float] = []
        self.finished = threading.Event()
        self._fail = fail

    def push(self, samples: NDArray[Any]) -> None:
        if self._fail is not None:
            self._fail()
        self.blocks.append(samples.copy())
        self.times_s.append(time.monotonic())

    def finish(self) -> None:
        self.finished.set()

    def samples(self) -> NDArray[Any]:
        return np.concatenate(self.blocks)


def drained(source: fa.Source) -> Sink:
    sink = Sink()
    source.start(sink)
    assert sink.finished.wait(LIMIT_S)
    source.check()
    source.stop()
    return sink


class Trickle(io.RawIOBase):
    """Gives a few bytes at a time, as pipes may."""

    def __init__(self, data: bytes, n: int) -> None:
        self._data, self._n = io.BytesIO(data), n

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(self._n, size))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("encoding", ["s16le", "f32le"])
@pytest.mark.parametrize("n_bytes", [1, 7, 1 << 20])
def test_pcm_arrives_whole_however_it_is_cut(channels: int, encoding: Any, n_bytes: int) -> None:
    sound, _ = decode(GUITAR)
    sound = np.ascontiguousarray(sound[:1000, :channels])
    if encoding == "s16le":
        sound = np.round(sound * 32768).clip(-32768, 32767).astype("<i2")
    source = fa.PcmSource(
        Trickle(sound.tobytes(), n_bytes), sample_rate=44_100, channels=channels, encoding=encoding
    )
    got = drained(source).samples()
    assert got.dtype == sound.dtype
    assert np.array_equal(got.reshape(sound.shape), sound)
    assert got.ndim == channels


def test_bytes_left_over_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="fastaudio")
    sink = drained(fa.PcmSource(io.BytesIO(bytes(4 * 10 + 3)), sample_rate=8000, channels=2))
    assert len(sink.samples()) == 10
    assert "expected samples of 4 bytes, got 3 bytes more at the end" in caplog.text


def test_a_duration_cuts_to_the_sample() -> None:
    whole = np.arange(20_000, dtype="<i2")
    source = fa.PcmSource(io.BytesIO(whole.tobytes()), sample_rate=8000, duration_s=0.5)
    assert np.array_equal(drained(source).samples(), whole[:4000])
    source = fa.FileSource(GUITAR, real_time=False, duration_s=0.25)
    assert len(drained(source).samples()) == 11_025


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_waits_for_its_writer_and_ends_with_it(tmp_path: Path) -> None:
    path = tmp_path / "sound"
    os.mkfifo(path)
    source, sink = fa.PcmSource(path, sample_rate=16_000), Sink()
    source.start(sink)
    time.sleep(0.05)
    source.check()
    assert not sink.finished.is_set()
    with path.open("wb") as file:
        file.write(bytes(3200))
    assert sink.finished.wait(LIMIT_S)
    assert len(sink.samples()) == 1600


def test_stop_returns_though_the_read_blocks() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as file, os.fdopen(writing, "wb", buffering=0) as writer:
        source, sink = fa.PcmSource(file, sample_rate=16_000), Sink()
        source.start(sink)
        writer.write(bytes(320))
        wait_until(lambda: bool(sink.blocks))
        source.stop()  # which returns, though nobody writes meanwhile
        source.stop()
        source.check()
        writer.write(bytes(320))  # comes too late: dropped, and the thread ends
        assert source._thread is not None
        source._thread.join(LIMIT_S)
        assert not source._thread.is_alive()
        assert len(sink.samples()) == 160
        assert not sink.finished.is_set()


def test_a_file_comes_as_decoded() -> None:
    source = fa.FileSource(GUITAR, real_time=False)
    assert (source.sample_rate, source.channels, source.name) == (44_100, 2, str(GUITAR))
    assert np.array_equal(drained(source).samples(), decode(GUITAR)[0])


def test_a_file_in_real_time_comes_when_a_microphone_would_give_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound, rate = decode(GUITAR)
    clip = sound[: rate * 3 // 4, 0]
    soundfile.write(tmp_path / "clip.wav", clip, rate, subtype="FLOAT")
    started_s = time.monotonic()
    sink = drained(fa.FileSource(tmp_path / "clip.wav", block_s=0.02))
    assert np.array_equal(sink.samples(), clip)
    assert {len(block) for block in sink.blocks[:-1]} == {882}
    heard_s = np.cumsum([len(block) for block in sink.blocks]) / rate
    assert (np.array(sink.times_s) - started_s - heard_s).min() >= 0  # never before its last sample is heard

    now_s = 100.0  # by a clock on which each block takes a quarter of its length to be pushed
    source = fa.FileSource(tmp_path / "clip.wav", block_s=0.02)

    class Slow(Sink):
        def push(self, samples: NDArray[Any]) -> None:
            nonlocal now_s
            super().push(samples)
            self.times_s[-1] = now_s
            now_s += 0.005

    class Stopped(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            nonlocal now_s
            now_s += timeout or 0.0
            return self.is_set()

    monkeypatch.setattr(sources, "time", SimpleNamespace(monotonic=lambda: now_s))
    monkeypatch.setattr(source, "_stopped", Stopped())
    slow = Slow()
    source.start(slow)
    assert slow.finished.wait(LIMIT_S)
    assert np.array(slow.times_s) - 100 == pytest.approx(heard_s)  # and errors don't add up


def test_an_error_while_reading_comes_after_what_was_read() -> None:
    class Breaks(Trickle):
        def read(self, size: int = -1) -> bytes:
            data = super().read(size)
            if not data:
                raise OSError(5, "Input/output error")
            return data

    source, sink = fa.PcmSource(Breaks(bytes(64), 16), sample_rate=8000), Sink()
    source.start(sink)
    assert sink.finished.wait(LIMIT_S)
    assert len(sink.samples()) == 32
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output error") as caught:
            source.check()
        assert type(caught.value) is OSError


def test_a_file_that_cannot_be_decoded_is_reported(tmp_path: Path) -> None:
    with pytest.raises(fa.DecodeError, match="no such file"):
        fa.FileSource(tmp_path / "missing.wav")
    with pytest.raises(fa.DecodeError, match="no such file"):
        fa.PcmSource(tmp_path / "missing.raw", sample_rate=8000)


def test_what_a_stream_refuses_is_reported() -> None:
    def refuse() -> None:
        raise ValueError("samples: expected finite values, got nan")

    source, sink = fa.PcmSource(io.BytesIO(bytes(64)), sample_rate=8000), Sink(refuse)
    source.start(sink)
    assert sink.finished.wait(LIMIT_S)
    with pytest.raises(fa.DecodeError, match="expected finite values, got nan"):
        source.check()


def test_a_stream_that_was_closed_ends_the_reading_silently() -> None:
    def refuse() -> None:
        raise fa.StateError("live: expected no sound after close")

    source, sink = fa.PcmSource(io.BytesIO(bytes(64)), sample_rate=8000), Sink(refuse)
    source.start(sink)
    assert source._thread is not None
    source._thread.join(LIMIT_S)
    source.check()
    assert not sink.finished.is_set()


def test_a_source_is_started_once() -> None:
    source = fa.PcmSource(io.BytesIO(), sample_rate=8000)
    drained(source)
    with pytest.raises(fa.StateError, match="expected a new source"):
        source.start(Sink())
    stopped = fa.FileSource(GUITAR)
    stopped.stop()
    with pytest.raises(fa.StateError, match="expected a new source"):
        stopped.start(Sink())


@pytest.mark.parametrize(
    "options",
    [
        {"sample_rate": 0},
        {"sample_rate": 8000.0},
        {"channels": 0},
        {"encoding": "u8"},
        {"duration_s": 0.0},
        {"duration_s": float("nan")},
    ],
)
def test_bad_options_are_refused(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(ValueError, match=f"expected {name}"):
        fa.PcmSource(io.BytesIO(), **({"sample_rate": 8000} | options))


def test_a_file_source_checks_its_block() -> None:
    with pytest.raises(ValueError, match=r"FileSource: expected block_s in \(0, 60\] seconds, got 0"):
        fa.FileSource(GUITAR, block_s=0)
    with pytest.raises(TypeError, match="expected a path or a binary file object, got int"):
        fa.PcmSource(3, sample_rate=8000)  # type: ignore[arg-type]


def test_stdin_that_says_nothing_does_not_break_the_end_of_the_program() -> None:
    import subprocess

    code = (
        "import sys, time, fastaudio as fa\n"
        "class Sink:\n"
        "    def push(self, samples): pass\n"
        "    def finish(self): pass\n"
        "source = fa.PcmSource(sys.stdin.buffer, sample_rate=16000)\n"
        "source.start(Sink())\n"
        "time.sleep(0.1)\n"
        "source.stop()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        try:
            assert process.wait(LIMIT_S) == 0
        finally:
            process.kill()
        assert process.stderr.read() == b""


def test_a_source_that_can_wait_loses_nothing(tmp_path: Path) -> None:
    pipeline = features()
    path = tmp_path / "long.wav"
    soundfile.write(path, (noise(60 * RATE_HZ) * 20_000).astype(np.int16), RATE_HZ)
    with pipeline.listen(fa.FileSource(path, real_time=False)) as stream:
        got = rows_of(list(stream))
        assert stream.stats().dropped == 0
    np.testing.assert_array_equal(got, pipeline(path))


@pytest.mark.parametrize("as_path", [str, Path])
def test_a_file_is_no_microphone_and_the_error_says_what_to_use(tmp_path: Path, as_path: Any) -> None:
    path = as_path(tmp_path / "a.wav")
    soundfile.write(path, np.zeros(RATE_HZ), RATE_HZ)
    with pytest.raises(ValueError, match=r"^listen: expected a microphone's .*use fastaudio\.FileSource\('"):
        features().listen(path)
