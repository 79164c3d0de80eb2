"""Networks whose outputs are their own inputs give them as they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from onnx_bytes import graph, info, model, node, tensor

if TYPE_CHECKING:
    from pathlib import Path

ROWS = np.arange(1, 29, dtype=np.float32).reshape(7, 4)
SUMS = np.cumsum(ROWS, axis=0)
BEFORE = np.vstack([np.zeros((1, 4), np.float32), ROWS[:-1]])


def network(folder: Path, nodes: list[bytes], inputs: str, outputs: str, **options) -> fa.OnnxModel:
    """Return a network of float32 rows of 4; each letter names a tensor."""
    axes = [[info(name, ("n", 4)) for name in names] for names in (inputs, outputs)]
    weights = [tensor("w", [5.0, 6, 7, 8], [1, 4])]
    path = folder / "net.onnx"
    path.write_bytes(model(graph(nodes, *axes, weights)))
    return fa.OnnxModel(path, outputs=list(outputs) if "state" not in options else [], **options)


NEG = node("Neg", ["x"], ["y"])


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("threads", [1, 2])
def test_an_output_that_is_the_input_has_its_values(tmp_path: Path, batch: int, threads: int) -> None:
    net = network(tmp_path, [NEG], "x", "yx", batch=batch, threads=threads)
    got = net(ROWS)
    np.testing.assert_array_equal(got["y"], -ROWS)
    np.testing.assert_array_equal(got["x"], ROWS)
    np.testing.assert_array_equal(net["x"](ROWS), ROWS)


def test_an_output_that_is_the_input_may_have_an_open_axis(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(model(graph([NEG], [info("x", ("n", "m"))], [info("x", ("n", "m"))])))
    np.testing.assert_array_equal(fa.OnnxModel(path, batch=4)(ROWS), ROWS)


def test_rows_turned_for_the_network_stay_turned(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(model(graph([NEG], [info("x", ("n", 2, 3))], [info("x", ("n", 2, 3))])))
    rows = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    np.testing.assert_array_equal(fa.OnnxModel(path, layout="nft")(rows), rows.transpose(0, 2, 1))


def test_a_state_may_take_the_input_as_it_is(tmp_path: Path) -> None:
    add = node("Add", ["x", "h"], ["y"])
    net = network(tmp_path, [add], "xh", "yx", state={"h": "x"})
    np.testing.assert_array_equal(net(ROWS), ROWS + BEFORE)


def test_an_output_may_be_the_state_before(tmp_path: Path) -> None:
    add = node("Add", ["x", "h"], ["z"])
    net = network(tmp_path, [add], "xh", "hz", state={"h": "z"})
    np.testing.assert_array_equal(net(ROWS), SUMS - ROWS)


def test_a_state_may_take_another_states_values(tmp_path: Path) -> None:
    """`h` is the row before, `k` the one before that."""
    nodes = [node("Identity", ["x"], ["z"]), node("Add", ["k", "w"], ["y"])]
    net = network(tmp_path, nodes, "xhk", "yzh", state={"h": "z", "k": "h"})
    want = np.vstack([np.zeros((1, 4), np.float32), BEFORE[:-1]]) + np.float32([5, 6, 7, 8])
    np.testing.assert_array_equal(net(ROWS), want)
    stream = net.open()
    got = np.vstack([stream.push(ROWS[i : i + 1]) for i in range(7)])
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("kind", ["Identity", "Dropout", "Neg"])
def test_outputs_that_share_their_values_have_them_all(tmp_path: Path, kind: str) -> None:
    nodes = [node(kind, ["x"], ["a"]), node("Identity", ["a"], ["y"]), node("Identity", ["a"], ["z"])]
    got = network(tmp_path, nodes, "x", "ayz", batch=2)(ROWS)
    for values in got.values():
        np.testing.assert_array_equal(values, -ROWS if kind == "Neg" else ROWS)


def test_an_output_of_weights_has_them(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    weights = tensor("w", [5.0, 6, 7, 8], [1, 4])
    path.write_bytes(model(graph([NEG], [info("x", ("n", 4))], [info("w", (1, 4))], [weights])))
    np.testing.assert_array_equal(fa.OnnxModel(path)(ROWS), np.repeat([[5, 6, 7, 8]], 7, axis=0))
