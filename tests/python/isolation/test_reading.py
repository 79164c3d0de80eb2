"""A time limit, a cancel and Ctrl-C end an isolated call that waits for its source."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, musicnn_front
from isolation_helpers import LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

if sys.platform == "win32":
    pytest.skip("isolation needs Linux or macOS", allow_module_level=True)


@pytest.fixture(scope="module")
def apart() -> Iterator[fa.Pipeline]:
    with fa.isolated(fa.Pipeline(musicnn_front())) as pipeline:
        yield pipeline


class Waiting(io.BytesIO):
    """A file object whose reads wait, from a position on, until they are let go."""

    def __init__(self, content: bytes, start: int) -> None:
        super().__init__(content)
        self.go_on = threading.Event()
        self.reached = threading.Event()
        self._wait_from = start

    def read(self, n: int | None = -1) -> bytes:
        if n != 0 and self.tell() >= self._wait_from:
            self.reached.set()
            self.go_on.wait(2 * LIMIT_S)
        return super().read(n)


@pytest.fixture(params=["pipe", "fifo", "object", "object midway"])
def silent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Give a source that gives nothing more."""
    if request.param == "pipe":
        ours, theirs = os.pipe()
        with open(ours, "rb") as file:  # noqa: PTH123
            yield file
        os.close(theirs)
    elif request.param == "fifo":
        path = tmp_path / "fifo.wav"
        os.mkfifo(path)
        yield path
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))  # lets go who waits for a writer
    else:
        waiting = Waiting(GUITAR.read_bytes(), 100_000 if request.param.endswith("midway") else 0)
        yield waiting
        waiting.go_on.set()


def assert_ends(call: Callable[[], Any], error: type[BaseException]) -> None:
    started_s = time.monotonic()
    with pytest.raises(error):
        call()
    assert time.monotonic() - started_s < LIMIT_S


def test_a_time_limit_ends_a_call_whose_source_gives_nothing(apart: fa.Pipeline, silent: Any) -> None:
    assert_ends(lambda: apart(silent, timeout_s=0.5), fa.TimedOut)
    assert len(apart(GUITAR)) > 0


def test_a_cancel_ends_a_call_whose_source_gives_nothing(apart: fa.Pipeline, silent: Any) -> None:
    cancel = fa.Cancel()
    threading.Timer(0.5, cancel.cancel).start()
    assert_ends(lambda: apart(silent, cancel=cancel), fa.Cancelled)


def test_ctrl_c_ends_a_call_within_a_read(apart: fa.Pipeline) -> None:
    waiting = Waiting(GUITAR.read_bytes(), 100_000)

    def interrupt() -> None:
        waiting.reached.wait(LIMIT_S)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    assert_ends(lambda: apart(waiting), KeyboardInterrupt)
    waiting.go_on.set()
    assert len(apart(GUITAR)) > 0


def test_what_a_file_object_raises_comes_back_before_the_process_answers(apart: Any) -> None:
    class Broken(Waiting):
        def read(self, n: int | None = -1) -> bytes:
            if n != 0 and self.tell() >= 50_000:
                raise KeyboardInterrupt("mine")
            return super().read(n)

    with pytest.raises(KeyboardInterrupt, match="mine"):
        apart(Broken(GUITAR.read_bytes(), 1 << 30))
    assert len(apart(GUITAR)) > 0


def test_no_thread_stays_that_reads(apart: fa.Pipeline) -> None:
    for source in (GUITAR, GUITAR.read_bytes(), io.BytesIO(GUITAR.read_bytes())):
        apart(source)
    for source in (b"no sound", GUITAR.parent / "missing.wav"):
        with pytest.raises(fa.DecodeError):
            apart(source)
    until_s = time.monotonic() + LIMIT_S

    def left() -> list[threading.Thread]:
        return [one for one in threading.enumerate() if one.name == "fastaudio-read"]

    while left() and time.monotonic() < until_s:
        time.sleep(0.01)
    assert left() == []


def test_a_file_object_is_read_in_the_context_of_its_caller(apart: fa.Pipeline) -> None:
    file = io.BytesIO(GUITAR.read_bytes())
    assert np.array_equal(apart(file), apart(GUITAR))
    assert not file.closed
