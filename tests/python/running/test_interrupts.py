"""Calls end soon after they are asked to, by a signal or otherwise, whole or not at all."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.running.workers import Workers, _all
from sound_files import noise, written

if TYPE_CHECKING:
    from collections.abc import Callable

SOON_S = 20.0
"""Half a second is promised; a busy machine takes longer, and a hang for ever."""
EARLY_S = 0.02
"""Long before any of these calls would be done, on a machine that is much faster too."""
RATE = 16_000
DRIVER = Path(__file__).parents[1] / "support" / "interrupts.py"
MINUTES = np.random.default_rng(0).standard_normal(10 * 60 * RATE).astype(np.float32) / 10
ROWS = np.abs(MINUTES[: 96 * 50_000].reshape(-1, 96))
EMBEDDINGS = MINUTES.reshape(-1, 512)
FRONT = fa.MelSpectrogram(sample_rate=RATE, n_fft=512, hop_length=256, n_mels=96) >> fa.Log()


def similarity() -> fa.Node:
    bank = np.random.default_rng(0).standard_normal((256, 512)).ravel().tolist()
    return fa.Similarity(bank=bank, labels=[f"{k}" for k in range(256)])


# Each works for seconds if it isn't ended.
LONG: dict[str, Callable[[], tuple[fa.Node, Any]]] = {
    "front": lambda: (fa.MelSpectrogram(sample_rate=RATE, n_fft=8192, hop_length=8), MINUTES),
    "resample": lambda: (fa.Resample(input_rate=RATE, output_rate=192_000, quality="best"), MINUTES),
    "statistics": lambda: (fa.Statistics(kinds=["mean"], window=20_000, hop=1), ROWS),
    "percentiles": lambda: (fa.Statistics(kinds=["p10", "p90"], window=20_000, hop=1), ROWS),
    "each": lambda: (fa.Each(FRONT, clip_length=16_000, hop=16), MINUTES),
    "delta": lambda: (fa.Delta(width=2049), ROWS),
    "pcen": lambda: (fa.PCEN(time_constants_s=[0.01 * k for k in range(1, 60)]), ROWS),
    "similarity": lambda: (similarity(), EMBEDDINGS),
    "patches": lambda: (fa.Patches(length=2000, hop=1) >> fa.Mean(), ROWS),
    "parallel": lambda: (fa.Parallel({f"{k}": fa.Delta(width=513) for k in range(9)}), ROWS),
    "concat": lambda: (fa.Concat(fa.Delta(width=1025), fa.Delta(width=513)), ROWS),
    "contrast": lambda: (
        fa.Spectrogram(sample_rate=RATE, n_fft=8192, hop_length=32, power=1) >> fa.SpectralContrast(),
        MINUTES,
    ),
}


def began(call: Callable[[], Any]) -> float:
    """Return the seconds that a call took to raise TimedOut."""
    start_s = time.monotonic()
    with pytest.raises(fa.TimedOut):
        call()
    return time.monotonic() - start_s


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_long_call_ends_in_time(name: str, threads: int) -> None:
    node, rows = LONG[name]()
    with fa._core.Interruptible(timeout_s=EARLY_S):
        assert began(lambda: node(rows, threads=threads)) < SOON_S


@pytest.mark.parametrize("name", LONG)
def test_a_push_that_was_ended_is_not_gone_on_with(name: str) -> None:
    node, rows = LONG[name]()
    spec = node.input_spec or fa.StreamSpec(rate_hz=RATE / 256, shape=list(rows.shape[1:]), unit="power")
    stream = node.open(spec)
    with fa._core.Interruptible(timeout_s=EARLY_S):
        assert began(lambda: stream.push(rows)) < SOON_S
    with pytest.raises(fa.StateError, match="after an error"):
        stream.push(rows[:10])
    stream.reset()
    stream.push(rows[:10])


def test_another_thread_ends_a_call() -> None:
    node, rows = LONG["statistics"]()
    cancel = fa.Cancel()
    threading.Timer(0.1, cancel.cancel).start()
    start_s = time.monotonic()
    with fa._core.Interruptible(cancel), pytest.raises(fa.Cancelled):
        node(rows)
    assert time.monotonic() - start_s < SOON_S


@pytest.fixture(scope="module")
def slow() -> fa.Pipeline:
    """A pipeline that takes long for a minute of sound."""
    return fa.Pipeline(FRONT >> fa.Statistics(kinds=["mean"], window=2000, hop=1))


CONTENT = written(noise(60.0), "WAV")


def test_the_time_of_a_call_is_limited(slow: fa.Pipeline) -> None:
    assert began(lambda: slow(io.BytesIO(CONTENT * 1), timeout_s=EARLY_S)) < SOON_S
    assert began(lambda: slow(MINUTES, sample_rate=RATE, timeout_s=EARLY_S)) < SOON_S


@pytest.mark.parametrize("timeout_s", [0, -1.0, float("nan")])
def test_a_time_limit_is_above_0(slow: fa.Pipeline, timeout_s: float) -> None:
    with pytest.raises(ValueError, match=r"^Pipeline: expected timeout_s above 0 s, got "):
        slow(CONTENT, timeout_s=timeout_s)
    with pytest.raises(ValueError, match=r"^Pipeline\.map: expected timeout_s above 0 s, got "):
        slow.map([CONTENT], timeout_s=timeout_s)


@pytest.mark.parametrize("argument", [{"timeout_s": "1"}, {"timeout_s": True}, {"cancel": 1}])
def test_what_ends_a_call_has_a_type(slow: fa.Pipeline, argument: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"^Pipeline: expected "):
        slow(CONTENT, **argument)


def test_what_progress_raises_comes_back_as_it_is() -> None:
    for error in (ZeroDivisionError(), KeyboardInterrupt(), SystemExit(2), MemoryError()):
        with pytest.raises(type(error)) as caught:
            fa.Pipeline(FRONT)(CONTENT, progress=Mock(side_effect=error))
        assert caught.value is error


class Blocking:
    """A file that gives nothing for a long time, unless it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002
        self.go.wait(60)
        return b""


def test_a_file_that_takes_too_long_ends_no_other(slow: fa.Pipeline) -> None:
    short = written(noise(1.0), "WAV")
    endless: Any = Blocking()
    results = list(slow.map([short, endless, short], jobs=2, timeout_s=2.0))
    endless.go.set()
    assert isinstance(results[1], fa.TimedOut)
    assert isinstance(results[0], np.ndarray)
    assert np.array_equal(results[0], results[2])  # type: ignore[arg-type]


def test_a_whole_run_is_cancelled(slow: fa.Pipeline) -> None:
    cancel = fa.Cancel()
    threading.Timer(0.2, cancel.cancel).start()
    start_s = time.monotonic()
    with pytest.raises(fa.Cancelled):
        list(slow.map([CONTENT] * 1000, jobs=2, cancel=cancel))
    assert time.monotonic() - start_s < SOON_S


@pytest.mark.parametrize("how", ["closed", "dropped"])
def test_a_run_that_is_left_waits_for_no_file(slow: fa.Pipeline, how: str) -> None:
    results = slow.map([written(noise(0.1), "WAV"), *[CONTENT] * 9], jobs=2)
    next(results)
    start_s = time.monotonic()
    if how == "closed":
        results.close()
    del results
    assert time.monotonic() - start_s < SOON_S
    end_s = time.monotonic() + SOON_S
    while any(one.name.startswith("fastaudio-map") for one in threading.enumerate()):
        assert time.monotonic() < end_s
        time.sleep(0.01)


def test_the_process_ends_while_files_are_run_over() -> None:
    script = f"""
import sys, threading, time
import fastaudio as fa
front = fa.MelSpectrogram(sample_rate={RATE}, n_fft=512, hop_length=256, n_mels=96)
pipe = fa.Pipeline(front >> fa.Statistics(kinds=["mean"], window=2000, hop=1))
content = sys.stdin.buffer.read()
results = pipe.map([content] * 50, jobs=2)
threading.Thread(target=lambda: next(results), daemon=True).start()
time.sleep(0.2)
print(time.time())
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, input=CONTENT, capture_output=True, check=True)
    assert done.stderr == b""
    assert time.time() - float(done.stdout) < SOON_S


def test_workers_that_were_left_are_forgotten() -> None:
    workers = Workers(1)
    assert workers.submit(lambda: 1).wait() == 1
    workers.leave()
    assert workers not in _all


def test_an_interrupted_stream_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = fa.Pipeline(FRONT)
    stream = pipe.open(sample_rate=RATE)
    stream.push(MINUTES[:RATE])

    with monkeypatch.context() as patch:
        patch.setattr(stream, "_gives_rows", False)  # rows need nothing more
        patch.setattr(stream, "_results", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            stream.push(MINUTES[:RATE])
    with pytest.raises(fa.StateError, match=r"^stream: expected no call after one that was interrupted"):
        stream.push(MINUTES[:RATE])
    stream.reset()
    assert np.array_equal(
        np.concatenate([stream.push(MINUTES[:RATE]), stream.flush()]), FRONT(MINUTES[:RATE])
    )


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT can't be sent to one process")
@pytest.mark.parametrize("cores", [1, 16])
def test_interrupts_at_random_times_lose_nothing(cores: int) -> None:
    command = [sys.executable, str(DRIVER), "--interrupts", "36", "--cores", str(cores)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
