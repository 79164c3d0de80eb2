"""Patches, and the cutting of clips: the last piece may be dropped, padded or filled with its own rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.exporting.cutting import Cut, frames, pieces
from fastaudio.exporting.registry import converts

if TYPE_CHECKING:
    from fastaudio._core import Patches
    from fastaudio.exporting.graph import Graph, Rows


@converts("Patches")
def patches(graph: Graph, node: Patches, rows: Rows) -> Rows:
    """Group rows."""
    return cut_rows(graph, node, node.length, rows)


def cut_rows(graph: Graph, node: Any, length: int, rows: Rows) -> Rows:
    """Cut pieces of `length` rows as `node` says: hop, last, pad_value, context."""
    hop = node.hop or length
    rest = {"left": node.context, "fill": node.pad_value}
    shape = (node.context + length, *rows.shape)
    cut = Cut(node.context + length, hop, **rest)
    if graph.block is not None:
        value, n, delay = frames(graph, rows, cut, type(node).__name__)
        return replace(rows, value=value, shape=shape, n=n, delay=delay)
    n_rows = graph.length(rows.value)
    count = _count(graph, node, length, hop, n_rows)
    last = graph.int_op("Mul", graph.int_op("Sub", graph.int_op("Max", count, 1), 1), hop)
    after = graph.int_op("Add", n_rows, graph.constant(np.arange(length, dtype=np.int64)))
    signal = rows.value
    if node.last == "pad":
        signal = graph.pad(signal, rows.rank, 0, length, node.pad_value)
    else:  # rows behind the end repeat those of the last piece
        have = graph.int_op("Max", graph.int_op("Sub", n_rows, last), 1)
        at = graph.int_op("Add", last, graph.op("Mod", graph.int_op("Sub", after, last), have))
        safe = graph.pad(signal, rows.rank, 0, 1)  # a clip may be empty, or end between pieces
        at = graph.int_op("Min", at, n_rows)
        signal = graph.concat(signal, graph.op("Gather", safe, at, axis=0))
    if node.context:
        signal = graph.pad(signal, rows.rank, node.context, 0, node.pad_value)
    value = pieces(graph, signal, rows.rank, count, cut)
    return replace(rows, value=value, shape=shape, extent=(n_rows, rows.spec.rate_hz))


def _count(graph: Graph, node: Any, length: int, hop: int, n: str) -> str:
    """Return how many pieces there are: one at least, unless there are no rows."""
    if node.last == "drop":
        more = graph.int_op("Div", graph.int_op("Sub", n, length), hop)
    else:  # one more for each hop that brings a new row
        over = graph.int_op("Sub", n, max(length, hop))
        more = graph.int_op("Div", graph.int_op("Add", graph.int_op("Max", over, 0), hop - 1), hop)
    some = graph.int_op("Min", n, 1)
    return graph.int_op("Mul", graph.int_op("Add", graph.int_op("Max", more, 0), 1), some)
