"""A network may take any usual form of waveform, and further inputs, each of which has its option."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import importing

pytest.importorskip("onnx")
import onnxruntime
from importing_helpers import numbers, write_silero, write_typed
from onnx import TensorProto, helper

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 16_000
LABELS = ["a", "b", "c"]
SAMPLES: dict[str, Any] = {"options": {"sample_rate": RATE}}
FLOAT = TensorProto.FLOAT
step = helper.make_node


def of_sound(path: Path, shape: list[Any], time: int, scores: list[Any]) -> Path:
    """Write a network of scores of a waveform along the axis `time`, from the mean of its magnitude."""
    n = scores[-1] if scores else 1
    nodes = [
        step("Abs", ["x"], ["a"]),
        step("ReduceMean", ["a"], ["m"], axes=[time], keepdims=1),
        step("Reshape", ["m", "rows"], ["r"]),
        step("MatMul", ["r", "w"], ["g"]),
        step("Sigmoid", ["g"], ["s"]),
        step("Reshape", ["s", "shape"], ["scores"]),
    ]
    weights = {"rows": np.array([-1, 1]), "w": numbers(1, n, scale=9)}
    weights["shape"] = np.array([-1, n][2 - len(scores) :], dtype=np.int64)
    return write_typed(path, nodes, {"x": (FLOAT, shape)}, {"scores": scores}, weights)


def noise(seconds: float) -> NDArray[np.float32]:
    n = round(seconds * RATE)
    return (np.random.default_rng(0).uniform(-0.3, 0.3, n) * np.linspace(0, 1, n)).astype(np.float32)


def run(path: Path, feeds: dict[str, Any]) -> list[NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got: list[NDArray[np.float32]] = session.run(None, feeds)
    return got


@pytest.mark.parametrize(
    ("shape", "form", "scores"),
    [
        (["t"], [-1], [3]),
        ([None], [-1], [3]),
        ([15_600], [-1], [3]),
        ([15_600], [-1], [1, 3]),
        (["t"], [-1], [1]),
        (["t"], [-1], []),
        (["t", 1], [-1, 1], [1, 3]),
        ([15_600, 1], [-1, 1], [1, 3]),
        ([1, "t"], [1, -1], [1, 3]),
        ([1, 15_600], [1, -1], [1, 3]),
        (["n", "t"], [1, -1], ["n", 3]),
        ([None, None], [1, -1], ["n", 3]),
        (["n", 15_600], [1, -1], ["n", 3]),
        (["n", "t"], [1, -1], ["n", 1]),
        (["n", 1, "t"], [1, 1, -1], ["n", 3]),
        (["n", "t", 1], [1, -1, 1], ["n", 3]),
    ],
)
@pytest.mark.parametrize("window_s", [None, 0.975])
def test_waveforms_of_any_rank_are_taken(
    tmp_path: Path, shape: list[Any], form: list[int], scores: list[Any], window_s: float | None
) -> None:
    network = of_sound(tmp_path / "net.onnx", shape, form.index(-1), scores)
    labels = LABELS[: scores[-1] if scores else 1]
    pipeline = importing.from_onnx(network, "samples", labels=labels, window_s=window_s, **SAMPLES)
    importing.save(pipeline, tmp_path / "m")
    n = 15_600 if window_s or 15_600 in shape else 160_000
    x = noise(21)
    windows = [x[i : i + n].reshape(form) for i in range(0, len(x) - n + 1, n)]
    want = np.stack([run(network, {"x": window})[0].reshape(len(labels)) for window in windows])
    got = fa.Pipeline.load(tmp_path / "m")(x, sample_rate=RATE)
    assert got.labels == labels
    assert np.array_equal(got.scores, want)
    closer = fa.Pipeline.load(tmp_path / "m").with_hop(n / 2 / RATE)(x, sample_rate=RATE)
    assert np.array_equal(closer.scores[::2], want)


@pytest.mark.parametrize("shape", [[96, 64], ["t", 64]])
def test_patches_without_a_batch_are_taken(tmp_path: Path, shape: list[Any]) -> None:
    nodes = [
        step("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1),
        step("MatMul", ["m", "w"], ["g"]),
        step("Sigmoid", ["g"], ["scores"]),
    ]
    weights = {"w": numbers(64, 3)}
    network = write_typed(tmp_path / "net.onnx", nodes, {"x": (FLOAT, shape)}, {"scores": [1, 3]}, weights)
    pipeline = importing.from_onnx(network, "yamnet", labels=LABELS)
    patches = fa.presets.yamnet()(noise(3))
    want = np.concatenate([run(network, {"x": patch})[0] for patch in patches])
    assert np.array_equal(pipeline(noise(3), sample_rate=RATE).scores, want)


def test_a_network_with_a_rate_and_a_memory_is_onnx_runtimes(tmp_path: Path) -> None:
    network = write_silero(tmp_path / "net.onnx")
    pipeline = importing.from_onnx(
        network,
        "samples",
        labels=["speech"],
        options={"sample_rate": RATE, "context": 64, "last": "pad"},
        window_s=0.032,
        inputs={"sr": 16_000},
        state={"state": "stateN"},
    )
    importing.save(pipeline, tmp_path / "m.onnx")
    x = noise(1.0)
    padded = np.concatenate([np.zeros(64, np.float32), x, np.zeros(-len(x) % 512, np.float32)])
    state, want = np.zeros((2, 1, 128), np.float32), []
    for i in range(0, len(padded) - 64, 512):
        feeds = {"input": padded[None, i : i + 576], "state": state, "sr": np.array(16_000)}
        score, state = run(network, feeds)
        want.append(score[0])
    got = fa.Pipeline.load(tmp_path / "m.onnx")(x, sample_rate=RATE)
    assert np.array_equal(got.scores, np.stack(want))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            {},
            (
                "expected one input for the sound, got input (float32 ? x ?), state (float32 2 x ? x 128), sr"
                " (int64); say what the others are given: --state state=stateN --input sr=16000 (inputs= and "
                "state= in Python)"
            ),
        ),
        ({"inputs": {"sr": 16_000}}, "say what the others are given: --state state=stateN ("),
        ({"state": {"state": "stateN"}}, "say what the others are given: --input sr=16000 ("),
        ({"inputs": {"rate": 1}}, "expected inputs among input, state, sr, got 'rate'; did you mean 'sr'?"),
        (
            {"state": {"stat": "stateN"}},
            "expected inputs among input, state, sr, got 'stat'; did you mean 'state'?",
        ),
        (
            {"state": {"state": "stateM"}},
            "expected outputs for a state among output, stateN, got 'stateM'; did you",
        ),
        (
            {"inputs": {"sr": 1, "state": 1, "input": 1}},
            "expected an input for the sound, got none left of",
        ),
    ],
)
def test_the_inputs_that_are_left_are_named_with_their_options(
    tmp_path: Path, how: dict[str, Any], message: str
) -> None:
    network = write_silero(tmp_path / "net.onnx")
    with pytest.raises(fa.ModelError, match=re.escape(message)):
        importing.from_onnx(network, "samples", **SAMPLES, **how)


def test_lists_are_asked_for_by_their_axes_and_many_inputs_are_cut(tmp_path: Path) -> None:
    extra: dict[str, tuple[int, list[Any]]] = {f"e{i}": (FLOAT, ["n"]) for i in range(20)}
    nodes = [step("Sum", ["x", *extra], ["z"]), step("ReduceMax", ["z"], ["y"], axes=[1], keepdims=1)]
    network = write_typed(
        tmp_path / "net.onnx", nodes, {"x": (FLOAT, ["n", "t"])} | extra, {"y": ["n", 1]}, {}
    )
    with pytest.raises(fa.ModelError, match=r"--input e0=\[\.\.\.\] .*\(12 more\)") as told:
        importing.from_onnx(network, "samples", **SAMPLES)
    assert len(str(told.value)) < 600
    pipeline = importing.from_onnx(
        network, "samples", **SAMPLES, window_s=1, inputs={name: [0.5] for name in extra}
    )
    assert np.abs(pipeline(np.zeros(RATE, np.float32), sample_rate=RATE) - 10).max() == 0


@pytest.mark.parametrize("rate_hz", [None, 101.0])
@pytest.mark.parametrize("context", [0, 1600])
def test_scores_of_frames_come_at_their_own_rate(tmp_path: Path, context: int, rate_hz: float | None) -> None:
    nodes = [
        step("Reshape", ["x", "frames"], ["r"]),
        step("Abs", ["r"], ["a"]),
        step("ReduceMean", ["a"], ["m"], axes=[1], keepdims=1),
        step("MatMul", ["m", "w"], ["g"]),
        step("Sigmoid", ["g"], ["s"]),
        step("Unsqueeze", ["s", "zero"], ["scores"]),
    ]
    weights = {"frames": np.array([-1, 160]), "w": numbers(1, 3, scale=9), "zero": np.array([0])}
    inputs: dict[str, tuple[int, list[Any]]] = {"x": (FLOAT, [1, 1, 16_000 + context])}
    network = write_typed(tmp_path / "net.onnx", nodes, inputs, {"scores": [1, "frames", 3]}, weights)
    options = {"sample_rate": RATE, "context": context}
    hop_s = None if rate_hz is None else 0.5
    pipeline = importing.from_onnx(
        network, "samples", labels=LABELS, options=options, hop_s=hop_s, frame_rate_hz=rate_hz
    )
    with pytest.raises(ValueError, match=r"expected patches without a gap .* \(--hop, --frame-rate\)"):
        importing.from_onnx(network, "samples", labels=LABELS, options=options, frame_rate_hz=500)
    tags = pipeline(noise(3.0), sample_rate=RATE)
    means = np.abs(noise(3.0)).reshape(-1, 160).mean(axis=1, dtype=np.float64)[:, None]
    want = 1 / (1 + np.exp(-means * weights["w"]))
    if rate_hz is None:
        assert tags.scores.shape == (300, 3)
        assert np.abs(tags.scores - want).max() < 1e-6
        assert np.allclose(tags.times[:, 0], np.arange(300) / 100)
    else:
        assert np.allclose(np.diff(tags.times[:, 0]), 1 / 101)


@pytest.mark.parametrize("seconds", [0.5, 1.82, 5.0, 6.7])
def test_a_network_of_basic_pitchs_shapes_gives_all_rows_in_time(tmp_path: Path, seconds: float) -> None:
    rate, row = 22_050, 256
    nodes = [
        step("Pad", ["x", "pads"], ["p"]),
        step("Reshape", ["p", "shape"], ["r"]),
        step("ReduceMean", ["r"], ["m"], axes=[2], keepdims=1),
        step("Mul", ["m", "ones"], ["note"]),
        step("Concat", ["note", "note", "note"], ["contour"], axis=2),
    ]
    weights = {
        "pads": np.array([0, 0, 0, 0, 172 * row - 43_844, 0]),
        "shape": np.array([-1, 172, row]),
        "ones": np.ones(88, np.float32),
    }
    outputs: dict[str, list[Any]] = {"contour": ["n", 172, 264], "note": ["n", 172, 88]}
    inputs: dict[str, tuple[int, list[Any]]] = {"x": (FLOAT, ["n", 43_844, 1])}
    network = write_typed(tmp_path / "nmp.onnx", nodes, inputs, outputs, weights)
    pipeline = importing.from_onnx(
        network,
        "samples",
        labels=[f"note {i}" for i in range(88)],
        options={"sample_rate": rate, "context": 3840},
        hop_s=1.64009,
        frame_rate_hz=rate / row,
    )
    n = round(seconds * rate)
    tags = pipeline(np.linspace(0, 1, n, endpoint=False, dtype=np.float32), sample_rate=rate)
    assert 0 <= len(tags.scores) + n // -row <= 1
    middles = (np.arange(n // row) + 0.5) * row / n  # a row is the mean of a ramp
    assert np.abs(tags.scores[: n // row - 1, 0] - middles[:-1]).max() < 0.51 * row / n
