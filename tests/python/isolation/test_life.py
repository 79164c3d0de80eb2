"""The life of isolated processes: they end when they must, and the next call survives it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio._core import Interruptible
from fastaudio.isolation import process
from helpers import GUITAR, musicnn_front
from onnx_bytes import FLOAT, INT64, field, graph, info, model, node, tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

if sys.platform == "win32":
    pytest.skip("isolation needs Linux or macOS", allow_module_level=True)

SOUND = np.zeros(16_000, np.float32)


@pytest.fixture
def apart() -> Iterator[fa.Pipeline]:
    with fa.isolated(fa.Pipeline(musicnn_front())) as pipeline:
        yield pipeline


def pids(pipeline: Any) -> list[int]:
    return [one.pid for one in pipeline._children._started if one.alive]


def gone(pid: int, within_s: float = 10.0) -> bool:
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def n_open() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


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


def test_a_stream_whose_process_ended_says_so_and_begins_again_after_reset(apart: fa.Pipeline) -> None:
    with apart.open(sample_rate=16_000) as stream:
        stream.push(SOUND)
        for pid in pids(apart):
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(fa.IsolationError, match="SIGKILL"):
            stream.push(SOUND)
        with pytest.raises(fa.StateError, match="call reset"):
            stream.push(SOUND)
        stream.reset()
        first = stream.push(SOUND)
        assert len(first) + len(stream.flush()) == 63


def test_close_ends_the_processes_and_so_does_the_last_reference() -> None:
    pipeline = fa.isolated(fa.Pipeline(musicnn_front()))
    stream = pipeline.open(sample_rate=16_000)
    held = pids(pipeline)
    pipeline.close()
    assert all(map(gone, held))
    with pytest.raises(fa.FastaudioError):
        stream.push(SOUND)
    assert len(pipeline(SOUND, sample_rate=16_000)) == 63
    held = pids(pipeline)
    del stream, pipeline
    assert held
    assert all(map(gone, held))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_thousands_of_calls_leave_no_descriptor_and_no_zombie(apart: fa.Pipeline) -> None:
    apart(SOUND, sample_rate=16_000)
    before, (pid,) = n_open(), pids(apart)
    for _ in range(2000):
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
        results = list(threads.map(lambda _: apart(GUITAR), range(24)))
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
    assert float(took_s) < 5
    assert n_rows == "63"


def loop_for_ever(path: Path) -> Path:
    """Write a network whose loop never ends."""
    onnx = pytest.importorskip("onnx", reason="pip install '.[train]'")
    make = onnx.helper
    value = make.make_tensor_value_info
    body = make.make_graph(
        [make.make_node("Identity", ["on"], ["on_next"]), make.make_node("Sin", ["y"], ["y_next"])],
        "body",
        [value("i", 7, []), value("on", 9, []), value("y", 1, ["n", 96])],
        [value("on_next", 9, []), value("y_next", 1, ["n", 96])],
    )
    graph = make.make_graph(
        [make.make_node("Loop", ["", "true", "x"], ["out"], body=body)],
        "graph",
        [value("x", 1, ["n", 96])],
        [value("out", 1, ["n", 96])],
        [make.make_tensor("true", 9, [], [True])],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


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


def test_a_network_that_never_ends_is_ended(tmp_path: Path) -> None:
    network = fa.OnnxModel(str(loop_for_ever(tmp_path / "loop.onnx")))
    pipeline = fa.Pipeline(musicnn_front() >> network)
    with fa.isolated(pipeline, limits=fa.Limits(answer_s=1.0)) as apart:
        started_s = time.monotonic()
        with pytest.raises(fa.IsolationError, match="within 1 s"):
            apart(SOUND, sample_rate=16_000)
        assert time.monotonic() - started_s < 10
        assert pids(apart) == []


def test_a_time_limit_and_a_cancel_end_a_call(tmp_path: Path) -> None:
    network = fa.OnnxModel(str(loop_for_ever(tmp_path / "loop.onnx")))
    with fa.isolated(fa.Pipeline(musicnn_front() >> network)) as apart:
        started_s = time.monotonic()
        with pytest.raises(fa.TimedOut), Interruptible(timeout_s=0.3):
            apart(SOUND, sample_rate=16_000)
        cancel = fa.Cancel()
        threading.Timer(0.3, cancel.cancel).start()
        with pytest.raises(fa.Cancelled), Interruptible(cancel):
            apart(SOUND, sample_rate=16_000)
        assert time.monotonic() - started_s < 20
        assert pids(apart) == []


def square(name: str, size: int) -> bytes:
    """Return a constant of a network, [size, size]."""
    raw = np.full((size, size), 1 / size, np.float32).tobytes()
    return field(1, size) + field(1, size) + field(2, FLOAT) + field(8, name) + field(9, raw)


def folds_for_minutes() -> bytes:
    """Return a network whose loading multiplies constants, 16 TFLOP of them."""
    n = 300
    products = [node("MatMul", [f"c{k}", "c0"], [f"c{k + 1}"]) for k in range(n)]
    nodes = [*products, node("ReduceMean", [f"c{n}"], ["m"]), node("Add", ["x", "m"], ["y"])]
    rows = ("n", 96)
    return model(graph(nodes, [info("x", rows)], [info("y", rows)], [square("c0", 3000)]))


def one_huge_operator() -> bytes:
    """Return a network of which one operator takes long over some rows, though not over one."""
    nodes = [
        node("Tile", ["x", "often"], ["t"]),
        node("Transpose", ["t"], ["u"]),
        node("MatMul", ["t", "u"], ["a"]),
        node("MatMul", ["a", "a"], ["b"]),
        node("ReduceMean", ["b"], ["m"]),
        node("Add", ["x", "m"], ["y"]),
    ]
    rows = ("n", 96)
    often = tensor("often", [400, 1], (2,), INT64)
    return model(graph(nodes, [info("x", rows)], [info("y", rows)], [often]))


def card_of(folder: Path, network: bytes) -> Path:
    """Write a card of a network over spectra."""
    (folder / "network.onnx").write_bytes(network)
    sha256 = hashlib.sha256(network).hexdigest()
    mel = {"node": "MelSpectrogram", "sample_rate": 16_000, "n_fft": 512, "hop_length": 256, "n_mels": 96}
    parts = [mel, {"node": "OnnxModel", "path": "network.onnx", "sha256": sha256}]
    card = {"schema": "fastaudio.card/1", "name": "x", "pipeline": parts}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder / "card.json"


def assert_ended_early(call: Callable[..., Any], after_s: float) -> None:
    """Check that a time limit, a cancel and Ctrl-C each end a call that would take much longer."""
    cancel = fa.Cancel()
    for error, keywords, act in (
        (fa.TimedOut, {"timeout_s": after_s}, None),
        (fa.Cancelled, {"cancel": cancel}, cancel.cancel),
        (KeyboardInterrupt, {}, lambda: os.kill(os.getpid(), signal.SIGINT)),
    ):
        started_s = time.monotonic()
        timer = threading.Timer(after_s, act or (lambda: None))
        timer.start()
        with pytest.raises(error):
            call(**keywords)
        timer.join()
        assert time.monotonic() - started_s < after_s + 5


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the numbers of the processes that are started from now on."""
    numbers: list[int] = []
    receive = process.Process.receive

    def noted(self: process.Process, *kinds: str, **how: Any) -> Any:
        numbers.append(self.pid)
        return receive(self, *kinds, **how)

    monkeypatch.setattr(process.Process, "receive", noted)
    return numbers


def test_loading_that_folds_constants_for_minutes_is_ended(tmp_path: Path, started: list[int]) -> None:
    path = card_of(tmp_path, folds_for_minutes())
    assert_ended_early(lambda **how: fa.Pipeline.load(path, isolate=True, **how), after_s=3.0)
    assert len(set(started)) == 3
    assert all(map(gone, set(started)))


def test_a_call_within_one_huge_operator_is_ended(tmp_path: Path, started: list[int]) -> None:
    path = card_of(tmp_path, one_huge_operator())
    sound = np.random.default_rng(0).normal(0, 0.1, 16_000 * 60).astype(np.float32)
    with fa.Pipeline.load(path, threads=1, isolate=fa.Limits(memory_mb=8000)) as apart:
        assert_ended_early(lambda **how: apart(sound, sample_rate=16_000, **how), after_s=1.5)
        assert pids(apart) == []
    assert all(map(gone, set(started)))


def test_closing_from_another_thread_ends_a_call(tmp_path: Path) -> None:
    network = fa.OnnxModel(str(loop_for_ever(tmp_path / "loop.onnx")))
    with fa.isolated(fa.Pipeline(musicnn_front() >> network)) as apart:
        threading.Timer(0.5, apart.close).start()
        with pytest.raises(fa.IsolationError):
            apart(SOUND, sample_rate=16_000)


def test_memory_is_bounded_and_the_error_says_so() -> None:
    sound = np.zeros(40_000_000, np.float32)
    with fa.isolated(fa.Pipeline(musicnn_front()), limits=fa.Limits(memory_mb=700)) as apart:
        with pytest.raises(fa.IsolationError, match="memory"), apart.open(sample_rate=16_000) as stream:
            stream.push(np.tile(sound, 2))
        assert len(apart(SOUND, sample_rate=16_000)) == 63


# What code within the process may still do, once it is restricted: attempts that succeed are told by name.
_ATTEMPTS = """
import json, os, socket, sys
how = json.loads(sys.argv[1])
import fastaudio.isolation.child as child
from fastaudio.isolation import limits, wire
channel = wire.Channel(socket.socket(fileno=how["descriptor"]), lambda: None)
limits.restrict_resources(int(4e9))
child._load_libraries()
guards = limits.restrict_rights()
attempts = {
    "read": lambda: open("/etc/passwd").read(),
    "list": lambda: os.listdir("/"),
    "write": lambda: open("/tmp/fastaudio-isolation-test", "w"),
    "remove": lambda: os.unlink("/etc/passwd"),
    "socket": lambda: socket.socket(),
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "kill": lambda: os.kill(how["owner"], 0),
    "trace": lambda: os.setpgid(0, 0),
    "chmod": lambda: os.chmod("/tmp", 0o777),
}
done = []
for name, attempt in attempts.items():
    try:
        attempt()
        done.append(name)
    except OSError:
        pass
channel.send("ready", {"guards": [*guards, *("did " + name for name in done)]})
import time; time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what holds it is Linux's")
def test_code_within_a_process_can_open_nothing_and_start_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_PROGRAM", _ATTEMPTS)
    held = process.Process(fa.Limits())
    held.end()
    if "seccomp" not in held.guards:
        pytest.skip("this kernel has no seccomp")
    assert [one for one in held.guards if one.startswith("did")] == []


def test_the_environment_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET_OF_MINE", "secret")
    with fa.isolated(fa.Pipeline(musicnn_front())) as apart:
        (pid,) = pids(apart)
        path = Path(f"/proc/{pid}/environ")
        if not path.exists():
            pytest.skip("needs /proc")
        assert b"secret" not in path.read_bytes()
        own = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}  # noqa: PTH115
        assert all(one == "/dev/null" or one.startswith("socket:") for one in own), own
