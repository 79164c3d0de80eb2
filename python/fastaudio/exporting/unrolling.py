"""Unroll: the rows within patches, laid out in time, each from one patch or as the mean of several."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from fastaudio.exporting.refusing import refuse_stream
from fastaudio.exporting.registry import converts

if TYPE_CHECKING:
    from fastaudio._core import Unroll
    from fastaudio.exporting.graph import Graph, Rows

_ROUNDING = 1e-6  # of a row
_LARGEST_DENOMINATOR = 1 << 24
_NEVER = 1 << 60  # rows


@dataclass(frozen=True)
class _Grid:
    """Where patches begin: patch k at row round(k * step) - context; `n_used` of its rows count."""

    step: Fraction
    rate_hz: float
    patch_hz: float
    context: int
    n_used: int

    def start(self, graph: Graph, k: str) -> str:
        """Return the row of each patch's first one; whole numbers, so that nothing drifts."""
        top, bottom = 2 * self.step.numerator, 2 * self.step.denominator
        turned = graph.int_op("Add", graph.int_op("Mul", k, top), self.step.denominator)
        return graph.int_op("Sub", graph.int_op("Div", turned, bottom), self.context)

    def cut(self, graph: Graph, k: str) -> str:
        """Return the first row that each patch gives if each row is given once."""
        before = self.start(graph, graph.int_op("Max", graph.int_op("Sub", k, 1), 0))
        both = graph.int_op("Add", graph.int_op("Add", self.start(graph, k), before), self.n_used)
        middle = graph.int_op("Max", graph.int_op("Div", both, 2), 0)
        return graph.op("Where", graph.int_op("Less", k, 1), graph.ints(0), middle)

    def n_there(self, graph: Graph, rows: Rows, k: str) -> str:
        """Return how many rows of each patch begin before the end of what the patches were cut from."""
        if rows.extent is None:
            return graph.ints(self.n_used)
        n, rate_hz = rows.extent
        end_s = graph.op("Div", graph.cast(n, "DOUBLE"), graph.doubles(rate_hz))
        begin_s = graph.op("Div", graph.cast(k, "DOUBLE"), graph.doubles(self.patch_hz))
        left = graph.op("Mul", graph.op("Sub", end_s, begin_s), graph.doubles(self.rate_hz))
        whole = graph.cast(graph.op("Ceil", graph.op("Sub", left, graph.doubles(_ROUNDING))), "INT64")
        end = graph.op("Sub", graph.op("Mul", end_s, graph.doubles(self.rate_hz)), graph.doubles(_ROUNDING))
        on_grid = graph.int_op("Sub", graph.cast(graph.op("Ceil", end), "INT64"), self.start(graph, k))
        most = graph.int_op("Min", graph.int_op("Add", whole, self.context), self.n_used)
        most = graph.int_op("Min", most, on_grid)
        return graph.int_op("Max", most, 0)


def _grid_of(node: Unroll, rows: Rows) -> _Grid:
    spec, n_rows = rows.spec, rows.shape[0]
    rate_hz = node.output_specs(spec)[""].rate_hz
    reach = math.ceil((spec.span_s or 1 / spec.rate_hz) * rate_hz - _ROUNDING)
    n_used = min(n_rows, node.context + max(1, min(reach, n_rows)))
    step = _fraction_of(rate_hz / spec.rate_hz)
    return _Grid(step, rate_hz, spec.rate_hz, node.context, n_used)


def _fraction_of(x: float) -> Fraction:
    """Return the fraction of smallest denominator that is `x` but for rounding, as the core finds it."""
    before, now, rest = (1, 0), (int(x), 1), x - math.floor(x)
    while abs(now[0] / now[1] - x) > 1e-12 * x and rest > 0:
        digit = int(1 / rest)
        denominator = digit * now[1] + before[1]
        if denominator > _LARGEST_DENOMINATOR:
            break
        before, now, rest = now, (digit * now[0] + before[0], denominator), 1 / rest - digit
    return Fraction(*now)


@converts("Unroll")
def unroll(graph: Graph, node: Unroll, rows: Rows) -> Rows:
    """Give each row that lies nearest the middle of its patch, or the mean of all patches that have it."""
    if graph.block is not None:
        refuse_stream("Unroll", "one that joins the rows of several patches")
    grid = _grid_of(node, rows)
    shape = tuple(node.output_specs(rows.spec)[""].shape)
    size = math.prod(rows.shape[1:])
    lines = graph.reshape(rows.value, -1, size)
    laid = _trimmed if node.overlap == "trim" else _averaged
    value = laid(graph, node, rows, grid, lines)
    return replace(rows, value=graph.reshape(value, -1, *shape), shape=shape)


def _trimmed(graph: Graph, _: Unroll, rows: Rows, grid: _Grid, lines: str) -> str:
    """Take each row from the patch in which it lies farther from the edge."""
    n = graph.length(rows.value)
    k = graph.arange(n)
    start, cut = grid.start(graph, k), grid.cut(graph, k)
    end = graph.int_op("Add", start, grid.n_there(graph, rows, k))
    is_last = graph.op("Equal", k, graph.int_op("Sub", n, 1))
    following = grid.cut(graph, graph.int_op("Add", k, 1))
    end = graph.int_op("Min", graph.op("Where", is_last, graph.ints(_NEVER), following), end)
    start, cut, end = (graph.op("Unsqueeze", one, graph.ints(1)) for one in (start, cut, end))
    row = graph.op("Add", start, graph.constant(np.arange(rows.shape[0], dtype=np.int64)))
    mine = graph.op("And", graph.op("Not", graph.op("Less", row, cut)), graph.op("Less", row, end))
    return graph.op("Compress", lines, graph.reshape(mine, -1), axis=0)


def _averaged(graph: Graph, node: Unroll, rows: Rows, grid: _Grid, lines: str) -> str:
    """Take the weighted mean of the patches that each row lies in."""
    n = graph.length(rows.value)
    k = graph.arange(n)
    ends = graph.op("Add", grid.start(graph, k), grid.n_there(graph, rows, k))
    end = graph.reduce("Max", graph.concat(ends, graph.ints(0)), [0])
    row = graph.op("Unsqueeze", graph.arange(end), graph.ints(1))
    # The last patch that begins at a row or before it, and as many before that as may reach it.
    turned = graph.int_op("Add", graph.int_op("Mul", row, 2), 2 * grid.context + 1)
    above = graph.int_op("Sub", graph.int_op("Mul", turned, grid.step.denominator), 1)
    last = graph.int_op("Min", graph.int_op("Div", above, 2 * grid.step.numerator), graph.int_op("Sub", n, 1))
    most = math.ceil(grid.n_used / grid.step) + 1
    patch = graph.op("Sub", last, graph.constant(np.arange(most, dtype=np.int64)[::-1].copy()))
    inside = graph.int_op("Max", patch, 0)
    place = graph.op("Sub", row, grid.start(graph, inside))
    there = graph.op("Less", place, grid.n_there(graph, rows, inside))
    there = graph.op("And", there, graph.op("Not", graph.int_op("Less", patch, 0)))
    place = graph.int_op("Min", place, rows.shape[0] - 1)
    weights = graph.doubles(_weights(node, rows.shape[0]))
    weight = graph.op("Mul", graph.op("Gather", weights, place), graph.cast(there, "DOUBLE"))
    flat = graph.op("Add", graph.int_op("Mul", inside, rows.shape[0]), place)
    picked = graph.cast(graph.op("Gather", lines, flat, axis=0), "DOUBLE")  # [n, most, size]
    weighted = graph.op("Mul", picked, graph.op("Unsqueeze", weight, graph.ints(2)))
    total = graph.reduce("Sum", weighted, [1], keep=False)
    return graph.cast(graph.op("Div", total, graph.reduce("Sum", weight, [1])), "FLOAT")


def _weights(node: Unroll, n_rows: int) -> np.ndarray:
    if node.overlap == "hamming" and n_rows > 1:
        return np.hamming(n_rows)
    return np.ones(n_rows)
