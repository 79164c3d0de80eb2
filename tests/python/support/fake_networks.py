"""Networks with the inputs and outputs of published ones, and next to no weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


def fake_network(
    source: str, shape: Sequence[int | str], output: str, row: Sequence[int], scale: float = 0.0
) -> bytes:
    """Return a network whose rows rise from 0 to 1, plus `scale` times the mean of its input's row."""
    from onnx import TensorProto, helper, numpy_helper

    axes = list(range(1, len(shape)))
    ramp = np.linspace(0, 1, int(np.prod(row)), dtype=np.float32).reshape([1, *row])
    constants = {
        "axes": np.int64(axes),
        "rows": np.int64([-1, *[1] * len(row)]),
        "scale": np.float32(scale),
        "ramp": ramp,
    }
    nodes = [
        helper.make_node("ReduceSum", [source, "axes"], ["sum"], keepdims=0),
        helper.make_node("Reshape", ["sum", "rows"], ["column"]),
        helper.make_node("Mul", ["column", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "ramp"], [output]),
    ]
    graph = helper.make_graph(
        nodes,
        "fake",
        [helper.make_tensor_value_info(source, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", *row])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content
