"""Gate: the level of each window, and a Scan that opens and closes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.exporting.cutting import at_least_one, earlier, index_of
from fastaudio.exporting.graph import onnx
from fastaudio.exporting.refusing import refuse_block, refuse_stream
from fastaudio.exporting.registry import converts

if TYPE_CHECKING:
    from fastaudio._core import Gate
    from fastaudio.exporting.graph import Graph, Rows

_MOST_ROWS = 1 << 40
_MOST_EXACT = 1 << 24  # whole numbers up to here are exact in a state, which is float32


@converts("Gate")
def gate(graph: Graph, node: Gate, rows: Rows) -> Rows:
    """Give the rows of windows at which the gate is open, and a value, or 1 and 0, for the others."""
    window, hold = (_rows_in(one, rows) for one in (node.window_s, node.hold_s))
    window = max(window, 1)
    if rows.n is None:
        value, n = at_least_one(graph, rows)
        some = graph.int_op("Max", n, 1)
    else:
        if rows.n % window:
            refuse_block("Gate", window, rows.n)
        if max(window, hold) >= _MOST_EXACT:
            refuse_stream("Gate", f"window_s or hold_s of {_MOST_EXACT:,} rows or more")
        if lag := -rows.delay % window:  # windows begin with the signal
            rows = replace(rows, value=earlier(graph, rows, lag), delay=rows.delay + lag)
        value, n, some = rows.value, None, graph.length(rows.value)
    level, counts = _levels(graph, replace(rows, value=value), some, window)
    is_open = _followed(graph, node, rows, (level, counts), window=window, hold=hold)
    flags = graph.reshape(graph.op("Expand", is_open, graph.ints(1, window)), -1)
    flags = graph.reshape(graph.slice(flags, 0, some), -1, *[1] * (1 if node.mark else len(rows.shape)))
    if node.mark:
        out = graph.cast(flags, "FLOAT")
    else:
        out = graph.op("Where", graph.op("Greater", flags, graph.doubles(0.5)), value, node.value)
    shape = (1,) if node.mark else rows.shape
    return replace(rows, value=out if n is None else graph.slice(out, 0, n), shape=shape)


def _rows_in(span_s: float, rows: Rows) -> int:
    return int(np.floor(min(span_s * rows.spec.rate_hz, _MOST_ROWS) + 0.5))


def _levels(graph: Graph, rows: Rows, n: str, window: int) -> tuple[str, str]:
    """Return the mean power of each window and its number of rows, float64 [n_windows, 1]."""
    power = graph.cast(rows.value, "DOUBLE")
    if rows.spec.unit == "dB":
        power = graph.op("Pow", graph.doubles(10.0), graph.op("Div", power, graph.doubles(10.0)))
    elif rows.spec.unit != "power":
        power = graph.op("Mul", power, power)
    if rows.shape:
        power = graph.reduce("Sum", power, list(range(1, rows.rank)), keep=False)
    n_windows = graph.int_op("Div", graph.int_op("Add", n, window - 1), window)
    missing = graph.int_op("Sub", graph.int_op("Mul", n_windows, window), n)
    zero = onnx().numpy_helper.from_array(np.zeros(1, dtype=np.float64))
    padded = graph.concat(power, graph.op("ConstantOfShape", missing, value=zero))
    sums = graph.reduce("Sum", graph.reshape(padded, -1, window), [1])
    starts = graph.int_op("Mul", graph.arange(n_windows), window)
    counts = graph.int_op("Min", graph.int_op("Sub", n, starts), window)  # the last one may be shorter
    counts = graph.op("Unsqueeze", graph.cast(counts, "DOUBLE"), graph.ints(1))
    size = float(np.prod(rows.shape, dtype=np.float64))
    return graph.op("Div", sums, graph.op("Mul", counts, graph.doubles(size))), counts


def _followed(
    graph: Graph, node: Gate, rows: Rows, scanned: tuple[str, str], *, window: int, hold: int
) -> str:
    """Return whether the gate is open in each window, float64 [n_windows, 1]."""
    inputs, states = list(scanned), []
    if rows.n is None:
        starts = [graph.doubles([0.0]), graph.doubles([0.0])]
    else:
        before = [graph.state(1), graph.state(1)]
        states = [state for _, state in before]
        starts = [graph.cast(name, "DOUBLE") for name, _ in before]
        if rows.delay:
            first = graph.slice(graph.reshape(index_of(graph, rows), -1, window), 0, 1, axis=1)
            inputs.append(graph.cast(first, "DOUBLE"))
    body = graph.within()
    names = [body.name(hint) for hint in ("open", "quiet", "level", "count", "index")][: 2 + len(inputs)]
    was_open, quiet, level, count, *index = names
    half = body.doubles(0.5)
    loud = body.op("Not", body.op("Less", level, body.doubles(10 ** (node.threshold_db / 10))))
    stays = body.doubles(10 ** ((node.threshold_db - node.hysteresis_db) / 10))
    going = body.op("Not", body.op("Less", level, stays))
    held = body.op("Greater", was_open, half)
    number = body.op("Equal", level, level)  # NaN is never loud
    loud = body.op("And", number, body.op("Or", loud, body.op("And", held, going)))
    waited = body.op("Min", body.op("Add", quiet, count), body.doubles(float(hold + 1)))
    after = body.op("Where", loud, body.doubles(0.0), waited)
    within = body.op("Less", after, body.doubles(hold + 0.5))
    now = body.cast(body.op("Or", loud, body.op("And", held, within)), "DOUBLE")
    if index:  # rows before the signal leave the gate alone
        early = body.op("Less", index[0], body.doubles(-0.5))
        now, after = body.op("Where", early, was_open, now), body.op("Where", early, quiet, after)
    ends: list[Any] = [now, after, body.op("Identity", now)]
    infos, outputs = ([body.info(one, [1], "DOUBLE") for one in some] for some in (names, ends))
    proto = body.proto(infos, outputs, "gate")
    *left, is_open = graph.ops("Scan", [*starts, *inputs], 3, body=proto, num_scan_inputs=len(inputs))
    for state, one in zip(states, left, strict=False):
        state.value = graph.cast(one, "FLOAT")
    return is_open
