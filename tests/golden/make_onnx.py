"""Make the small networks in onnx/, each with one peculiarity that a real model may have.

    python tests/golden/make_onnx.py

This needs onnx. Every network multiplies by known numbers, so that tests can say what must come out.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).parent / "onnx"
FLOAT = TensorProto.FLOAT
FRAMES, BANDS = 4, 3


def value(name: str, shape: list[int | str], kind: int = FLOAT) -> Any:
    """Return an input or output; a name stands for an open axis."""
    return helper.make_tensor_value_info(name, kind, shape)


def write(name: str, nodes: list[Any], inputs: list[Any], outputs: list[Any], **constants: Any) -> None:
    """Check and write one network."""
    kept = [numpy_helper.from_array(np.asarray(c), name=key) for key, c in constants.items()]
    graph = helper.make_graph(nodes, name, inputs, outputs, kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString())


def weighted(shape: tuple[int, ...]) -> np.ndarray:
    """Return 1, 2, 3 ... in the order of the axes, so that a wrong order shows."""
    return np.arange(1, 1 + int(np.prod(shape)), dtype=np.float32).reshape(shape)


def weighted_sum(name: str, shape: list[int | str], weights: tuple[int, ...]) -> None:
    """Write a network that sums x * weights over all axes but the batch: one score per row."""
    axes = np.arange(1, len(shape), dtype=np.int64)
    nodes = [
        helper.make_node("Mul", ["x", "w"], ["product"]),
        helper.make_node("ReduceSum", ["product", "axes"], ["sum"], keepdims=0),
        helper.make_node("Unsqueeze", ["sum", "last"], ["y"]),
    ]
    write(
        name,
        nodes,
        [value("x", shape)],
        [value("y", [shape[0], 1])],
        w=weighted(weights),
        axes=axes,
        last=np.array([1], dtype=np.int64),
    )


def with_state() -> None:
    """Write networks that hand something on to the next run."""
    add, copy = helper.make_node("Add", ["x", "h"], ["y"]), helper.make_node("Identity", ["y"], ["h_next"])
    for name, rows in (("state", "n"), ("state_batch4", 4)):
        shape: list[int | str] = [rows, BANDS]
        inputs, outputs = [value("x", shape), value("h", shape)], [value("y", shape), value("h_next", shape)]
        write(name, [add, copy], inputs, outputs)
    # This is a running mean; its states come before the rows and before the scores.
    write(
        "state_mean",
        [
            helper.make_node("Add", ["sum", "x"], ["sum_next"]),
            helper.make_node("Add", ["count", "one"], ["count_next"]),
            helper.make_node("Div", ["sum_next", "count_next"], ["mean"]),
        ],
        [value("sum", [1, BANDS]), value("count", []), value("x", [1, BANDS])],
        [value("sum_next", ["a", "b"]), value("count_next", []), value("mean", ["n", "m"])],
        one=np.float32(1),
    )

    def odd(name: str, h: Any, h_next: Any, node: Any) -> None:
        """Write a network that returns x, and a state that can't be one."""
        x, y = value("x", ["n", BANDS]), value("y", ["n", BANDS])
        write(name, [helper.make_node("Identity", ["x"], ["y"]), node], [x, h], [y, h_next])

    same, twice = (helper.make_node(*op, ["h_next"]) for op in (("Identity", ["h"]), ("Concat", ["h", "h"])))
    twice.attribute.append(helper.make_attribute("axis", 1))
    double, large = TensorProto.DOUBLE, 2**24 + 1
    odd("state_double", value("h", [1, BANDS], double), value("h_next", [1, BANDS], double), same)
    odd("state_open", value("h", ["n", "m"]), value("h_next", ["n", "m"]), same)
    odd("state_large", value("h", [1, large]), value("h_next", [1, large]), same)
    odd("state_shapes", value("h", [1, BANDS]), value("h_next", [1, 2 * BANDS]), twice)
    # Its state has the right shape as long as the largest value of a row is 1.
    write(
        "state_grows",
        [
            helper.make_node("Identity", ["x"], ["y"]),
            helper.make_node("ReduceMax", ["x"], ["peak"], keepdims=0),
            helper.make_node("Cast", ["peak"], ["times"], to=TensorProto.INT64),
            helper.make_node("Reshape", ["times", "one"], ["columns"]),
            helper.make_node("Concat", ["one", "columns"], ["repeats"], axis=0),
            helper.make_node("Tile", ["h", "repeats"], ["h_next"]),
        ],
        [value("x", ["n", BANDS]), value("h", ["n", BANDS])],
        [value("y", ["n", BANDS]), value("h_next", ["n", "m"])],
        one=np.array([1], dtype=np.int64),
    )


def film() -> None:
    """Write two linear layers of one condition, which scale and shift another branch's rows."""
    weights = weighted((48, 24)) - 1
    nodes = [
        helper.make_node("Gemm", ["v", "wg", "bg"], ["gamma"]),
        helper.make_node("Gemm", ["v", "wb", "bb"], ["beta"]),
    ]
    write(
        "film",
        nodes,
        [value("v", ["n", 48])],
        [value("gamma", ["n", 24]), value("beta", ["n", 24])],
        wg=weights / np.float32(1000),
        wb=np.ascontiguousarray(weights[:, ::-1]) / np.float32(1000),
        bg=np.ones(24, np.float32),
        bb=-np.ones(24, np.float32),
    )


def heads() -> None:
    """Write dense layers of the usual sizes on MusiCNN's 200 values; weights are noise."""
    noise = np.random.default_rng(0)
    for name, hidden, n, last in (
        ("head_tags", [], 50, "Sigmoid"),
        ("head_genres", [], 10, "Softmax"),
        ("head_instruments", [64], 11, "Softmax"),
    ):
        sizes = [200, *hidden, n]
        nodes, weights, x = [], {}, "embedding"
        for i, (rows, columns) in enumerate(itertools.pairwise(sizes)):
            kind = "Relu" if i < len(hidden) else last
            weights[f"w{i}"] = noise.normal(0, rows**-0.5, (rows, columns)).astype(np.float32)
            weights[f"b{i}"] = noise.normal(0, 0.1, columns).astype(np.float32)
            y = f"hidden{i}" if i < len(hidden) else "scores"
            nodes.append(helper.make_node("Gemm", [x, f"w{i}", f"b{i}"], [f"sum{i}"]))
            nodes.append(helper.make_node(kind, [f"sum{i}"], [y]))
            x = y
        write(name, nodes, [value("embedding", ["n", 200])], [value("scores", ["n", n])], **weights)
    write(  # it gives other rows at every run, which tells how often it ran
        "random",
        [helper.make_node("RandomUniformLike", ["x"], ["y"])],
        [value("x", ["n", BANDS])],
        [value("y", ["n", BANDS])],
    )


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    weighted_sum("ntf", ["n", FRAMES, BANDS], (FRAMES, BANDS))
    weighted_sum("nft", ["n", BANDS, FRAMES], (BANDS, FRAMES))
    weighted_sum("n1tf", ["n", 1, FRAMES, BANDS], (1, FRAMES, BANDS))
    weighted_sum("ntf1", ["n", FRAMES, BANDS, 1], (FRAMES, BANDS, 1))
    weighted_sum("nctf", ["n", 2, FRAMES, BANDS], (2, FRAMES, BANDS))
    weighted_sum("nftc", ["n", BANDS, FRAMES, 2], (BANDS, FRAMES, 2))
    weighted_sum("batch1", [1, FRAMES, BANDS], (FRAMES, BANDS))
    weighted_sum("batch4", [4, FRAMES, BANDS], (FRAMES, BANDS))

    def scaled(output: str, factor: str) -> Any:
        return helper.make_node("Mul", ["x", factor], [output])

    frames: list[int | str] = ["n", "frames", BANDS]
    write(
        "outputs",
        [
            scaled("double", "two"),
            scaled("triple", "three"),
            helper.make_node("ReduceMax", ["x"], ["peak"], axes=[1, 2], keepdims=0),
        ],
        [value("x", frames)],
        [value("double", frames), value("triple", frames), value("peak", ["n"])],
        two=np.float32(2),
        three=np.float32(3),
    )
    write(
        "double_input",
        [helper.make_node("Cast", ["x"], ["y"], to=FLOAT)],
        [value("x", ["n", BANDS], TensorProto.DOUBLE)],
        [value("y", ["n", BANDS])],
    )
    write(
        "double_output",
        [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.DOUBLE)],
        [value("x", ["n", BANDS])],
        [value("y", ["n", BANDS], TensorProto.DOUBLE)],
    )
    write(
        "two_inputs",
        [helper.make_node("Add", ["x", "z"], ["y"])],
        [value("x", ["n", BANDS]), value("z", ["n", BANDS])],
        [value("y", ["n", BANDS])],
    )
    write(
        "no_rows",
        [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=1)],
        [value("x", ["n", BANDS])],
        [value("y", [1, 1])],
    )
    write(  # loud rows ask for an index out of range, which is an error while it runs
        "picky",
        [
            helper.make_node("ReduceMax", ["x"], ["peak"], axes=[1], keepdims=1),
            helper.make_node("Cast", ["peak"], ["place"], to=TensorProto.INT64),
            helper.make_node("Gather", ["table", "place"], ["y"]),
        ],
        [value("x", ["n", BANDS])],
        [value("y", ["n", 1])],
        table=np.array([10, 20], dtype=np.float32),
    )
    write(
        "odd_names",
        [helper.make_node("Identity", ["x:0"], ["y/out:0"])],
        [value("x:0", ["n", BANDS])],
        [value("y/out:0", ["n", BANDS])],
    )
    with_state()
    film()
    heads()


if __name__ == "__main__":
    main()
