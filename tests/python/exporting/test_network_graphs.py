"""Networks as exporters write them: graphs within graphs, weights beside, inner tensors, rows that mix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
import onnx
from export_cases import in_blocks_and_streamed, run_graph
from fastaudio.exporting import ExportError
from network_forms import cast, node, save, tensor

LENGTH = 40
FRONT = fa.Resample(input_rate=16_000, output_rate=16_000) >> fa.Patches(length=LENGTH)
LEVELS = np.repeat([0.9, 0.01, 0.3, 0.9, 0.05], LENGTH)
SOUND = (np.random.default_rng(3).uniform(-1, 1, 5 * LENGTH) * LEVELS).astype(np.float32)
W = np.linspace(-1, 1, LENGTH, dtype=np.float32)
ROWS = ("n", LENGTH)


def exported(net: fa.Node, tmp_path: Path, *, streaming: bool = True) -> None:
    """Compare the graph with the pipeline, whole and in blocks."""
    pipeline = fa.Pipeline(FRONT >> net)
    pipeline.export_onnx(tmp_path / "all.onnx")
    run = run_graph((tmp_path / "all.onnx").read_bytes())
    for n in (len(SOUND), LENGTH, 0):
        want = np.asarray(pipeline(SOUND[:n], sample_rate=16_000))
        np.testing.assert_allclose(run(SOUND[:n])[0], want, rtol=0, atol=1e-6)
    if streaming:
        rows, wanted = in_blocks_and_streamed(FRONT >> net, SOUND, 2 * LENGTH)
        np.testing.assert_allclose(rows, wanted[: len(rows)], rtol=0, atol=1e-6)


def branches(axes: tuple[int | str, ...]) -> dict[str, Any]:
    """Return two branches of an If; one of them alone reads a weight of the graph around it."""
    made = onnx.helper.make_graph
    out = [onnx.helper.make_empty_tensor_value_info("b")]
    inner = made([node("Mul", ["x", "w"], ["b"])], "inner", [], out)
    then = made(
        [node("If", ["c"], ["i"], then_branch=inner, else_branch=inner), node("Add", ["i", "w"], ["o"])],
        "then",
        [],
        [tensor("o", "float32", axes)],
    )
    other = made([node("Neg", ["x"], ["o"])], "else", [], [tensor("o", "float32", axes)])
    return {"then_branch": then, "else_branch": other}


@pytest.mark.parametrize("axes", [(1, LENGTH), ROWS])
def test_a_branch_reads_a_weight_of_the_graph_around_it(axes: tuple[int | str, ...], tmp_path: Path) -> None:
    path = save(
        tmp_path / "net.onnx",
        [
            node("ReduceMax", ["x"], ["m"], keepdims=0),
            node("Greater", ["m", "limit"], ["c"]),
            node("If", ["c"], ["y"], **branches(axes)),
        ],
        [tensor("x", "float32", axes)],
        [tensor("y", "float32", axes)],
        limit=np.float32(0.1),
        w=W,
    )
    exported(fa.OnnxModel(path), tmp_path)


def test_a_loop_and_a_scan_read_weights_of_the_graph_around_them(tmp_path: Path) -> None:
    made = onnx.helper.make_graph
    turn = made(
        [node("Mul", ["v", "w"], ["v_out"]), node("Identity", ["go"], ["go_out"])],
        "turn",
        [tensor("i", "int64", ()), tensor("go", "bool", ()), tensor("v", "float32", (1, LENGTH))],
        [tensor("go_out", "bool", ()), tensor("v_out", "float32", (1, LENGTH))],
    )
    step = made(
        [
            node("Add", ["s", "e"], ["t"]),
            node("Mul", ["t", "half"], ["s_out"]),
            node("Identity", ["t"], ["e_out"]),
        ],
        "step",
        [tensor("s", "float32", ()), tensor("e", "float32", ())],
        [tensor("s_out", "float32", ()), tensor("e_out", "float32", ())],
    )
    path = save(
        tmp_path / "net.onnx",
        [
            node("Loop", ["turns", "", "x"], ["l"], body=turn),
            node("Squeeze", ["l", "zeros"], ["r"]),
            node("Scan", ["start", "r"], ["end", "e_all"], body=step, num_scan_inputs=1),
            node("Unsqueeze", ["e_all", "zeros"], ["y"]),
        ],
        [tensor("x", "float32", (1, LENGTH))],
        [tensor("y", "float32", (1, LENGTH))],
        turns=np.int64(3),
        zeros=np.int64([0]),
        start=np.float32(0.5),
        half=np.float32(0.5),
        w=W,
    )
    exported(fa.OnnxModel(path), tmp_path)


def test_a_sparse_weight_is_in_the_graph(tmp_path: Path) -> None:
    path = save(
        tmp_path / "net.onnx",
        [node("Mul", ["x", "s"], ["y"])],
        [tensor("x", "float32", ROWS)],
        [tensor("y", "float32", ROWS)],
    )
    model = onnx.load(path)
    values = onnx.numpy_helper.from_array(np.float32([2, -3]), "s")
    places = onnx.numpy_helper.from_array(np.int64([1, 7]), "places")
    model.graph.sparse_initializer.append(onnx.helper.make_sparse_tensor(values, places, [LENGTH]))
    onnx.save(model, path)
    exported(fa.OnnxModel(path), tmp_path)


@pytest.mark.parametrize("place", ["folder", "packed.onnx"])
def test_weights_in_a_file_beside_the_network_are_in_the_graph(place: str, tmp_path: Path) -> None:
    path = save(
        tmp_path / "net.onnx",
        [node("Mul", ["x", "w"], ["m"]), node("Add", ["m", "v"], ["y"])],
        [tensor("x", "float32", ROWS)],
        [tensor("y", "float32", ROWS)],
        external="net.onnx.data",
        w=W,
        v=W + 1,
    )
    net = fa.OnnxModel(path)
    if place != "folder":
        fa.Pipeline(FRONT >> net).save(tmp_path / place)
        net = fa.Pipeline.load(tmp_path / place).node.children()[-1]  # type: ignore[assignment]
        (tmp_path / "net.onnx.data").unlink()
    assert net.external
    exported(net, tmp_path)
    if place == "folder":
        with pytest.raises(fa.OutputError, match="inputs"):
            fa.Pipeline(FRONT >> net).export_onnx(tmp_path / "net.onnx.data", force=True)


@pytest.mark.parametrize("axes", [ROWS, (1, LENGTH), (LENGTH,)])
def test_an_output_of_one_number_a_run_comes_row_by_row(axes: tuple[int | str, ...], tmp_path: Path) -> None:
    path = save(
        tmp_path / "net.onnx",
        [node("ReduceMax", ["x"], ["y"], keepdims=0)],
        [tensor("x", "float32", axes)],
        [tensor("y", "float32", ())],
    )
    exported(fa.OnnxModel(path), tmp_path)


INNER: dict[str, list[Any]] = {
    "int64": [node("ArgMax", ["x"], ["k"], axis=1, keepdims=0), cast("k", "y", "float32")],
    "bool": [node("Greater", ["x", "zero"], ["k"]), cast("k", "y", "float32")],
    "float16": [cast("x", "k", "float16"), cast("k", "y", "float32")],
    "float64": [cast("x", "k", "float64"), cast("k", "y", "float32")],
    "int16": [node("Mul", ["x", "thousand"], ["m"]), cast("m", "k", "int16"), cast("k", "y", "float32")],
}


@pytest.mark.parametrize("kind", INNER)
def test_an_inner_tensor_of_any_type_is_given(kind: str, tmp_path: Path) -> None:
    weights = {"zero": np.float32(0), "thousand": np.float32(1000)}
    used = {name for one in INNER[kind] for name in one.input}
    path = save(
        tmp_path / "net.onnx",
        INNER[kind],
        [tensor("x", "float32", ROWS)],
        [tensor("y", "float32", ("n",) if kind == "int64" else ROWS)],
        **{name: value for name, value in weights.items() if name in used},
    )
    exported(fa.OnnxModel(path)["k"], tmp_path)
    exported(fa.OnnxModel(path, outputs=["y", "k"])["y"], tmp_path)


@pytest.mark.parametrize(
    ("kind", "full", "middle"),
    [("int16", 32767, 0), ("int8", 127, 0), ("uint8", 127, 128), ("int32", 2**30, 0)],
)
@pytest.mark.parametrize("inner", [False, True])
def test_sound_in_whole_numbers_has_its_full_scale(
    kind: str, full: int, middle: int, tmp_path: Path, *, inner: bool
) -> None:
    path = save(
        tmp_path / "net.onnx",
        [
            node("Mul", ["x", "full"], ["s"]),
            node("Add", ["s", "middle"], ["m"]),
            cast("m", "k", kind),
            cast("k", "y", "float32") if inner else node("Identity", ["k"], ["y"]),
        ],
        [tensor("x", "float32", ROWS)],
        [tensor("y", "float32" if inner else kind, ROWS)],
        full=np.float32(full),
        middle=np.float32(middle),
    )
    exported(fa.OnnxModel(path, outputs=["k" if inner else "y"], units=["samples"]), tmp_path)


def test_rows_that_change_each_other_in_a_run_come_one_by_one(tmp_path: Path) -> None:
    path = save(
        tmp_path / "net.onnx",
        [
            node("Abs", ["x"], ["a"]),
            node("ReduceMax", ["a"], ["m"], keepdims=0),
            node("Max", ["m", "least"], ["s"]),
            node("Div", ["x", "s"], ["y"]),
        ],
        [tensor("x", "float32", ROWS)],
        [tensor("y", "float32", ROWS)],
        least=np.float32(1e-6),
    )
    exported(fa.OnnxModel(path), tmp_path)


def test_the_first_output_may_be_a_state(tmp_path: Path) -> None:
    path = save(
        tmp_path / "net.onnx",
        [node("Add", ["x", "h"], ["h_out"]), node("Tanh", ["h_out"], ["y"])],
        [tensor("x", "float32", (1, LENGTH)), tensor("h", "float32", (1, LENGTH))],
        [tensor("h_out", "float32", (1, LENGTH)), tensor("y", "float32", (1, LENGTH))],
    )
    exported(fa.OnnxModel(path, state={"h": "h_out"}), tmp_path)


@pytest.mark.parametrize("block", [2**24 + 1, 2**40, 10**400])
def test_a_block_that_takes_too_much_memory_is_refused(block: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a block of at most 2\*\*24 samples, got .*; leave block out"):
        fa.Pipeline(FRONT).export_onnx(tmp_path / "all.onnx", streaming=True, block=block)


def test_a_network_too_large_with_its_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastaudio.exporting import network_file

    path = save(
        tmp_path / "net.onnx",
        [node("Mul", ["x", "w"], ["y"])],
        [tensor("x", "float32", ROWS)],
        [tensor("y", "float32", ROWS)],
        external="net.onnx.data",
        w=W,
    )
    pipeline = fa.Pipeline(FRONT >> fa.OnnxModel(path))
    monkeypatch.setattr(network_file, "LARGEST", 200)
    with pytest.raises(ExportError, match="a network below 2 GiB with its weights"):
        pipeline.export_onnx(tmp_path / "all.onnx")
