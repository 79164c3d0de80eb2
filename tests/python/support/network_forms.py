"""Networks in the forms that exporters write, made by `onnx`, and ONNX Runtime's own answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

ROWS = np.random.default_rng(0).uniform(-1, 1, (5, 3)).astype(np.float32)

TYPES = {
    "float16": TensorProto.FLOAT16,
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "int8": TensorProto.INT8,
    "uint8": TensorProto.UINT8,
    "int16": TensorProto.INT16,
    "uint16": TensorProto.UINT16,
    "int32": TensorProto.INT32,
    "uint32": TensorProto.UINT32,
    "int64": TensorProto.INT64,
    "uint64": TensorProto.UINT64,
    "bool": TensorProto.BOOL,
}


def tensor(name: str, kind: str, axes: Sequence[int | str]) -> Any:
    """Return an input or output; text in `axes` names an open one."""
    return helper.make_tensor_value_info(name, TYPES[kind], list(axes))


def node(kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> Any:
    """Return an operator."""
    return helper.make_node(kind, list(inputs), list(outputs), **attributes)


def cast(source: str, to: str, kind: str) -> Any:
    """Return an operator that changes the type."""
    return node("Cast", [source], [to], to=TYPES[kind])


def save(
    path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], *, external: str = "", **weights: Any
) -> Path:
    """Write a network; with `external`, its weights lie in the file of that name beside it."""
    kept = [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs, kept)
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if external:
        onnx.save(network, path, save_as_external_data=True, location=external, size_threshold=0)
    else:
        onnx.save(network, path)
    return path


def answers(path: Path, feeds: dict[str, Any], outputs: list[str] | None = None) -> list[NDArray[Any]]:
    """Return what ONNX Runtime's own Python gives."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    results: list[NDArray[Any]] = session.run(outputs, feeds)
    return results


def scaled(path: Path, kind: str, axes: tuple[int | str, ...] = ()) -> Path:
    """Write a network that multiplies its rows by a further input."""
    return save(
        path,
        [cast("by", "f", "float32"), node("Mul", ["x", "f"], ["y"])],
        [tensor("x", "float32", ("n", 3)), tensor("by", kind, axes)],
        [tensor("y", "float32", ("n", 3))],
    )
