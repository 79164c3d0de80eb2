"""Nodes made of nodes: their children's operators, one after another or side by side."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.exporting.cutting import at_least_one
from fastaudio.exporting.graph import Rows
from fastaudio.exporting.patches import cut_rows
from fastaudio.exporting.refusing import refuse_stream
from fastaudio.exporting.registry import convert, converts

if TYPE_CHECKING:
    from fastaudio._core import Concat, Each, Film, Parallel, Sequential
    from fastaudio.exporting.graph import Graph

_LONGEST_CYCLE = 65536


@converts("Sequential")
def sequential(graph: Graph, node: Sequential, rows: Rows) -> list[Rows]:
    """Give each child what the one before gives."""
    found = [rows]
    for child in node.children():
        (one,) = found
        found = convert(graph, child, one)
    return found


@converts("Parallel")
def parallel(graph: Graph, node: Parallel, rows: Rows) -> list[Rows]:
    """Give all children the same rows."""
    return [one for child in node.children() for one in convert(graph, child, rows)]


@converts("Each")
def each(graph: Graph, node: Each, rows: Rows) -> Rows:
    """Run the inner node over one clip after another, each as a whole signal."""
    clips = cut_rows(graph, node, node.clip_length, rows)
    value, n = at_least_one(graph, clips) if clips.n is None else (clips.value, None)
    shape = tuple(node.output_specs(rows.spec)[""].shape)
    body = graph.within()
    clip = body.name("clip")
    inner: Any = node.children()[0]
    (found,) = convert(body, inner, Rows(clip, rows.spec, rows.shape))
    out = body.slice(found.value, 0, shape[0])
    proto = body.proto([body.info(clip, list(clips.shape))], [body.info(out, list(shape))], "each")
    (whole,) = graph.ops("Scan", [value], body=proto, num_scan_inputs=1)
    return replace(clips, value=whole if n is None else graph.slice(whole, 0, n), shape=shape)


@converts("Concat")
def concat(graph: Graph, node: Concat, rows: Rows) -> Rows:
    """Join the branches' rows to one vector."""
    branches = [convert(graph, child, rows)[0] for child in node.children()]
    to = node.rate_of if node.rate_of is not None else _fastest(branches)
    values, n, delay = _aligned(graph, branches, to, average=node.align == "average", who="Concat")
    sizes = [math.prod(one.shape) for one in branches]
    flat = [graph.reshape(value, -1, size) for value, size in zip(values, sizes, strict=True)]
    return replace(rows, value=graph.concat(*flat, axis=1), shape=(sum(sizes),), n=n, delay=delay)


@converts("Film")
def film(graph: Graph, node: Film, rows: Rows) -> Rows:
    """Gamma * content + beta."""
    content, condition = node.children()
    names = list(condition.output_specs(rows.spec))
    first, second = convert(graph, condition, rows)
    gamma, beta = (first, second) if names[0] == "gamma" else (second, first)
    branches = [convert(graph, content, rows)[0], gamma, beta]
    values, n, delay = _aligned(graph, branches, 0, average=node.align == "average", who="Film")
    value = graph.op("Add", graph.op("Mul", values[1], values[0]), values[2])
    return replace(branches[0], value=value, n=n, delay=delay)


def _fastest(branches: list[Rows]) -> int:
    """Return the first branch whose rate no other exceeds by more than rounding."""
    best = 0
    for i, one in enumerate(branches):
        if one.spec.rate_hz > branches[best].spec.rate_hz * (1 + 1e-9):
            best = i
    return best


def _aligned(
    graph: Graph, branches: list[Rows], to: int, *, average: bool, who: str
) -> tuple[list[str], int | None, int]:
    """Return each branch's rows beside those of branch `to`, as many for each."""
    rates = [one.spec.rate_hz for one in branches]
    ratios = [Fraction(rate / rates[to] if rate else 1).limit_denominator(_LONGEST_CYCLE) for rate in rates]
    if graph.block is not None:
        return _aligned_blocks(graph, branches, ratios, who)
    means = [average and ratio > 1 for ratio in ratios]
    lengths = [graph.length(one.value) for one in branches]
    count = ""
    for n, ratio, mean in zip(lengths, ratios, means, strict=True):
        p, q = ratio.numerator, ratio.denominator
        if mean:  # the last row whose first is there
            last = graph.int_op("Mul", graph.int_op("Sub", graph.int_op("Max", n, 1), 1), q)
            mine = graph.int_op(
                "Mul", graph.int_op("Add", graph.int_op("Div", last, p), 1), graph.int_op("Min", n, 1)
            )
        else:
            mine = graph.int_op("Div", graph.int_op("Add", graph.int_op("Mul", n, q), p - 1), p)
        count = graph.int_op("Min", count, mine) if count else mine
    index = graph.arange(count)
    values = []
    for one, n, ratio, mean in zip(branches, lengths, ratios, means, strict=True):
        p, q = ratio.numerator, ratio.denominator
        if mean:
            values.append(_means(graph, one, n, index, ratio))
        elif p == q:
            values.append(graph.slice(one.value, 0, count))
        else:
            at = graph.int_op("Div", graph.int_op("Mul", index, p), q)
            values.append(graph.op("Gather", one.value, at, axis=0))
    return values, None, 0


def _means(graph: Graph, rows: Rows, n: str, index: str, ratio: Fraction) -> str:
    """Return the mean of a faster branch's rows within each step."""
    p, q = ratio.numerator, ratio.denominator
    most = -(-p // q)

    def first_of(i: str) -> str:
        return graph.int_op("Div", graph.int_op("Add", graph.int_op("Mul", i, p), q - 1), q)

    first, end = first_of(index), graph.int_op("Min", first_of(graph.int_op("Add", index, 1)), n)
    column = [graph.op("Unsqueeze", one, graph.ints(1)) for one in (first, end)]
    at = graph.op("Add", column[0], graph.constant(np.arange(most, dtype=np.int64)))
    there = graph.cast(graph.op("Less", at, column[1]), "DOUBLE")
    safe = graph.pad(rows.value, rows.rank, 0, most)
    picked = graph.cast(graph.op("Gather", safe, graph.int_op("Min", at, n), axis=0), "DOUBLE")
    weights = (
        graph.op("Unsqueeze", there, graph.ints(*range(2, 2 + len(rows.shape)))) if rows.shape else there
    )
    total = graph.reduce("Sum", graph.op("Mul", picked, weights), [1], keep=False)
    divisor = graph.reduce("Sum", weights, [1], keep=False)
    return graph.cast(graph.op("Div", total, divisor), "FLOAT")


def _aligned_blocks(
    graph: Graph, branches: list[Rows], ratios: list[Fraction], who: str
) -> tuple[list[str], int | None, int]:
    """Wait for the slowest branch."""
    if any(ratio != 1 for ratio in ratios):
        refuse_stream(who, "branches of different rates")
    delay = max(one.delay for one in branches)
    values = []
    for one in branches:
        wait = delay - one.delay
        if not wait:
            values.append(one.value)
            continue
        before, state = graph.state(wait, *one.shape)
        whole = graph.concat(before, one.value)
        assert one.n is not None
        state.value = graph.slice(whole, one.n, one.n + wait)
        values.append(graph.slice(whole, 0, one.n))
    return values, branches[0].n, delay
