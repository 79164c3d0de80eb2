"""Networks in the forms that OnnxModel takes: further inputs, other types, and no batch axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from export_cases import run_graph
from fastaudio.exporting import ExportError
from network_forms import cast, node, save, tensor

MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=3)
SOUND = np.random.default_rng(3).uniform(-0.5, 0.5, 9000).astype(np.float32)


def exported(net: fa.Node, tmp_path: Path, front: fa.Node = MEL) -> None:
    """Check the graph against the pipeline, and what a run of it gives."""
    pipeline = fa.Pipeline(front >> net)
    worst = pipeline.export_onnx(tmp_path / "all.onnx")
    assert worst is not None
    assert worst <= 1e-4
    run = run_graph((tmp_path / "all.onnx").read_bytes())
    for n in (len(SOUND), 700, 1, 0):
        want: Any = pipeline(SOUND[:n], sample_rate=16_000)
        rows = np.asarray(want.rows if hasattr(want, "rows") else want)
        np.testing.assert_allclose(run(SOUND[:n])[0], rows, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "value", "axes"),
    [
        ("int64", 16000, ()),
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
def test_a_constant_input_is_in_the_graph(
    kind: str, value: Any, axes: tuple[int | str, ...], tmp_path: Path
) -> None:
    path = save(
        tmp_path / "net.onnx",
        [cast("by", "f", "float32"), node("Mul", ["x", "f"], ["m"]), node("Tanh", ["m"], ["y"])],
        [tensor("x", "float32", ("n", 3)), tensor("by", kind, axes)],
        [tensor("y", "float32", ("n", 3))],
    )
    exported(fa.OnnxModel(path, inputs={"by": value}), tmp_path)


@pytest.mark.parametrize("kind", ["float16", "float64"])
@pytest.mark.parametrize("out", ["float16", "float32", "float64"])
def test_numbers_of_other_types_are_cast(kind: str, out: str, tmp_path: Path) -> None:
    path = save(
        tmp_path / "net.onnx",
        [node("Tanh", ["x"], ["t"]), cast("t", "y", out)],
        [tensor("x", kind, ("n", 3))],
        [tensor("y", out, ("n", 3))],
    )
    exported(fa.OnnxModel(path), tmp_path, MEL >> fa.MinMaxScale([0.0], [50.0], clip=True))


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("length", [1, 4])
def test_a_network_without_a_batch_axis_runs_row_by_row(kind: str, length: int, tmp_path: Path) -> None:
    path = save(
        tmp_path / "net.onnx",
        [node("Tanh", ["x"], ["t"]), cast("t", "f", "float32"), node("ReduceSum", ["f"], ["y"], keepdims=0)],
        [tensor("x", kind, (length, 3))],
        [tensor("y", "float32", ())],
    )
    exported(fa.OnnxModel(path, layout="tf"), tmp_path, MEL >> fa.Patches(length=length))


def test_a_network_of_halves_without_a_batch_axis_runs_row_by_row(tmp_path: Path) -> None:
    path = save(
        tmp_path / "net.onnx",
        [cast("x", "f", "float32"), node("Tanh", ["f"], ["t"]), node("ReduceSum", ["t"], ["y"], keepdims=0)],
        [tensor("x", "float16", (160,))],
        [tensor("y", "float32", ())],
    )
    # Half of a number is exact, so what is rounded to halves is the same on both sides.
    front = fa.Preemphasis(sample_rate=16_000, coeff=0.5) >> fa.Patches(length=160)
    exported(fa.OnnxModel(path, layout="t"), tmp_path, front)


def test_a_network_of_whole_clips_is_refused_in_words_and_the_remedy_works(tmp_path: Path) -> None:
    path = save(
        tmp_path / "net.onnx",
        [node("ReduceMean", ["x"], ["y"], axes=[1], keepdims=0)],
        [tensor("x", "float32", ("n", "t", 3))],
        [tensor("y", "float32", ("n", 3))],
    )
    pipeline = fa.Pipeline(MEL >> fa.OnnxModel(path, clip_rows=1000))
    message = (
        "got one that takes the whole clip in one run, .*; export what comes before it, and run the network"
    )
    with pytest.raises(ExportError, match=message):
        pipeline.export_onnx(tmp_path / "all.onnx")
    fa.Pipeline(MEL).export_onnx(tmp_path / "all.onnx")
    rows = run_graph((tmp_path / "all.onnx").read_bytes())(SOUND)[0]
    scores = run_graph(path.read_bytes(), "x")(rows[None])[0]
    np.testing.assert_allclose(scores, pipeline(SOUND, sample_rate=16_000), rtol=0, atol=1e-4)
