"""The life of isolated processes: they end when they must, and the next call survives it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.isolation import process
from helpers import GUITAR, musicnn_front
from isolation_helpers import LIMIT_S, SOUND, gone, n_open, pids

if TYPE_CHECKING:
    from collections.abc import Iterator

if sys.platform == "win32":
    pytest.skip("isolation needs Linux or macOS", allow_module_level=True)


@pytest.fixture
def apart() -> Iterator[fa.Pipeline]:
    with fa.isolated(fa.Pipeline(musicnn_front())) as pipeline:
        yield pipeline


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGABRT"])
def test_a_crash_is_an_error_that_says_how_and_the_next_call_works(apart: fa.Pipeline, name: str) -> None:
    def crash(*_: object) -> None:
        for pid in pids(apart):
            os.kill(pid, getattr(signal, name))

    with pytest.raises(fa.IsolationError, match=name):
        apart(GUITAR, progress=crash)
    assert len(apart(SOUND, sample_rate=16_000)) == 63


def test_a_crash_in_map_is_that_files_error(apart: fa.Pipeline) -> None:
    class Crashing:
        """A file object that ends the process which reads it."""

        def __init__(self) -> None:
            self._file = io.BytesIO(GUITAR.read_bytes())

        def read(self, n: int = -1) -> bytes:
            if self._file.tell() > 1000:
                for pid in pids(apart):
                    os.kill(pid, signal.SIGSEGV)
            return self._file.read(n)

        def seek(self, *where: int) -> int:
            return self._file.seek(*where)

        def tell(self) -> int:
            return self._file.tell()

    results = list(apart.map([GUITAR, Crashing(), GUITAR, GUITAR], jobs=1))  # type: ignore[list-item]
    assert [type(one) for one in results] == [np.ndarray, fa.IsolationError, np.ndarray, np.ndarray]


def test_a_process_that_ended_while_idle_is_replaced(apart: fa.Pipeline) -> None:
    (pid,) = pids(apart)
    os.kill(pid, signal.SIGKILL)
    while pid in pids(apart):
        time.sleep(0.01)
    assert len(apart(SOUND, sample_rate=16_000)) == 63
    assert pids(apart) != [pid]


@pytest.mark.parametrize("noticed", [False, True])
def test_a_stream_whose_process_ended_says_so_and_begins_again_after_reset(
    apart: fa.Pipeline, noticed: bool
) -> None:
    """What is said depends on no luck: not on whether the system has ended it before it is asked again."""
    with apart.open(sample_rate=16_000) as stream:
        stream.push(SOUND)
        for pid in pids(apart):
            os.kill(pid, signal.SIGKILL)
            if noticed:
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(fa.IsolationError, match="SIGKILL"):
            stream.push(SOUND)
        with pytest.raises(fa.StateError, match="call reset"):
            stream.push(SOUND)
        stream.reset()
        first = stream.push(SOUND)
        assert len(first) + len(stream.flush()) == 63
        for pid in pids(apart):
            os.kill(pid, signal.SIGKILL)
        stream.reset()  # also where nothing has told yet that it has ended
        assert len(stream.push(SOUND)) + len(stream.flush()) == 63


def test_close_ends_the_processes_and_so_does_the_last_reference() -> None:
    pipeline = fa.isolated(fa.Pipeline(musicnn_front()))
    stream = pipeline.open(sample_rate=16_000)
    held = pids(pipeline)
    pipeline.close()
    assert all(map(gone, held))
    with pytest.raises(fa.StateError, match="call reset, and begin again"):
        stream.push(SOUND)
    assert len(pipeline(SOUND, sample_rate=16_000)) == 63
    held = pids(pipeline)
    del stream, pipeline
    assert held
    assert all(map(gone, held))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_hundreds_of_calls_leave_no_descriptor_and_no_zombie(apart: fa.Pipeline) -> None:
    apart(SOUND, sample_rate=16_000)
    before, (pid,) = n_open(), pids(apart)
    for _ in range(500):
        apart(SOUND[:100], sample_rate=16_000)
    assert n_open() == before
    assert pids(apart) == [pid]
    for _ in range(5):
        held = pids(apart)
        with pytest.raises(fa.IsolationError):
            apart(GUITAR, progress=lambda *_: [os.kill(one, signal.SIGKILL) for one in pids(apart)])
        assert all(map(gone, held))  # none waits to be reaped
    apart(SOUND, sample_rate=16_000)
    assert n_open() == before


def test_threads_may_call_at_once(apart: fa.Pipeline) -> None:
    expected = apart(GUITAR)
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: apart(GUITAR), range(12)))
    assert all(np.array_equal(one, expected) for one in results)
    assert len(pids(apart)) <= max(os.cpu_count() or 1, 1)


def test_the_processes_end_when_their_owner_is_killed() -> None:
    code = """
import sys, time, fastaudio as fa
mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
pipeline = fa.isolated(fa.Pipeline(mel))
print(*[one.pid for one in pipeline._children._started], flush=True)
time.sleep(60)
"""
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    held = [int(pid) for pid in owner.stdout.readline().split()]
    owner.kill()
    owner.wait()
    owner.stdout.close()
    assert held
    assert all(map(gone, held))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_starts_its_own(apart: fa.Pipeline) -> None:
    expected, held = apart(SOUND, sample_rate=16_000), pids(apart)
    pid = os.fork()
    if pid == 0:
        own = apart(SOUND, sample_rate=16_000)
        fine = np.array_equal(own, expected) and not set(pids(apart)) & set(held)
        apart.close()
        os._exit(0 if fine else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert np.array_equal(apart(SOUND, sample_rate=16_000), expected)
    assert pids(apart) == held


def test_ctrl_c_ends_a_call_at_once_and_the_next_one_works() -> None:
    code = """
import os, signal, sys, threading, time, numpy as np, fastaudio as fa
mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
pipeline = fa.isolated(fa.Pipeline(mel))
sound = np.zeros(16_000 * 600, np.float32)
def interrupt():
    time.sleep(0.3)
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)
sent = []
threading.Thread(target=interrupt).start()
try:
    while True:
        pipeline(sound, sample_rate=16_000)
except KeyboardInterrupt:
    print(time.monotonic() - sent[0], len(pipeline(sound[:16_000], sample_rate=16_000)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    took_s, n_rows = done.stdout.split()
    assert float(took_s) < LIMIT_S
    assert n_rows == "63"


def test_an_owner_that_handles_ctrl_c_of_a_terminal_keeps_its_processes() -> None:
    code = """
import os, signal, time, numpy as np, fastaudio as fa
mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
pipeline = fa.isolated(fa.Pipeline(mel))
before = [one.pid for one in pipeline._children._started]
signal.signal(signal.SIGINT, lambda *_: None)
os.killpg(0, signal.SIGINT)  # as a terminal does
time.sleep(0.5)
pipeline(np.zeros(16_000, np.float32), sample_rate=16_000)
print(before == [one.pid for one in pipeline._children._started if one.alive])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        start_new_session=True,
    )
    assert done.stdout.strip() == "True"


def test_memory_is_bounded_and_the_error_says_so() -> None:
    sound = np.zeros(40_000_000, np.float32)
    with fa.isolated(fa.Pipeline(musicnn_front()), limits=fa.Limits(memory_mb=700)) as apart:
        with pytest.raises(fa.IsolationError, match="memory"), apart.open(sample_rate=16_000) as stream:
            stream.push(np.tile(sound, 2))
        assert len(apart(SOUND, sample_rate=16_000)) == 63


def starting_slowly(monkeypatch: pytest.MonkeyPatch, wait_s: float) -> list[int]:
    """Have each process wait before it starts; return the list of those that have begun to."""
    begin, begun = process.Process.begin, []

    def slowly(self: process.Process) -> None:
        begun.append(self.pid)
        time.sleep(wait_s)
        begin(self)

    monkeypatch.setattr(process.Process, "begin", slowly)
    return begun


def test_a_time_limit_shorter_than_a_start_ends_calls_until_a_process_has_started(
    apart: fa.Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = starting_slowly(monkeypatch, 3.0)
    for pid in pids(apart):
        os.kill(pid, signal.SIGKILL)
        assert gone_or_zombie(apart)
    said, until_s = [], time.monotonic() + 120
    while time.monotonic() < until_s:
        try:
            result = apart(SOUND, sample_rate=16_000, timeout_s=2)
            break
        except fa.TimedOut as error:
            said.append(str(error))
    assert len(result) == 63
    assert said, "the start takes longer than the limit"
    assert "the process goes on to start" in said[0], said
    # A call that gets the process just before its limit ends it, so there may be a second one.
    assert len(begun) <= len(said), "the process that was starting is kept, not begun anew by each call"


def test_a_process_that_starts_when_its_pipeline_is_closed_ends(
    apart: fa.Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart.close()
    begun = starting_slowly(monkeypatch, 0.5)
    with pytest.raises(fa.TimedOut):
        apart(SOUND, sample_rate=16_000, timeout_s=0.2)
    until_s = time.monotonic() + LIMIT_S
    while not begun and time.monotonic() < until_s:
        time.sleep(0.01)
    apart.close()
    assert begun
    assert all(gone(pid) for pid in begun)
    monkeypatch.undo()
    assert len(apart(SOUND, sample_rate=16_000)) == 63


def gone_or_zombie(apart: fa.Pipeline, within_s: float = LIMIT_S) -> bool:
    until_s = time.monotonic() + within_s
    while pids(apart) and time.monotonic() < until_s:
        time.sleep(0.02)
    return not pids(apart)
