"""A file belongs to the thread that decodes it: callers leave at any time, and hear all that it met."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.decoding.audio_file import AudioFile
from fastaudio.decoding.decode_thread import BLOCK
from sound_files import noise, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SOON_S = 60.0
LONG = written(noise(40.0, 2), "WAV")


def decoders() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "fastaudio-decode"]


def wait_until(happens: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + SOON_S
    while not happens() and time.monotonic() < end_s:
        time.sleep(0.005)
    return happens()


class Raising(io.BytesIO):
    """A file that raises once so much of it was read."""

    def __init__(self, content: bytes, after: int, error: BaseException) -> None:
        super().__init__(content)
        self._left = after
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._left -= len(data)
        if self._left < 0:
            raise self._error
        return data


class Odd(io.RawIOBase):
    """A raw file whose answers are any number of bytes."""

    def __init__(self, content: bytes, *, seekable: bool = True) -> None:
        super().__init__()
        self._file = io.BytesIO(content)
        self._seekable = seekable

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._seekable

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any, /) -> int:
        data = self._file.read(min(len(buffer), 10_007))
        buffer[: len(data)] = data
        return len(data)


class Blocking:
    """A pipe that gives nothing for a long time, unless it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002
        self.begun.set()
        self.go.wait(2 * SOON_S)
        return b""


@pytest.fixture
def blocking() -> Iterator[Blocking]:
    pipe = Blocking()
    yield pipe
    pipe.go.set()


@pytest.mark.parametrize("after", [0, 100, 1 << 18, 2_000_000])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(3), MemoryError(), OSError(5, "EIO"), ZeroDivisionError()]
)
def test_what_a_file_object_raises_comes_back_as_it_is(after: int, error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, AudioFile(Raising(LONG, after, error)) as file:
        list(file.blocks())
    assert caught.value is error


@pytest.mark.parametrize("seekable", [True, False])
def test_a_raw_file_may_give_any_number_of_bytes(seekable: bool) -> None:
    with AudioFile(Odd(LONG, seekable=seekable)) as file, AudioFile(LONG) as other:  # type: ignore[arg-type]
        got = np.concatenate([block.copy() for block in file.blocks()])
        want = np.concatenate([block.copy() for block in other.blocks()])
    assert not file.truncated
    assert np.array_equal(got, want)


@pytest.mark.parametrize("cores", [1, 2, 16])
def test_a_small_file_decodes_with_any_number_of_cores(cores: int) -> None:
    script = f"""
import os, sys
os.cpu_count = lambda: {cores}
from fastaudio.decoding.audio_file import AudioFile
print(sum(len(block) for block in AudioFile(sys.stdin.buffer.read()).blocks()))
"""
    done = subprocess.run([sys.executable, "-c", script], input=LONG, capture_output=True, check=True)
    assert int(done.stdout) == len(noise(40.0, 2))


def test_the_threads_end_with_their_files() -> None:
    with AudioFile(LONG) as file:
        list(file.blocks())
    assert wait_until(lambda: not decoders())
    dropped = AudioFile(LONG)
    next(dropped.blocks())
    assert decoders()
    del dropped
    assert wait_until(lambda: not decoders())


def test_iterating_again_goes_on() -> None:
    with AudioFile(LONG) as file:
        first = next(file.blocks()).copy()
        rest = [block.copy() for block in file.blocks()]
        assert list(file.blocks()) == []
    assert len(first) == BLOCK // 2
    assert len(first) + sum(map(len, rest)) == file.samples_read == len(noise(40.0, 2))


def test_after_an_error_no_blocks_come() -> None:
    with AudioFile(Raising(LONG, 2_000_000, ZeroDivisionError())) as file:
        with pytest.raises(ZeroDivisionError):
            list(file.blocks())
        with pytest.raises(fa.StateError, match=r"^AudioFile: expected no more blocks after an error"):
            next(file.blocks())


def test_a_source_that_blocks_is_left(blocking: Blocking) -> None:
    pipe = fa.Pipeline(fa.MelSpectrogram())
    began_s = time.monotonic()
    with pytest.raises(fa.TimedOut):
        pipe(blocking, timeout_s=0.1)  # type: ignore[arg-type]
    assert time.monotonic() - began_s < SOON_S
    cancel = fa.Cancel()
    threading.Timer(0.1, cancel.cancel).start()
    with pytest.raises(fa.Cancelled):
        pipe(blocking, cancel=cancel)  # type: ignore[arg-type]
    assert time.monotonic() - began_s < SOON_S
    blocking.go.set()
    assert wait_until(lambda: not decoders())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here")
def test_a_fifo_without_an_end_is_left_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "pipe.wav"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    os.write(writer, LONG[:1000])
    with pytest.raises(fa.TimedOut):
        fa.Pipeline(fa.MelSpectrogram())(path, timeout_s=0.2)
    assert wait_until(lambda: not decoders())
    os.close(writer)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT can't be sent to one process")
def test_ctrl_c_ends_a_wait_for_stdin_and_the_process() -> None:
    script = """
import sys
import fastaudio as fa
pipe = fa.Pipeline(fa.MelSpectrogram())
print("ready", flush=True)
try:
    pipe(sys.stdin.buffer)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdin is not None
        process.stdout.readline()
        process.stdin.write(LONG[:1000])
        process.stdin.flush()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == b"interrupted\n"
        assert process.wait(SOON_S) == 0
        assert process.stderr.read() == b""


@pytest.mark.parametrize("kept", [30, 200, 5000])
@pytest.mark.parametrize("kind", ["SDS", "MP3", "OGG", "FLAC", "WAV", "AIFF"])
def test_a_file_that_shrinks_while_it_is_read_ends(kind: str, kept: int) -> None:
    class Shrunk(io.BytesIO):
        def read(self, n: int | None = -1, /) -> bytes:
            at = self.tell()
            return super().read(n)[: max(0, kept - at)]

    channels = 1 if kind == "SDS" else 2
    file = Shrunk(written(noise(3.0, channels), kind))
    began_s = time.monotonic()
    with contextlib.suppress(fa.DecodeError), AudioFile(file) as opened:
        list(opened.blocks())
    assert time.monotonic() - began_s < SOON_S
