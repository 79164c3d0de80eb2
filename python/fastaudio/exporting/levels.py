"""Nodes that change the values of each row, or of the clip, and leave the rows where they are."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.exporting.cutting import at_least_one, earlier
from fastaudio.exporting.refusing import refuse, refuse_stream
from fastaudio.exporting.registry import converts

if TYPE_CHECKING:
    from fastaudio._core import (
        L2Normalize,
        Log,
        MinMaxScale,
        Mono,
        Node,
        Normalize,
        Preemphasis,
        Quantize,
        StackChannels,
        Standardize,
        TopDb,
    )
    from fastaudio.exporting.graph import Graph, Rows


@converts("Tags")
def same(_: Graph, __: Node, rows: Rows) -> Rows:
    """Leave the rows: names of labels are no numbers."""
    return rows


@converts("Sigmoid")
def sigmoid(graph: Graph, _: Node, rows: Rows) -> Rows:
    """Take each value by itself."""
    return replace(rows, value=graph.op("Sigmoid", rows.value))


@converts("Softmax")
def softmax(graph: Graph, _: Node, rows: Rows) -> Rows:
    """Take the last axis together."""
    return replace(rows, value=graph.op("Softmax", rows.value, axis=-1))


@converts("Log")
def log(graph: Graph, node: Log, rows: Rows) -> Rows:
    """Take the natural logarithm, times a factor for another base."""
    value = rows.value
    if node.scale != 1:
        value = graph.op("Mul", value, node.scale)
    if node.offset:
        value = graph.op("Add", value, node.offset)
    value = graph.op("Log", graph.op("Max", value, node.floor))
    gain = {"ln": 1.0, "log10": 1 / math.log(10), "dB": 10 / math.log(10)}[node.kind]
    if gain != 1:
        value = graph.op("Mul", value, gain)
    if node.kind == "dB" and node.reference != 1:
        value = graph.op("Sub", value, 10 * math.log10(node.reference))
    return replace(rows, value=value)


@converts("Standardize")
def standardize(graph: Graph, node: Standardize, rows: Rows) -> Rows:
    """Compute (x - mean) / std in float64."""
    mean, std = np.asarray(node.mean), np.asarray(node.std)
    return replace(rows, value=_affine(graph, rows.value, mean, 1 / std))


@converts("MinMaxScale")
def min_max_scale(graph: Graph, node: MinMaxScale, rows: Rows) -> Rows:
    """Compute (x - min) / (max - min)."""
    low, high = np.asarray(node.min), np.asarray(node.max)
    value = _affine(graph, rows.value, low, 1 / (high - low))
    if node.clip:
        value = graph.op("Clip", value, 0.0, 1.0)
    return replace(rows, value=value)


def _affine(graph: Graph, value: str, shift: Any, gain: Any) -> str:
    wide = graph.op("Sub", graph.cast(value, "DOUBLE"), graph.doubles(shift))
    return graph.cast(graph.op("Mul", wide, graph.doubles(gain)), "FLOAT")


@converts("Quantize")
def quantize(graph: Graph, node: Quantize, rows: Rows) -> Rows:
    """Count steps in float64, because rounding down doesn't forgive."""
    low, high = (graph.doubles(limit) for limit in (node.min, node.max))
    wide = graph.op("Min", graph.op("Max", graph.cast(rows.value, "DOUBLE"), low), high)
    gain = graph.doubles((2**node.bits - 1) / (node.max - node.min))
    level = graph.op("Mul", graph.op("Sub", wide, low), gain)
    rounded = graph.op("Floor" if node.rounding == "down" else "Round", level)
    return replace(rows, value=graph.cast(rounded, "FLOAT"))


@converts("L2Normalize")
def l2_normalize(graph: Graph, node: L2Normalize, rows: Rows) -> Rows:
    """Divide by the length of the row."""
    wide = graph.cast(rows.value, "DOUBLE")
    total = _over_row(graph, "Sum", graph.op("Mul", wide, wide), rows)
    norm = graph.op("Max", graph.op("Sqrt", total), graph.doubles(node.eps))
    return replace(rows, value=graph.cast(graph.op("Div", wide, norm), "FLOAT"))


def _over_row(graph: Graph, kind: str, value: str, rows: Rows) -> str:
    axes = list(range(1, rows.rank))
    return graph.reduce(kind, value, axes) if axes else value


@converts("Normalize")
def normalize(graph: Graph, node: Normalize, rows: Rows) -> Rows:
    """Divide by the level of the row, or of the clip."""
    value, n = _row_or_clip(graph, node, rows)
    axes = list(range(0 if node.over == "clip" else 1, rows.rank))
    wide = graph.cast(value, "DOUBLE")

    def over(kind: str, values: str) -> str:
        return graph.reduce(kind, values, axes) if axes else values

    eps = graph.doubles(node.eps)
    if node.kind == "min_max":
        low = over("Min", wide)
        width = graph.op("Max", graph.op("Sub", over("Max", wide), low), eps)
        out = graph.op("Div", graph.op("Sub", wide, low), width)
    elif node.kind in ("mean", "standard"):
        out = graph.op("Sub", wide, over("Mean", wide))
        if node.kind == "standard":
            std = graph.op("Sqrt", over("Mean", graph.op("Mul", out, out)))
            out = graph.op("Div", out, graph.op("Max", std, eps))
    elif node.kind in ("rms", "energy"):
        total = over("Mean" if node.kind == "rms" else "Sum", graph.op("Mul", wide, wide))
        out = graph.op("Div", wide, graph.op("Max", graph.op("Sqrt", total), eps))
    elif node.kind == "max":
        out = graph.op("Div", wide, graph.op("Max", over("Max", graph.op("Abs", wide)), eps))
    else:
        refuse("Normalize", "a kind that a graph can compute", repr(node.kind), "take another kind")
    return _cut_back(graph, rows, graph.cast(out, "FLOAT"), n)


@converts("TopDb")
def top_db(graph: Graph, node: TopDb, rows: Rows) -> Rows:
    """Lift what lies far below the largest."""
    value, n = _row_or_clip(graph, node, rows)
    axes = list(range(0 if node.over == "clip" else 1, rows.rank))
    highest = graph.reduce("Max", value, axes) if axes else value
    if node.relative:
        out = graph.op("Max", graph.op("Sub", value, highest), -node.top_db)
    else:
        out = graph.op("Max", value, graph.op("Sub", highest, node.top_db))
    return _cut_back(graph, rows, out, n)


def _row_or_clip(graph: Graph, node: Any, rows: Rows) -> tuple[str, str | None]:
    if node.over == "row":
        return rows.value, None
    if graph.block is not None:
        refuse_stream(type(node).__name__, 'over="clip"')
    return at_least_one(graph, rows)


def _cut_back(graph: Graph, rows: Rows, value: str, n: str | None) -> Rows:
    return replace(rows, value=value if n is None else graph.slice(value, 0, n))


@converts("Mono")
def mono(graph: Graph, node: Mono, rows: Rows) -> Rows:
    """Take the mean of the channels, or one of them."""
    if node.channel is None:
        value = graph.reduce("Mean", rows.value, [1], keep=False)
    else:
        value = graph.op(
            "Squeeze", graph.slice(rows.value, node.channel, node.channel + 1, axis=1), graph.ints(1)
        )
    return replace(rows, value=value, shape=())


@converts("StackChannels")
def stack_channels(graph: Graph, node: StackChannels, rows: Rows) -> Rows:
    """Repeat the values along a new axis."""
    axis = 1 if node.axis == "first" else rows.rank
    one = graph.op("Unsqueeze", rows.value, graph.ints(axis))
    shape = (node.channels, *rows.shape) if node.axis == "first" else (*rows.shape, node.channels)
    return replace(rows, value=graph.concat(*[one] * node.channels, axis=axis), shape=shape)


@converts("Preemphasis")
def preemphasis(graph: Graph, node: Preemphasis, rows: Rows) -> Rows:
    """Subtract a part of the sample before."""
    value = graph.op("Sub", rows.value, graph.op("Mul", earlier(graph, rows, 1), node.coeff))
    if not node.advanced:
        return replace(rows, value=value)
    if graph.block is None:
        return replace(rows, value=graph.slice(value, 1, np.iinfo(np.int64).max))
    return replace(rows, value=value, delay=rows.delay + 1)
