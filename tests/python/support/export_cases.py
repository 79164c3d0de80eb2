"""Runs exported graphs in ONNX Runtime's own Python package, on one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

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
