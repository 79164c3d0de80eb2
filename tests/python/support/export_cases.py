"""Runs exported graphs in ONNX Runtime's own Python package, on one thread."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from fastaudio.exporting.model import build

if TYPE_CHECKING:
    from collections.abc import Callable

    import fastaudio as fa
    from numpy.typing import NDArray


def session_of(model: Any) -> Any:
    """Open a model, or its bytes."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    held = model if isinstance(model, bytes) else model.SerializeToString()
    return onnxruntime.InferenceSession(held, options, providers=["CPUExecutionProvider"])


def run_graph(
    model: Any, data: str = "samples"
) -> Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Return a function from the input `data` to all outputs."""
    session = session_of(model)
    return lambda rows: session.run(None, {data: rows})


def run_blocks(model: Any, rows: NDArray[np.float32], block: int) -> dict[str, list[NDArray[np.float32]]]:
    """Run whole blocks one after another, with the state that each leaves; states begin with zeros."""
    session = session_of(model)
    states = {
        one.name: np.zeros(one.shape, dtype=np.float32)
        for one in session.get_inputs()
        if one.name != "samples"
    }
    names = [one.name for one in session.get_outputs()]
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names if not name.startswith("next_")}
    for start in range(0, len(rows) - block + 1, block):
        values = session.run(names, {"samples": rows[start : start + block], **states})
        for name, value in zip(names, values, strict=True):
            if name.startswith("next_"):
                states[name[len("next_") :]] = value
            else:
                found[name].append(value)
    return found


def in_blocks_and_streamed(
    node: fa.Node, sound: NDArray[np.float32], block: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a graph's rows over whole blocks, from the signal's first, and those of its node's stream."""
    spec = node.input_spec
    assert spec is not None
    model = build(node, spec, block=block)
    about = json.loads({one.key: one.value for one in model.metadata_props}["fastaudio.export"])
    (got,) = (np.concatenate(parts) for parts in run_blocks(model, sound, block).values())
    wanted: Any = node.open().push(sound[: len(sound) // block * block])
    return got[about["outputs"]["rows"]["skip"] :], wanted
