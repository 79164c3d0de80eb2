"""Heads as ONNX: alone, or joined to the network whose rows they take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.heads.extras import require

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from fastaudio.heads.classifier import Classifier

SCORES = "scores"
"""Name of a head's output; a number follows it if the network already has such an output."""

_OPSET, _IR_VERSION = 13, 8  # for a head alone; ONNX Runtime 1.19 and later read it
_ROWS = "rows"


def write_head(classifier: Classifier, path: Path) -> str:
    """Write a head, which turns rows [n, n_values] into scores [n, n_labels]; return its output's name."""
    onnx = _onnx()
    graph = onnx.GraphProto(name="head")
    graph.input.append(_value(_ROWS, ["n", len(classifier.mean)]))
    _append(graph, _ROWS, SCORES, classifier)
    opset = onnx.helper.make_opsetid("", _OPSET)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
    _write(model, path)
    return SCORES


def write_joined(network: bytes, layer: str, classifier: Classifier, path: Path) -> str:
    """Write an ONNX network with a head on one of its outputs; return the name of the head's output.

    The network's outputs all stay, before the head's. The head uses only operators that mean the same in
    every opset from 7, so the network keeps its opset and IR version.
    """
    onnx = _onnx()
    model = onnx.load_model_from_string(network)
    taken = {name for node in model.graph.node for name in (*node.input, *node.output)}
    output = _unused(SCORES, taken | {one.name for one in model.graph.output})
    _append(model.graph, layer, output, classifier)
    _write(model, path)
    return output


def _append(graph: Any, source: str, output: str, classifier: Classifier) -> None:
    """Add the nodes that turn the rows `source` into scores."""
    taken = {name for node in graph.node for name in node.output}
    taken |= {one.name for one in [*graph.initializer, *graph.input]}
    prefix = _unused("head", {name.partition("/")[0] for name in taken})
    make, kept = _onnx().helper.make_node, _onnx().numpy_helper.from_array

    def constant(name: str, values: Any) -> str:
        graph.initializer.append(kept(np.asarray(values, dtype=np.float32), f"{prefix}/{name}"))
        return f"{prefix}/{name}"

    def step(kind: str, name: str, *inputs: str, **options: Any) -> str:
        target = name if name == output else f"{prefix}/{name}"
        graph.node.append(make(kind, list(inputs), [target], name=f"{prefix}/{kind}_{name}", **options))
        return target

    x = step("Sub", "centred", source, constant("mean", classifier.mean))
    x = step("Div", "standardised", x, constant("std", classifier.std))
    if classifier.l2:
        x = step("LpNormalization", "of_length_1", x, axis=1, p=2)
    last = len(classifier.layers) - 1
    for i, (weights, biases) in enumerate(classifier.layers):
        x = step("Gemm", f"dense{i}", x, constant(f"weights{i}", weights), constant(f"biases{i}", biases))
        if i < last:
            x = step("Relu", f"relu{i}", x)
    if classifier.multi:
        step("Sigmoid", output, x)
    else:
        step("Softmax", output, x, axis=1)
    graph.output.append(_value(output, ["n", len(classifier.layers[-1][1])]))


def _value(name: str, shape: list[int | str]) -> Any:
    onnx = _onnx()
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)


def _write(model: Any, path: Path) -> None:
    _onnx().checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def _unused(name: str, taken: Container[str]) -> str:
    number = 2
    unused = name
    while unused in taken:
        unused, number = f"{name}{number}", number + 1
    return unused


def _onnx() -> Any:
    for part in ("checker", "helper", "numpy_helper"):
        require(f"onnx.{part}", extra="train", what="heads.fit")
    return require("onnx", extra="train", what="heads.fit")
