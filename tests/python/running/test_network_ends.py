"""A network that would run for ever ends when it is asked to, and its caller hears why."""

from __future__ import annotations

import _thread
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import _core
from onnx_bytes import endless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROWS = np.zeros((3, 4), np.float32)
LIMIT_S = 120.0
"""Far more than any end takes: about 0.1 s."""


@pytest.fixture
def net(tmp_path: Path) -> fa.OnnxModel:
    """Return a network that adds for ever; its outputs are known without a run."""
    return saved(tmp_path, ("n", 4))


def saved(folder: Path, shape: tuple[int | str, ...], **options) -> fa.OnnxModel:
    """Return a network that adds for ever."""
    path = folder / "endless.onnx"
    path.write_bytes(endless(shape))
    return fa.OnnxModel(path, **options)


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Require an end in time."""
    start_s = time.monotonic()
    yield
    assert time.monotonic() - start_s < LIMIT_S


def interrupted(call: Callable[[], object]) -> None:
    """Press Ctrl-C while a call goes on."""

    def called() -> None:
        threading.Timer(0.2, _thread.interrupt_main).start()
        call()

    with pytest.raises(KeyboardInterrupt):
        called()


def cancelled(call: Callable[[], object]) -> None:
    """Cancel a call from another thread."""
    cancel = fa.Cancel()
    threading.Timer(0.2, cancel.cancel).start()
    with _core.Interruptible(cancel), pytest.raises(fa.Cancelled):
        call()


def timed_out(call: Callable[[], object]) -> None:
    """Give a call less time than it needs."""
    with _core.Interruptible(timeout_s=0.2), pytest.raises(fa.TimedOut):
        call()


def in_a_thread(end: Callable[[Callable[[], object]], None]) -> Callable[[Callable[[], object]], None]:
    """Return the same end for a call in another thread."""

    def run(call: Callable[[], object]) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(end, call).result()

    return run


ENDS = {
    "Ctrl-C": interrupted,
    "cancel": cancelled,
    "time limit": timed_out,
    "cancel in a thread": in_a_thread(cancelled),
    "time limit in a thread": in_a_thread(timed_out),
}
each_end = pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())


@each_end
@pytest.mark.parametrize("threads", [1, 2])
def test_a_run(tmp_path: Path, end: Callable[[Callable[[], object]], None], threads: int) -> None:
    net = saved(tmp_path, ("n", 4), threads=threads)
    end(lambda: net(ROWS))


@each_end
def test_a_push_and_a_flush(net: fa.OnnxModel, end: Callable[[Callable[[], object]], None]) -> None:
    stream = net.open()
    end(lambda: stream.push(ROWS))
    two = fa.Sequential([net, net]).open()
    end(lambda: two.push(ROWS))


@each_end
def test_the_first_run_that_tells_the_shape(
    tmp_path: Path, end: Callable[[Callable[[], object]], None]
) -> None:
    net = saved(tmp_path, ("n", "m"))
    spec = fa.StreamSpec(rate_hz=1, shape=[4])
    end(lambda: net.output_specs(spec))
    end(lambda: net.open().push(ROWS))


def test_who_waits_for_anothers_first_run_ends_too(tmp_path: Path) -> None:
    net = saved(tmp_path, ("n", "m"))
    spec = fa.StreamSpec(rate_hz=1, shape=[4])
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(cancelled, lambda: net.output_specs(spec))
        time.sleep(0.05)
        timed_out(lambda: net.output_specs(spec))
        other.result()


def test_others_go_on_meanwhile(net: fa.OnnxModel) -> None:
    """The GIL is free, and so is the network's session."""
    cancel = fa.Cancel()

    def run() -> None:
        with _core.Interruptible(cancel), pytest.raises(fa.Cancelled):
            net(ROWS)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        for _ in range(20):  # a thread that stood still would never come to the cancelling
            time.sleep(0.01)
            assert not running.done()
        cancel.cancel()
        running.result()


def test_a_network_can_be_run_again_after_it_was_ended(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(endless(trips="trips"))
    net = fa.OnnxModel(path)
    want = ROWS + 12
    cancel = fa.Cancel()
    cancel.cancel()
    with _core.Interruptible(cancel), pytest.raises(fa.Cancelled):
        net(ROWS)
    for threads in (1, 2):
        np.testing.assert_array_equal(fa.OnnxModel(path, threads=threads)(ROWS), want)
    np.testing.assert_array_equal(net(ROWS), want)


def test_a_stream_with_threads_that_is_dropped_ends_its_runs(tmp_path: Path) -> None:
    stream = saved(tmp_path, ("n", 4), threads=2).open()
    rows = np.zeros((9, 4), np.float32)
    timed_out(partial(stream.push, rows))
    del stream  # or hangs


def test_those_who_wait_for_a_turn_can_be_ended(net: fa.OnnxModel) -> None:
    """More calls at a time than there are turns, so that some wait for theirs."""
    with ThreadPoolExecutor(40) as pool:
        for one in [pool.submit(timed_out, lambda: net(ROWS)) for _ in range(40)]:
            one.result()


EXITS = """
import sys, threading, time
import numpy as np
import fastaudio as fa
rows = np.zeros((9, 4), np.float32)
nets = [fa.OnnxModel(sys.argv[1], threads=threads) for threads in (1, 3, 1)]
stream = nets[2].open()
for call in (lambda: nets[0](rows), lambda: nets[1](rows), lambda: stream.push(rows)):
    threading.Thread(target=call, daemon=True).start()
time.sleep(0.3)
"""


def test_a_process_ends_while_networks_run(tmp_path: Path) -> None:
    """In calls of one and of several threads, and in a stream, all of daemons."""
    path = tmp_path / "endless.onnx"
    path.write_bytes(endless())
    done = subprocess.run(
        [sys.executable, "-c", EXITS, str(path)], timeout=LIMIT_S, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows doesn't fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # what newer Pythons say about forks with threads
def test_a_fork_runs_networks_while_the_parent_does(tmp_path: Path) -> None:
    """What runs in the parent's threads neither runs in the child nor holds up its end."""
    (tmp_path / "ends.onnx").write_bytes(endless(trips="trips"))
    program = """
import os, sys, threading, time
import numpy as np
import fastaudio as fa
rows = np.zeros((3, 4), np.float32)
forever, ends = fa.OnnxModel(sys.argv[1]), fa.OnnxModel(sys.argv[2])
threading.Thread(target=lambda: forever(rows), daemon=True).start()
time.sleep(0.3)
child = os.fork()
assert ends(rows)[0, 0] == 12
if child:
    assert os.waitpid(child, 0)[1] == 0
"""
    saved(tmp_path, ("n", 4))
    paths = [str(tmp_path / name) for name in ("endless.onnx", "ends.onnx")]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *paths],
        timeout=LIMIT_S,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
