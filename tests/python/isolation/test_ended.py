"""Calls of isolated pipelines end when they are asked to, whatever the process does."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio._core import Interruptible
from fastaudio.isolation import process
from helpers import musicnn_front
from isolation_helpers import LIMIT_S, SOUND, gone, pids
from onnx_bytes import FLOAT, INT64, field, graph, info, model, node, tensor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

if sys.platform == "win32":
    pytest.skip("isolation needs Linux or macOS", allow_module_level=True)


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


def test_a_network_that_never_ends_is_ended(tmp_path: Path) -> None:
    network = fa.OnnxModel(str(loop_for_ever(tmp_path / "loop.onnx")))
    pipeline = fa.Pipeline(musicnn_front() >> network)
    with fa.isolated(pipeline) as apart:
        for one in apart._children._started:  # which may have taken longer to begin
            one._limits = fa.Limits(answer_s=1.0)
        with pytest.raises(fa.IsolationError, match="within 1 s"):
            apart(SOUND, sample_rate=16_000)
        assert pids(apart) == []


def test_a_time_limit_and_a_cancel_end_a_call(tmp_path: Path) -> None:
    network = fa.OnnxModel(str(loop_for_ever(tmp_path / "loop.onnx")))
    with fa.isolated(fa.Pipeline(musicnn_front() >> network)) as apart:
        started_s, (first,) = time.monotonic(), pids(apart)
        with pytest.raises(fa.TimedOut), Interruptible(timeout_s=1.0):
            apart(SOUND, sample_rate=16_000)
        assert gone(first)
        cancel = fa.Cancel()
        threading.Timer(0.3, cancel.cancel).start()
        with pytest.raises(fa.Cancelled), Interruptible(cancel):
            apart(SOUND, sample_rate=16_000)
        assert time.monotonic() - started_s < LIMIT_S
        left = pids(apart)
        assert len(left) <= 1  # one that starts is kept for the next call
    assert all(map(gone, left))


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
        timer = threading.Timer(after_s, act or (lambda: None))

        def ended(timer: Any = timer, keywords: Any = keywords) -> None:
            timer.start()
            call(**keywords)

        started_s = time.monotonic()
        with pytest.raises(error):
            ended()
        timer.join()
        assert time.monotonic() - started_s < after_s + LIMIT_S


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
        assert len(pids(apart)) <= 1  # one that starts is kept for the next call
    assert all(map(gone, set(started)))


def test_closing_from_another_thread_ends_a_call(tmp_path: Path) -> None:
    network = fa.OnnxModel(str(loop_for_ever(tmp_path / "loop.onnx")))
    with fa.isolated(fa.Pipeline(musicnn_front() >> network)) as apart:
        (held,) = apart._children._started

        def close() -> None:
            until_s = time.monotonic() + LIMIT_S
            for _ in range(2):  # opened, then asked
                while not held.busy and time.monotonic() < until_s:
                    time.sleep(0.01)
                time.sleep(0.2)
            apart.close()

        closing = threading.Thread(target=close)
        closing.start()
        with pytest.raises(fa.IsolationError):
            apart(SOUND, sample_rate=16_000)
        closing.join()


def test_a_time_limit_ends_a_process_that_always_answers(tmp_path: Path) -> None:
    """While it reads and runs a file, its messages come one after another, without a wait in between."""
    sound = np.random.default_rng(0).normal(0, 0.1, 16_000 * 600).astype(np.float32)
    soundfile.write(tmp_path / "long.flac", sound, 16_000)
    with fa.Pipeline.load("musicnn-mtt", isolate=True) as apart:
        apart(SOUND, sample_rate=16_000)  # it has started
        seen: list[float] = []

        def progress(done_s: float, _: object) -> None:
            seen.append(done_s)
            time.sleep(0.1)  # the next message is there by then

        with pytest.raises(fa.TimedOut):
            apart(tmp_path / "long.flac", timeout_s=0.5, progress=progress)
        assert max(seen, default=0) < 300


def test_a_stream_that_is_closed_while_it_runs_says_so(tmp_path: Path) -> None:
    network = fa.OnnxModel(str(loop_for_ever(tmp_path / "loop.onnx")))
    with fa.isolated(fa.Pipeline(musicnn_front() >> network)) as apart:
        stream = apart.open(sample_rate=16_000)
        caught: list[BaseException] = []

        def push() -> None:
            try:
                stream.push(SOUND)
            except fa.FastaudioError as error:
                caught.append(error)

        pushing = threading.Thread(target=push)
        pushing.start()
        while not stream._stream._process.busy and pushing.is_alive():
            time.sleep(0.01)
        stream.close()
        pushing.join(LIMIT_S)
        assert not pushing.is_alive()
        assert [str(error) for error in caught] == [process.CLOSED]
