"""Nothing of a source is lost: it may have nothing yet, and what it raises comes back as it is."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.live import pools
from live_helpers import RATE_HZ, features, noise, rows_of
from sound_files import decoded, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOON_S = 60.0
SOUND = (noise(RATE_HZ) * 20_000).astype("<i2")

ERRORS = [
    SystemExit(3),
    KeyboardInterrupt(),
    GeneratorExit(),
    OSError(5, "Input/output error"),
    ValueError("I/O operation on closed file"),
    MemoryError(),
    fa.StateError("of the source's own"),
]


class Raising:
    """Raises once its bytes are read."""

    def __init__(self, data: bytes, error: BaseException) -> None:
        self._data, self._error = io.BytesIO(data), error

    def read(self, n_bytes: int) -> bytes:
        data = self._data.read(n_bytes)
        if not data:
            raise self._error
        return data

    def seekable(self) -> bool:
        return False


@pytest.fixture(params=["raw", "buffered", "socket"])
def slow_pipe(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Callable[[bytes], Any]]]:
    """What reads without waiting, and what writes to it; b"" ends it."""
    if request.param == "socket":
        one, other = socket.socketpair()
        one.setblocking(False)
        with one, other, one.makefile("rb") as file:
            yield file, lambda data: other.sendall(data) if data else other.close()
        return
    if not hasattr(os, "set_blocking"):
        pytest.skip("pipes of this system always wait")
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(reading, "rb", buffering=0 if request.param == "raw" else -1) as file:
        yield file, lambda data: os.write(writing, data) if data else os.close(writing)


def test_a_pipe_that_does_not_wait_ends_with_its_writer_only(slow_pipe: Any) -> None:
    file, write = slow_pipe

    def feed() -> None:
        for part in np.array_split(SOUND, 8):
            write(part.tobytes())
            time.sleep(0.05)
        write(b"")

    writer = threading.Thread(target=feed)
    writer.start()
    pipeline = features()
    with pipeline.listen(fa.PcmSource(file, sample_rate=RATE_HZ)) as stream:
        got = rows_of(list(stream))
    writer.join()
    np.testing.assert_array_equal(got, pipeline(SOUND, sample_rate=RATE_HZ))


def test_a_pipe_that_does_not_wait_can_be_stopped(slow_pipe: Any) -> None:
    file, write = slow_pipe
    source = fa.PcmSource(file, sample_rate=RATE_HZ)
    with features().listen(source):
        pass
    assert source._thread is not None
    source._thread.join(SOON_S)
    assert not source._thread.is_alive()
    write(b"")


@pytest.mark.skipif(not hasattr(os, "set_blocking"), reason="pipes of this system always wait")
def test_listen_hears_all_of_a_stdin_that_does_not_wait() -> None:
    code = "import sys; from fastaudio.cli import main; sys.exit(main(sys.argv[1:]))"
    how = ["listen", "-", "--rate", "16000", "--jsonl"]
    n_lines = []
    for waits in (True, False):
        reading, writing = os.pipe()
        os.set_blocking(reading, waits)
        with subprocess.Popen(
            [sys.executable, "-c", code, *how], stdin=reading, stdout=subprocess.PIPE
        ) as process:
            os.close(reading)
            for part in np.array_split(np.tile(SOUND, 6)[: 4 * 16_000], 4):
                os.write(writing, part.tobytes())
                time.sleep(0.3)
            os.close(writing)
            assert process.stdout is not None
            n_lines.append(len(process.stdout.readlines()))
        assert process.returncode == 0
    assert n_lines[0] == n_lines[1] > 0


def test_a_file_that_seeks_and_does_not_wait_is_decoded_whole() -> None:
    flac = written(noise(RATE_HZ)[:, None], "FLAC", rate=RATE_HZ)

    class Slow(io.BytesIO):
        """Gives nothing yet at every other call."""

        ready = False

        def read(self, size: int | None = -1, /) -> bytes:
            self.ready = not self.ready or size == 0
            return super().read(size) if self.ready else None  # type: ignore[return-value]

    assert np.array_equal(decoded(Slow(flac))[0], decoded(flac)[0])


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_what_a_source_raises_comes_back_as_it_is_after_its_sound(error: BaseException) -> None:
    pipeline = features()
    with pipeline.listen(fa.PcmSource(Raising(SOUND.tobytes(), error), sample_rate=RATE_HZ)) as stream:
        got = []
        with pytest.raises(type(error)) as caught:
            got.extend(iter(lambda: stream.get(timeout_s=SOON_S), None))
        assert caught.value is error
        np.testing.assert_array_equal(rows_of(got), pipeline(SOUND, sample_rate=RATE_HZ))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_what_a_file_object_raises_comes_back_through_a_file_source(error: BaseException) -> None:
    class Breaks(io.BytesIO):
        broken = False

        def read(self, size: int | None = -1, /) -> bytes:
            if self.broken:
                raise error
            return super().read(size)

    file = Breaks(written(np.tile(noise(RATE_HZ), 60)[:, None], "WAV", rate=RATE_HZ))
    source = fa.FileSource(file, real_time=False)
    file.broken = True
    with features().listen(source) as stream, pytest.raises(type(error)) as caught:
        for _ in stream:
            pass
    assert caught.value is error


@pytest.mark.parametrize("error", ERRORS[:4], ids=lambda error: type(error).__name__)
def test_what_a_source_raises_reaches_who_awaits(error: BaseException) -> None:
    async def hear() -> None:
        source = fa.PcmSource(Raising(SOUND.tobytes(), error), sample_rate=RATE_HZ)
        async with features().listen(source) as stream:
            async for _ in stream:
                pass

    with pytest.raises(type(error)) as caught:
        asyncio.run(asyncio.wait_for(hear(), SOON_S))
    assert caught.value is error


@pytest.mark.parametrize("kind", [StopIteration, StopAsyncIteration])
def test_an_error_that_ends_loops_ends_none_silently(kind: type[Exception]) -> None:
    with (
        features().listen(fa.PcmSource(Raising(b"", kind()), sample_rate=RATE_HZ)) as stream,  # type: ignore[arg-type]
        pytest.raises(RuntimeError) as caught,
    ):
        stream.get(timeout_s=SOON_S)
    assert isinstance(caught.value.__cause__, kind)


class Found(fa.PcmSource):
    """Raises, and has all of its sound when it is found again."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(Raising(b"", error), sample_rate=RATE_HZ)  # type: ignore[arg-type]

    def again(self) -> fa.Source:
        return fa.PcmSource(io.BytesIO(SOUND.tobytes()), sample_rate=RATE_HZ)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_no_other_source_is_looked_for_after_an_exit(error: BaseException) -> None:
    with features().listen(Found(error), retry_s=0.05) as stream:
        with pytest.raises(type(error)) as caught:
            stream.get(timeout_s=SOON_S)
        assert caught.value is error


@pytest.mark.parametrize("error", [OSError(5, "EIO"), ValueError("closed"), RuntimeError()])
def test_another_source_is_found_after_an_error(error: BaseException) -> None:
    with features().listen(Found(error), retry_s=0.05) as stream:
        assert rows_of(list(stream)).size


def test_an_exit_while_a_source_is_stopped_at_the_end_keeps_no_other_from_closing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Leaving:
        def close(self) -> None:
            raise SystemExit(3)

    pools._close(Leaving())
    assert "got SystemExit: 3" in caplog.text
