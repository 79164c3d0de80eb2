"""OnnxModel: further inputs that are constant, and rows of few axes."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from network_forms import ROWS, answers, node, save, scaled, tensor


@pytest.mark.parametrize(
    ("kind", "value", "axes"),
    [
        ("int64", 16000, ()),
        ("int64", 3.0, ()),
        ("int32", -7, (1,)),
        ("float32", 46.875, ()),
        ("float32", 2, ("k",)),
        ("float64", 0.1, ()),
        ("float16", 0.1, ()),
        ("bool", True, ()),
        ("uint8", 255, ()),
        ("float32", [1, 2.5, 3], (3,)),
        ("int64", [[1, 2, 3]], ("a", 3)),
    ],
)
def test_a_constant_takes_the_networks_type(
    tmp_path: Path, kind: str, value: Any, axes: tuple[int | str, ...]
) -> None:
    path = scaled(tmp_path / "net.onnx", kind, axes)
    fed = np.asarray(value, dtype=kind).reshape([1] * len(axes)) if not isinstance(value, list) else value
    (want,) = answers(path, {"x": ROWS, "by": np.asarray(fed, dtype=kind)})
    for given in (value, np.asarray(value)):
        net = fa.OnnxModel(path, inputs={"by": given})
        assert np.array_equal(net(ROWS), want)
    again = pickle.loads(pickle.dumps(net))  # noqa: S301
    assert again == net
    assert eval(repr(net), {"OnnxModel": fa.OnnxModel}) == net  # noqa: S307
    assert json.loads(json.dumps(net.to_dict()["inputs"])) == net.inputs


@pytest.mark.parametrize(
    ("kind", "value", "axes", "message"),
    [
        ("int64", 46.5, (), r"expected int64 \[\] for input 'by', got 46.5, which that type can't hold"),
        ("int16", 32768, (), r"got 32768, which that type can't hold"),
        ("uint8", -1, (), r"got -1, which that type can't hold"),
        ("bool", 2, (), r"got 2, which that type can't hold"),
        ("float16", 1e6, (), r"which that type can't hold"),
        ("float32", [1, 2], (3,), r"expected float32 \[3\] for input 'by', got shape \[2\]"),
        ("float32", [1, 2, 3], (), r"got shape \[3\]; give it as a number"),
        ("float32", 1, (3,), r"got one number; give it as nested lists"),
    ],
)
def test_a_constant_that_does_not_fit_is_refused_with_type_and_shape(
    tmp_path: Path, kind: str, value: Any, axes: tuple[int, ...], message: str
) -> None:
    with pytest.raises(fa.ModelError, match=message):
        fa.OnnxModel(scaled(tmp_path / "net.onnx", kind, axes), inputs={"by": value})


def test_inputs_without_a_constant_are_told_with_type_and_shape(tmp_path: Path) -> None:
    path = scaled(tmp_path / "net.onnx", "int64")
    message = r"got 'x' float32 \[\?, 3\], 'by' int64 \[\]; give the others what they always are with inputs="
    with pytest.raises(fa.ModelError, match=message):
        fa.OnnxModel(path)
    with pytest.raises(
        fa.ModelError, match=r"expected inputs among \['x', 'by'\], got 'bye'; did you mean 'by'"
    ):
        fa.OnnxModel(path, inputs={"bye": 1})


def test_a_waveform_of_one_axis_is_a_row(tmp_path: Path) -> None:
    nodes = [node("Mul", ["x", "x"], ["y"])]
    path = save(
        tmp_path / "net.onnx", nodes, [tensor("x", "float32", ("s",))], [tensor("y", "float32", ("s",))]
    )
    rows = np.random.default_rng(0).uniform(-1, 1, (4, 100)).astype(np.float32)
    assert np.array_equal(fa.OnnxModel(path)(rows), rows * rows)
    nodes = [node("ReduceMax", ["x"], ["y"], axes=[1], keepdims=0)]
    path = save(
        tmp_path / "b.onnx", nodes, [tensor("x", "float32", (1, "s"))], [tensor("y", "float32", (1,))]
    )
    assert np.array_equal(fa.OnnxModel(path)(rows), rows.max(axis=1))


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
def test_outputs_of_any_rank_come_whole_where_a_run_has_one_row(tmp_path: Path, rank: int) -> None:
    shape = np.array([[], [6], [2, 3], [3, 1, 2], [3, 1, 2, 1]][rank], dtype=np.int64)
    first = [node("ReduceSum", ["x"], ["sum"], keepdims=0)] if rank == 0 else []
    path = save(
        tmp_path / "net.onnx",
        [*first, node("Reshape", ["sum" if rank == 0 else "x", "shape"], ["y"])],
        [tensor("x", "float32", (6,))],
        [tensor("y", "float32", [f"a{k}" for k in range(rank)])],
        shape=shape,
    )
    rows = np.arange(12, dtype=np.float32).reshape(2, 6)
    want = [answers(path, {"x": row})[0] for row in rows]
    assert np.array_equal(fa.OnnxModel(path)(rows), np.stack(want))
