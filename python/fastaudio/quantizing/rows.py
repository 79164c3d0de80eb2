"""What a network is fed, for calibration and for timing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import check_interrupt
from fastaudio.quantizing.refusing import QuantizeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fastaudio._core import OnnxModel
    from fastaudio.pipeline import Pipeline

MOST_PER_FILE = 4
"""Rows that each file gives to calibrate with, from its beginning."""

_FLOAT = 1  # TensorProto.FLOAT


def first_rows(front: Pipeline, file: str, most: int = MOST_PER_FILE) -> NDArray[np.float32]:
    """Return up to that many rows that a file gives, [n_rows, ...]; the rest of it isn't decoded."""
    parts: list[Any] = []
    with front.opened(file) as (sound, stream):
        for block in sound.blocks():
            check_interrupt()
            parts.append(stream.push(block if sound.channels > 1 else block[:, 0]))
            if sum(map(len, parts)) >= most:
                break
        else:
            parts.append(stream.flush())
    rows: NDArray[np.float32] = np.concatenate(parts)[:most].copy()
    return rows


def feeds(node: OnnxModel, model: Any, rows: NDArray[np.float32], session: Any) -> Iterator[dict[str, Any]]:
    """Yield the network's inputs for each row; `session` runs it, for networks with a state."""
    constants = {one.name for one in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in constants]
    known = {*node.state, *node.inputs}
    (data,) = [one for one in inputs if one.name not in known]
    if any(one.type.tensor_type.elem_type != _FLOAT for one in inputs):
        raise QuantizeError(
            "quantize: expected a network whose inputs are float32, got other types; export it with float32"
        )
    rank = len(data.type.tensor_type.shape.dim)
    fixed = {key: np.asarray(value, np.float32) for key, value in node.inputs.items()}
    shapes = {one.name: [dim.dim_value for dim in one.type.tensor_type.shape.dim] for one in inputs}
    state = {key: np.zeros(shapes[key], np.float32) for key in node.state}
    for row in rows:
        feed = {data.name: in_layout(row, node.layout, rank), **fixed, **state}
        yield feed
        if state:
            found = session.run(list(node.state.values()), feed)
            state = dict(zip(node.state, found, strict=True))


def in_layout(row: NDArray[np.float32], layout: str, rank: int) -> NDArray[np.float32]:
    """Return a row with its axes in the order that the network takes."""
    axes = "tfc"[: row.ndim]
    order = layout or (axes if rank == len(axes) else "n" + axes)
    moved = row.transpose([axes.index(axis) for axis in order if axis in axes])
    for at, axis in enumerate(order):
        if axis not in axes:
            moved = np.expand_dims(moved, at)
    return np.ascontiguousarray(moved)
