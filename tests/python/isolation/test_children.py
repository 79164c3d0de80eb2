"""Turns of calls: an interrupt loses none, and calls within calls don't wait for themselves."""

from __future__ import annotations

import inspect
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.isolation import children
from helpers import musicnn_front
from isolation_helpers import LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

if sys.platform == "win32":
    pytest.skip("isolation needs Linux or macOS", allow_module_level=True)

SOUND = np.zeros(16_000, np.float32)
N_CALLS = os.cpu_count() or 1


@pytest.fixture
def apart() -> Iterator[Any]:
    with fa.isolated(fa.Pipeline(musicnn_front())) as pipeline:
        yield pipeline


def test_an_interrupt_at_any_line_of_a_turn_loses_none(apart: Any) -> None:
    def turn() -> None:
        with apart._children.call():
            pass

    n_lines = 0
    for _ in range(N_CALLS + 2):
        for line in range(1, 100):
            if not interrupted_at(line, turn):
                break
            n_lines += 1
    assert n_lines > 5 * N_CALLS
    done = threading.Thread(target=turn, daemon=True)
    done.start()
    done.join(LIMIT_S)
    assert not done.is_alive()


def interrupted_at(line: int, call: Callable[[], None]) -> bool:
    """Call, and raise KeyboardInterrupt at the line of that number within `children`.

    Not at a `with`, which Python traces once more at its end, where it handles no signal.
    """
    left = line
    source = inspect.getsource(children).splitlines()

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith("children.py"):
            return None
        if event == "line" and not source[frame.f_lineno - 1].lstrip().startswith("with "):
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_calls_within_progress_go_on(apart: fa.Pipeline) -> None:
    depths = []

    def nested(depth: int) -> None:
        depths.append(depth)
        if depth <= N_CALLS:
            once = iter([1])
            apart(
                SOUND,
                sample_rate=16_000,
                timeout_s=LIMIT_S,
                progress=lambda *_: nested(depth + 1) if next(once, None) else None,
            )

    nested(0)
    assert max(depths) == N_CALLS + 1


def test_no_more_calls_run_at_once_than_there_are_cores(apart: Any) -> None:
    lock, running, most, together = threading.Lock(), 0, 0, threading.Event()

    def turn(_: int) -> None:
        nonlocal running, most
        with apart._children.call():
            with lock:
                running += 1
                most = max(most, running)
                if running == N_CALLS:
                    together.set()
            together.wait(LIMIT_S)  # however late some of them begin
            time.sleep(0.01)
            with lock:
                running -= 1

    with ThreadPoolExecutor(4 * N_CALLS) as threads:
        list(threads.map(turn, range(20 * N_CALLS)))
    assert most == N_CALLS
