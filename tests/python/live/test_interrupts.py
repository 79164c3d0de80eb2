"""Ctrl-C between any two lines of a live stream, Cancel and time limits: waits end, and nothing stays."""

from __future__ import annotations

import gc
import io
import linecache
import os
import sys
import threading
import time
from collections import Counter
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import _core
from fastaudio.live import stream as live_stream
from live_helpers import RATE_HZ, background, features, noise, run_program, wait_until

LIVE = os.path.dirname(live_stream.__file__)  # noqa: PTH120
MOST_VISITS = 2
SOON_S = 20.0
"""Half a second is promised; a busy machine takes longer, and a hang for ever."""

FEATURES = features()
SOUND = (noise(RATE_HZ) * 20_000).astype("<i2").tobytes()


class Interrupt:
    """Raises KeyboardInterrupt at the n-th line of the live package that this thread comes to.

    Lines with `with` are left out: entering and leaving C's locks isn't interrupted. So are those that a loop
    comes to for the third time, and more often.
    """

    def __init__(self, at: int) -> None:
        self.left = at
        self._visits: Counter[tuple[str, int]] = Counter()

    def __call__(self, frame: Any, event: str, argument: object) -> Any:
        del argument
        if not frame.f_code.co_filename.startswith(LIVE) or frame.f_code.co_name == "__del__":
            return None
        if event == "line" and not _line_of(frame).startswith(("with ", "finally")):
            place = frame.f_code.co_filename, frame.f_lineno
            self._visits[place] += 1
            self.left -= self._visits[place] <= MOST_VISITS
            if self.left == 0:
                raise KeyboardInterrupt
        return self


def _line_of(frame: Any) -> str:
    return linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()


def listened(made: list[Any], pool: Any, source: Any) -> None:
    made.append(FEATURES.listen(source, pool=pool, buffer_s=10))
    (stream,) = made
    assert next(stream) is not None
    assert stream.get(30) is not None
    stream.tap().read()
    stream.finish()
    assert len(list(stream)) > 0
    stream.close()


def pushed(made: list[Any], pool: Any, source: Any) -> None:
    del source
    made.append(FEATURES.live(RATE_HZ, pool=pool, buffer_s=10))
    (stream,) = made
    stream.push(np.frombuffer(SOUND, "<i2"))
    assert stream.get() is not None
    stream.swap(FEATURES)
    stream.finish()
    stream.close()


@pytest.mark.parametrize("use", [listened, pushed])
def test_ctrl_c_between_any_two_lines_leaves_nothing(use: Any) -> None:
    n = 0
    while True:
        n += 1
        pool = fa.Pool()
        source = fa.PcmSource(io.BytesIO(SOUND), sample_rate=RATE_HZ)
        made: list[Any] = []
        interrupt = Interrupt(n)
        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            use(made, pool, source)
        except KeyboardInterrupt:
            assert interrupt.left == 0
        else:
            assert interrupt.left > 0, f"interrupt {n} was lost"
            break
        finally:
            sys.settrace(before)
        start_s = time.monotonic()
        interrupted_early = not made  # what was made so far may be part of a cycle
        if made:
            made[0].get(0.01)  # whoever was interrupted can go on
            made[0].close()
            assert made[0].closed
        made.clear()
        if interrupted_early:
            gc.collect()
        wait_until(lambda pool=pool: len(pool) == 0)  # type: ignore[misc]
        pool.close()
        assert time.monotonic() - start_s < SOON_S
        thread = source._thread
        wait_until(lambda thread=thread: thread is None or not thread.is_alive())  # type: ignore[misc]
    assert n > 100


# Each waits for ever, in Python's main thread.
WAITS = {
    "get": "scores().live(16_000).get()",
    "iteration": "next(scores().live(16_000))",
    "get while another waits": "s = scores().live(16_000)\n"
    "threading.Thread(target=s.get, daemon=True).start(); time.sleep(0.1); s.get()",
    "push without room": "scores().live(16_000, buffer_s=0.5, max_results=1).push(noise(10_000_000))",
    "push while another pushes": "s = scores().live(16_000, buffer_s=0.5, max_results=1)\n"
    "blocks = [noise(10_000_000)] * 9\n"
    "def other():\n"
    "    with contextlib.suppress(fa.StateError): feed(s, blocks)\n"  # the end closes it
    "threading.Thread(target=other, daemon=True).start(); time.sleep(0.1); s.push(noise(1000))",
    "async for": "import asyncio\nasync def run():\n    async with scores().live(16_000) as s:\n"
    "        async for window in s: pass\nasyncio.run(run())",
}


@pytest.mark.skipif(sys.platform == "win32", reason="its signals can't be sent so")
@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait_soon(wait: str) -> None:
    lines = "\n".join("    " + line for line in WAITS[wait].splitlines())
    code = f"""
def interrupt():
    time.sleep(1)
    global sent_s
    sent_s = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
try:
{lines}
except KeyboardInterrupt:
    print(time.monotonic() - sent_s)
"""
    assert float(run_program(code).stdout) < SOON_S


def blocked_push() -> None:
    with FEATURES.live(RATE_HZ, buffer_s=0.5, max_results=1) as stream:
        stream.push(noise(10_000_000))


def waiting_get() -> None:
    with FEATURES.live(RATE_HZ) as stream:
        stream.get()


def get_behind_another() -> None:
    with FEATURES.live(RATE_HZ) as stream:
        threading.Thread(target=stream.get, daemon=True).start()
        time.sleep(0.1)
        stream.get()


CALLS = [blocked_push, waiting_get, get_behind_another]


@pytest.mark.parametrize("call", CALLS)
def test_a_time_limit_ends_a_wait_soon(call: Any) -> None:
    start_s = time.monotonic()
    with _core.Interruptible(timeout_s=0.3), pytest.raises(fa.TimedOut):
        call()
    assert time.monotonic() - start_s < SOON_S


@pytest.mark.parametrize("call", CALLS)
def test_cancel_ends_a_wait_in_any_thread_soon(call: Any) -> None:
    cancel = fa.Cancel()
    ended_s = []

    def run() -> None:
        with _core.Interruptible(cancel), pytest.raises(fa.Cancelled):
            call()
        ended_s.append(time.monotonic())

    with background(run), background(run):
        time.sleep(0.3)
        start_s = time.monotonic()
        cancel.cancel()
    assert max(ended_s) - start_s < SOON_S


def test_close_ends_what_runs() -> None:
    """A window of a network that takes long is ended, not waited for."""
    slow = fa.Pipeline(fa.MelSpectrogram(sample_rate=RATE_HZ) >> fa.Statistics(window=100_000, hop=1))
    stream = slow.live(RATE_HZ, buffer_s=100)
    stream.push(noise(90 * RATE_HZ))
    start_s = time.monotonic()
    stream.close()
    assert time.monotonic() - start_s < SOON_S


def test_a_program_with_many_streams_ends_soon() -> None:
    start_s = time.monotonic()
    run_program(
        """
        tagger = fa.Pipeline.load("musicnn-mtt")
        streams = [tagger.live(16_000) for _ in range(30)]
        for stream in streams: stream.push(noise(64_000))
        next(streams[0])
        """
    )
    assert time.monotonic() - start_s < 3 * SOON_S
