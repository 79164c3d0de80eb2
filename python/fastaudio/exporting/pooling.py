"""Rows pooled over a clip or over windows of rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.exporting.cutting import Cut, at_least_one, frames, pieces
from fastaudio.exporting.refusing import refuse_stream
from fastaudio.exporting.registry import converts

if TYPE_CHECKING:
    from fastaudio._core import EnergyPatch, LinearSoftmaxPooling, Mean, Statistics
    from fastaudio.exporting.graph import Graph, Rows


def mean_of(graph: Graph, rows: Rows) -> str:
    """Return the mean of all rows, [1, *shape], 0 without any; summed in float64."""
    value, n = at_least_one(graph, rows)
    total = graph.reduce("Sum", graph.cast(value, "DOUBLE"), [0])
    count = graph.cast(graph.int_op("Max", n, 1), "DOUBLE")
    return graph.cast(graph.op("Div", total, count), "FLOAT")


@converts("Mean")
def mean(graph: Graph, _: Mean, rows: Rows) -> Rows:
    """Pool all rows to one, or to none for an empty clip."""
    return _once(graph, rows, mean_of(graph, _whole_clip(graph, rows, "Mean")))


@converts("Max")
def largest(graph: Graph, _: Any, rows: Rows) -> Rows:
    """Pool all rows to one, or to none for an empty clip."""
    value, _n = at_least_one(graph, _whole_clip(graph, rows, "Max"))
    return _once(graph, rows, graph.reduce("Max", value, [0]))


def _whole_clip(graph: Graph, rows: Rows, who: str) -> Rows:
    if graph.block is not None:
        refuse_stream(who, "one over the whole clip")
    return rows


def _once(graph: Graph, rows: Rows, value: str) -> Rows:
    return replace(rows, value=graph.slice(value, 0, graph.int_op("Min", graph.length(rows.value), 1)))


@dataclass(frozen=True)
class _Windows:
    """Windows [n, length, *shape] in float64, and which of their rows there are: 1 or 0, [length, 1, ...]."""

    value: str
    mask: str
    count: str
    n: int | None
    delay: int


def _windows(graph: Graph, node: Any, rows: Rows) -> _Windows:
    """Cut windows; a clip shorter than one is its only window, and has fewer rows."""
    who = type(node).__name__
    ones = [1] * len(rows.shape)
    if graph.block is not None:
        if node.window is None:
            refuse_stream(who, "one over the whole clip")
        value, n, delay = frames(graph, rows, Cut(node.window, node.hop or node.window), who)
        mask = graph.doubles(np.ones((node.window, *ones)))
        return _Windows(graph.cast(value, "DOUBLE"), mask, graph.doubles([float(node.window)]), n, delay)
    n_rows = graph.length(rows.value)
    some = graph.int_op("Max", n_rows, 1)
    if node.window is None:
        value, _n = at_least_one(graph, rows)
        value = graph.op("Unsqueeze", value, graph.ints(0))
        there = some
        index = graph.arange(some)
    else:
        length, hop = node.window, node.hop or node.window
        more = graph.int_op("Div", graph.int_op("Sub", n_rows, length), hop)
        many = graph.int_op("Add", graph.int_op("Max", more, 0), 1)
        value = pieces(graph, rows.value, rows.rank, many, Cut(length, hop))
        there = graph.int_op("Min", some, length)
        index = graph.constant(np.arange(length, dtype=np.int64))
    mask = graph.reshape(graph.cast(graph.op("Less", index, there), "DOUBLE"), -1, *ones)
    return _Windows(graph.cast(value, "DOUBLE"), mask, graph.cast(there, "DOUBLE"), None, 0)


def _some(graph: Graph, rows: Rows, value: str) -> str:
    """Take the window back that an empty clip doesn't have."""
    if graph.block is not None:
        return value
    none = graph.int_op("Min", graph.length(rows.value), 1)
    return graph.slice(value, 0, graph.int_op("Mul", none, np.iinfo(np.int32).max))


@converts("LinearSoftmaxPooling")
def linear_softmax_pooling(graph: Graph, node: LinearSoftmaxPooling, rows: Rows) -> Rows:
    """Divide the sum of squares by the sum."""
    windows = _windows(graph, node, rows)
    p = graph.op("Mul", graph.op("Max", windows.value, graph.doubles(0)), windows.mask)
    total = graph.reduce("Sum", p, [1], keep=False)
    squares = graph.reduce("Sum", graph.op("Mul", p, p), [1], keep=False)
    value = graph.op("Div", squares, graph.op("Max", total, graph.doubles(1e-300)))
    return replace(
        rows, value=_some(graph, rows, graph.cast(value, "FLOAT")), n=windows.n, delay=windows.delay
    )


@converts("Statistics")
def statistics(graph: Graph, node: Statistics, rows: Rows) -> Rows:
    """Put each kind along a new axis."""
    windows = _windows(graph, node, rows)
    found = [graph.op("Unsqueeze", _kind(graph, kind, windows), graph.ints(1)) for kind in node.kinds]
    value = _some(graph, rows, graph.cast(graph.concat(*found, axis=1), "FLOAT"))
    shape = (len(node.kinds), *rows.shape)
    return replace(rows, value=value, shape=shape, n=windows.n, delay=windows.delay)


def _kind(graph: Graph, kind: str, windows: _Windows) -> str:
    """Return [n, *shape] in float64."""
    there = graph.op("Greater", windows.mask, graph.doubles(0.5))
    if kind in ("min", "max"):
        beyond = graph.op("Where", there, windows.value, graph.doubles(np.inf if kind == "min" else -np.inf))
        return graph.reduce(kind.capitalize(), beyond, [1], keep=False)
    if kind in ("mean", "std"):
        total = graph.reduce("Sum", graph.op("Mul", windows.value, windows.mask), [1])
        middle = graph.op("Div", total, windows.count)
        if kind == "mean":
            return graph.op("Squeeze", middle, graph.ints(1))
        off = graph.op("Mul", graph.op("Sub", windows.value, middle), windows.mask)
        squares = graph.reduce("Sum", graph.op("Mul", off, off), [1], keep=False)
        return graph.op("Sqrt", graph.op("Div", squares, windows.count))
    behind = graph.op("Where", there, windows.value, graph.doubles(np.inf))
    n = graph.op("Shape", windows.value, start=1, end=2)
    ascending = graph.ops("TopK", [behind, n], 2, axis=1, largest=0)[0]
    last = graph.op("Sub", windows.count, graph.doubles([1.0]))
    position = graph.op("Mul", last, graph.doubles(float(kind[1:]) / 100))
    below = graph.op("Floor", position)
    at = graph.cast(below, "INT64")
    above = graph.int_op("Min", graph.int_op("Add", at, 1), graph.cast(last, "INT64"))
    low, high = (graph.op("Gather", ascending, i, axis=1) for i in (at, above))
    share = graph.op("Mul", graph.op("Sub", high, low), graph.op("Sub", position, below))
    return graph.op("Squeeze", graph.op("Add", low, share), graph.ints(1))


@converts("EnergyPatch")
def energy_patch(graph: Graph, node: EnergyPatch, rows: Rows) -> Rows:
    """Take the patch with the largest sum, the first if several have it."""
    _whole_clip(graph, rows, "EnergyPatch")
    length, n = node.length, graph.length(rows.value)
    energy = graph.reduce("Sum", graph.cast(rows.value, "DOUBLE"), list(range(1, rows.rank)), keep=False)
    more = graph.int_op("Div", graph.int_op("Sub", n, length), node.hop)
    count = graph.int_op("Add", graph.int_op("Max", more, 0), 1)
    starts = graph.op("Mul", graph.op("Unsqueeze", graph.arange(count), graph.ints(1)), graph.ints(node.hop))
    at = graph.op("Add", starts, graph.constant(np.arange(length, dtype=np.int64)))
    last = graph.int_op("Max", graph.int_op("Sub", n, 1), 0)
    inside = graph.op("Min", at, last)
    safe = graph.op("Concat", energy, graph.doubles([0.0]), axis=0)
    sums = graph.reduce("Sum", graph.op("Gather", safe, inside, axis=0), [1], keep=False)
    best = graph.int_op("Mul", graph.op("ArgMax", sums, axis=0, keepdims=1), node.hop)
    wanted = graph.op("Add", best, graph.constant(np.arange(length, dtype=np.int64)))
    some = graph.int_op("Max", n, 1)
    filled = graph.pad(rows.value, rows.rank, 0, length, node.pad_value)
    if node.last == "repeat":
        fits = graph.int_op("Min", graph.int_op("Div", n, length), 1)  # 0 for a clip shorter than the patch
        turned = graph.op("Mod", wanted, some)
        wanted = graph.op("Where", graph.op("Equal", fits, graph.ints(1)), wanted, turned)
    patch = graph.op("Unsqueeze", graph.op("Gather", filled, wanted, axis=0), graph.ints(0))
    return replace(_once(graph, rows, patch), shape=(length, *rows.shape))
