"""Small networks with the names and shapes of published ones, and Essentia's JSON for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

DENSE, SOFTMAX, PLACEHOLDER = "model/dense/BiasAdd", "model/Softmax", "model/Placeholder"
GENRES = ["cla", "dan", "hip", "jaz", "pop", "rhy", "roc", "spe"]


def numbers(*shape: int, seed: int = 0, scale: float = 0.1) -> NDArray[np.float32]:
    """Return numbers that look like weights."""
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def write(  # noqa: PLR0917
    path: Path,
    nodes: list[Any],
    source: tuple[str, list[int | str]],
    outputs: dict[str, list[int | str]],
    weights: dict[str, NDArray[np.float32]],
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write a network of float32."""

    def info(name: str, shape: list[int | str]) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        nodes,
        "g",
        [info(*source)],
        [info(name, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def dense(source: str, target: str, kind: str | None = None, **options: Any) -> list[Any]:
    """Return the nodes of a dense layer, of its activation too if `kind` names one."""
    step = helper.make_node
    name = f"{target}_before" if kind else target
    layer = step("Gemm", [source, f"{target}.w", f"{target}.b"], [name])
    return [layer, step(kind, [name], [target], **options)] if kind else [layer]


def dense_weights(target: str, n_in: int, n_out: int, seed: int) -> dict[str, NDArray[np.float32]]:
    return {
        f"{target}.w": numbers(n_in, n_out, seed=seed),
        f"{target}.b": numbers(n_out, seed=seed + 1),
    }


def write_embedder(
    path: Path,
    source: tuple[str, list[int | str]],
    bands: int,
    embedding: str,
    width: int,
    *,
    scores: str = "model/Sigmoid",
    n_scores: int = 50,
    axes: tuple[int, ...] = (1,),
    relu: bool = False,
) -> Path:
    """Write a network from patches to an embedding, before or after its ReLU, and to scores."""
    before = f"{embedding}_before" if relu else embedding
    after = embedding if relu else "model/dense/Relu"
    nodes = [
        helper.make_node("ReduceMean", [source[0]], ["mean"], axes=list(axes), keepdims=0),
        *dense("mean", before),
        helper.make_node("Relu", [before], [after]),
        *dense(after, scores, "Sigmoid"),
    ]
    weights = dense_weights(before, bands, width, 0) | dense_weights(scores, width, n_scores, 2)
    return write(path, nodes, source, {scores: ["n", n_scores], embedding: ["n", width]}, weights)


def write_head(
    path: Path, width: int, n: int = 8, *, source: str = PLACEHOLDER, output: str = SOFTMAX
) -> Path:
    """Write a head of two dense layers, d -> 100 -> n."""
    kind = output.rpartition("/")[2].partition(":")[0]
    kind = kind if kind in ("Softmax", "Sigmoid") else "Identity"
    how = {"axis": -1} if kind == "Softmax" else {}
    nodes = [*dense(source, "hidden", "Relu"), *dense("hidden", output, kind, **how)]
    weights = dense_weights("hidden", width, 100, 4) | dense_weights(output, 100, n, 6)
    return write(path, nodes, (source, ["n", width]), {output: ["n", n]}, weights)


def write_json(
    path: Path, algorithm: str, classes: list[str] | None, outputs: dict[str, str], **inference: Any
) -> Path:
    """Write Essentia's JSON: `outputs` are names with their purpose; `inference` is added to that part."""
    data: dict[str, Any] = {
        "name": "genre rosamerica",
        "type": "multi-class classifier",
        "link": "https://example.org/model.pb",
        "version": "1",
        "description": "Music genres",
        "author": "A. Author",
        "classes": classes,
        "dataset": {"name": "in-house"},
        "schema": {
            "inputs": [{"name": PLACEHOLDER, "type": "float", "shape": [200]}],
            "outputs": [
                {
                    "name": name,
                    "type": "float",
                    "shape": [1],
                    "op": name.rpartition("/")[2],
                    "output_purpose": purpose,
                }
                for name, purpose in outputs.items()
            ],
        },
        "citation": "A citation",
        "inference": {"sample_rate": 16_000, "algorithm": algorithm} | inference,
    }
    path.write_text(json.dumps({key: value for key, value in data.items() if value is not None}))
    return path


def write_typed(
    path: Path,
    nodes: list[Any],
    inputs: dict[str, tuple[int, list[Any]]],
    outputs: dict[str, list[Any]],
    weights: dict[str, NDArray[Any]],
) -> Path:
    """Write a network whose inputs have a type and a shape each, and whose outputs are float32."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def write_silero(path: Path) -> Path:
    """Write a network with the inputs and outputs of Silero's: sound, what it remembers, and the rate."""
    nodes = [
        helper.make_node("Abs", ["input"], ["a"]),
        helper.make_node("ReduceMean", ["a"], ["m"], axes=[1], keepdims=1),
        helper.make_node("Cast", ["sr"], ["rate"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["rate", "whole"], ["factor"]),
        helper.make_node("Mul", ["m", "factor"], ["now"]),
        helper.make_node("Mul", ["state", "half"], ["before"]),
        helper.make_node("Add", ["before", "now"], ["stateN"]),
        helper.make_node("ReduceMean", ["stateN"], ["kept"], axes=[0, 2], keepdims=0),
        helper.make_node("Reshape", ["kept", "rows"], ["k"]),
        helper.make_node("Sigmoid", ["k"], ["output"]),
    ]
    inputs = {
        "input": (TensorProto.FLOAT, [None, None]),
        "state": (TensorProto.FLOAT, [2, None, 128]),
        "sr": (TensorProto.INT64, []),
    }
    weights = {"whole": np.float32(16_000), "half": np.float32(0.5), "rows": np.array([-1, 1])}
    outputs: dict[str, list[Any]] = {"output": [None, 1], "stateN": [None, None, None]}
    return write_typed(path, nodes, inputs, outputs, {name: np.asarray(x) for name, x in weights.items()})
