"""Nodes that remember: PCEN follows a level, and Delta fits a slope to neighbouring rows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import Delta, StreamSpec
from fastaudio.exporting.cutting import at_least_one, index_of
from fastaudio.exporting.probing import run
from fastaudio.exporting.refusing import refuse_stream
from fastaudio.exporting.registry import converts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio._core import PCEN
    from fastaudio.exporting.graph import Graph, Rows


@converts("PCEN")
def pcen(graph: Graph, node: PCEN, rows: Rows) -> Rows:
    """Follow the level of each band in a Scan; the rest is computed for all rows at once."""
    shape = (len(node.time_constants_s), *rows.shape)
    value, n = (rows.value, None) if rows.n is not None else at_least_one(graph, rows)
    energy = graph.op("Unsqueeze", graph.op("Max", value, 0.0), graph.ints(1))
    steps = [node_weight(t * rows.spec.rate_hz) for t in node.time_constants_s]
    weight = np.array(steps, dtype=np.float32).reshape(-1, *[1] * len(rows.shape))
    levels = graph.op("Add", _levels(graph, node, rows, energy, weight=weight, shape=shape), node.eps)
    share = graph.op("Div", energy, graph.op("Pow", levels, node.gain))
    out = _compressed(graph, node, share)
    if len(node.time_constants_s) == 1:
        out, shape = graph.op("Squeeze", out, graph.ints(1)), rows.shape
    return replace(rows, value=out if n is None else graph.slice(out, 0, n), shape=shape)


def node_weight(t: float) -> float:
    """Return the weight of a new row in a level whose time constant is `t` rows."""
    return 2 / (1 + math.sqrt(1 + 4 * t * t))


def _levels(
    graph: Graph,
    node: PCEN,
    rows: Rows,
    energy: str,
    *,
    weight: NDArray[np.float32],
    shape: tuple[int, ...],
) -> str:
    """Return the level beside each row, [n, n_rates, *shape]."""
    one = graph.op("Expand", graph.floats(1.0), graph.ints(*shape))
    if rows.n is None:
        first = graph.op("Squeeze", graph.slice(energy, 0, 1), graph.ints(0))
        start = graph.op("Expand", first, graph.ints(*shape)) if node.initial == "first" else one
        return _followed(graph, rows, [start, energy], weight, shape)[1]
    before, state = graph.state(*shape)
    is_first = graph.reshape(graph.op("Less", graph.blocks(), [0.5]), *[1] * len(shape))
    start = graph.op("Where", is_first, one, before)
    inputs = [start, energy, index_of(graph, rows)]
    state.value, levels = _followed(graph, rows, inputs, weight, shape, first=node.initial == "first")
    return levels


def _followed(
    graph: Graph,
    rows: Rows,
    inputs: list[str],
    weight: NDArray[np.float32],
    shape: tuple[int, ...],
    *,
    first: bool = False,
) -> list[str]:
    """Return the last level, and the one beside each row; rows with a number below 0 leave it alone."""
    body = graph.within()
    level, new, index = (body.name(hint) for hint in ("level", "energy", "index"))
    infos = [body.info(level, list(shape)), body.info(new, [1, *rows.shape])]
    risen = body.op("Add", level, body.op("Mul", body.op("Sub", new, level), weight))
    if len(inputs) > len(infos):
        infos.append(body.info(index, [1]))
        if first:
            risen = body.op(
                "Where", body.op("Less", index, 0.5), body.op("Expand", new, body.ints(*shape)), risen
            )
        risen = body.op("Where", body.op("Less", index, -0.5), level, risen)
    out = body.op("Identity", risen)
    ends = [body.info(risen, list(shape)), body.info(out, list(shape))]
    proto = body.proto(infos, ends, "level")
    return graph.ops("Scan", inputs, 2, body=proto, num_scan_inputs=len(inputs) - 1)


def _compressed(graph: Graph, node: PCEN, x: str) -> str:
    """Return (x + bias) ** power - bias ** power, without the difference of two large numbers."""
    if node.power == 0:
        return graph.op("Log", graph.op("Add", x, 1.0))
    if node.bias == 0:
        return graph.op("Pow", x, node.power)
    if node.power == 0.5:  # noqa: PLR2004
        root = graph.op("Sqrt", graph.op("Add", x, node.bias))
        return graph.op("Div", x, graph.op("Add", root, math.sqrt(node.bias)))
    wide = graph.op("Add", graph.cast(x, "DOUBLE"), graph.doubles(node.bias))
    raised = graph.op("Pow", wide, graph.doubles(node.power))
    return graph.cast(graph.op("Sub", raised, graph.doubles(node.bias**node.power)), "FLOAT")


@converts("Delta")
def delta(graph: Graph, node: Delta, rows: Rows) -> Rows:
    """Convolve over time, with the end rows repeated; "interp" repeats its results instead."""
    if graph.block is not None:
        refuse_stream("Delta", "one that reads rows before the first and after the last")
    once = node.mode == "htk" and node.order > 1
    bare = Delta(width=node.width, order=1 if once else node.order, mode="nearest")
    half, impulse = node.width // 2, np.zeros((2 * node.width + 1, 1), dtype=np.float32)
    impulse[node.width] = 1
    found: Any = run(bare, impulse, StreamSpec(rate_hz=1.0, shape=[1]))[:, 0]
    kernel = found[node.width - half : node.width + half + 1][::-1].reshape(1, 1, -1)
    flat = math.prod(rows.shape)
    value, n = at_least_one(graph, rows)
    value = graph.reshape(value, -1, flat)
    for _ in range(node.order if once else 1):
        value = _slope(graph, value, n, kernel)
    if node.mode == "interp":
        late = graph.int_op("Min", graph.int_op("Div", n, node.width), 1)  # 0 if there are too few rows
        edge = graph.int_op("Mul", late, half)
        top = graph.int_op("Sub", graph.int_op("Sub", graph.int_op("Max", n, 1), 1), edge)
        at = graph.int_op("Min", graph.int_op("Max", graph.arange(n), edge), top)
        value = graph.op("Gather", value, at, axis=0)
    return replace(rows, value=graph.reshape(graph.slice(value, 0, n), -1, *rows.shape))


def _slope(graph: Graph, value: str, n: str, kernel: NDArray[np.float32]) -> str:
    """Convolve [n, width] over time."""
    half = kernel.size // 2
    some = graph.int_op("Max", n, 1)
    at = graph.int_op("Add", graph.arange(graph.int_op("Add", some, 2 * half)), -half)
    inside = graph.int_op("Min", graph.int_op("Max", at, 0), graph.int_op("Sub", some, 1))
    lines = graph.op(
        "Unsqueeze",
        graph.op("Transpose", graph.op("Gather", value, inside, axis=0), perm=[1, 0]),
        graph.ints(1),
    )
    sloped = graph.op("Conv", lines, np.ascontiguousarray(kernel))
    return graph.op("Transpose", graph.op("Squeeze", sloped, graph.ints(1)), perm=[1, 0])
