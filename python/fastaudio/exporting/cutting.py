"""Frames, patches and windows: pieces of consecutive rows, cut by slices that every runtime has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastaudio.exporting.refusing import refuse_block

if TYPE_CHECKING:
    from fastaudio.exporting.graph import Graph, Rows

_MOST_SLICES = 64  # from here on, an index for each row takes less


@dataclass(frozen=True)
class Cut:
    """Piece k holds rows k * hop - left to k * hop - left + length - 1."""

    length: int
    hop: int
    left: int = 0  # if negative, so many rows are skipped
    right: int = 0
    edge: str = "constant"  # or "reflect", "kaldi", "hold": what rows before and after the signal are
    fill: float = 0.0


def frames(graph: Graph, rows: Rows, cut: Cut, who: str) -> tuple[str, int | None, int]:
    """Return frames [n, length, *shape], their number in a block, and their delay.

    A signal of any length has one frame at least; frames end inside the signal and what is added to it.
    """
    if graph.block is not None:
        return _of_block(graph, rows, cut, who)
    n = graph.length(rows.value)
    some = graph.int_op("Min", n, 1)
    signal, missing = rows.value, max(-cut.left, 0)
    if cut.edge == "constant":
        signal = graph.pad(signal, rows.rank, max(cut.left, 0), cut.right, cut.fill)
    else:
        parts = [signal]
        if cut.left > 0:
            parts.insert(0, _beyond(graph, rows, n, np.arange(-cut.left, 0), cut.edge))
        if cut.right > 0:
            after = graph.int_op("Add", n, graph.constant(np.arange(cut.right, dtype=np.int64)))
            parts.append(_beyond(graph, rows, n, after, cut.edge))
        signal = graph.concat(*parts)
    if missing:
        signal = graph.slice(signal, missing, np.iinfo(np.int64).max)
    total = graph.int_op("Add", n, cut.left + cut.right)
    count = graph.int_op("Div", graph.int_op("Sub", total, cut.length), cut.hop)
    count = graph.int_op("Mul", graph.int_op("Max", graph.int_op("Add", count, 1), 1), some)
    return pieces(graph, signal, rows.rank, count, cut), None, 0


def pieces(graph: Graph, signal: str, rank: int, count: str | int, cut: Cut) -> str:
    """Return [count, length, ...]: piece k begins at row k * hop of `signal`, which `fill` goes on."""
    slices = -(-cut.length // cut.hop)
    if slices > _MOST_SLICES:
        if isinstance(count, int):
            starts = graph.constant(np.arange(count, dtype=np.int64)[:, None] * cut.hop)
        else:
            steps = graph.op("Unsqueeze", graph.arange(count), graph.ints(1))
            starts = graph.op("Mul", steps, graph.ints(cut.hop))
        at = graph.op("Add", starts, graph.constant(np.arange(cut.length, dtype=np.int64)))
        return graph.op("Gather", graph.pad(signal, rank, 0, cut.length, cut.fill), at, axis=0)
    least = max(count, 1) if isinstance(count, int) else graph.int_op("Max", count, 1)
    blocks = least + slices - 1 if isinstance(least, int) else graph.int_op("Add", least, slices - 1)
    n = blocks * cut.hop if isinstance(blocks, int) else graph.int_op("Mul", blocks, cut.hop)
    signal = graph.slice(graph.pad(signal, rank, 0, (slices + 1) * cut.hop, cut.fill), 0, n)
    shape = graph.concat(graph.ints(-1, cut.hop), graph.op("Shape", signal, start=1)) if rank > 1 else None
    table = graph.op("Reshape", signal, shape) if shape else graph.reshape(signal, -1, cut.hop)
    ends = [i + count if isinstance(count, int) else graph.int_op("Add", count, i) for i in range(slices)]
    parts = [graph.slice(table, i, end) for i, end in enumerate(ends)]
    if rest := cut.length % cut.hop:
        parts[-1] = graph.slice(parts[-1], 0, rest, axis=1)
    return graph.concat(*parts, axis=1)


def _beyond(graph: Graph, rows: Rows, n: str, at: str | np.ndarray, edge: str) -> str:
    """Return the rows that stand at places outside the signal; one of zeros if it is empty."""
    i = at if isinstance(at, str) else graph.constant(at.astype(np.int64))
    if edge == "hold":
        inside = graph.int_op("Max", graph.int_op("Min", i, graph.int_op("Sub", n, 1)), 0)
    else:
        apart = 1 if edge == "reflect" else 0
        period = graph.int_op("Max", graph.int_op("Mul", graph.int_op("Sub", n, apart), 2), 1)
        turned = graph.op("Mod", i, period)
        back = graph.int_op("Sub", graph.int_op("Sub", period, turned), 1 - apart)
        inside = graph.int_op("Max", graph.int_op("Min", turned, back), 0)
    return graph.op("Gather", graph.pad(rows.value, rows.rank, 0, 1), inside, axis=0)


def _of_block(graph: Graph, rows: Rows, cut: Cut, who: str) -> tuple[str, int, int]:
    """Return the frames that a block completes: as many in each, after a delay."""
    if rows.n is None or rows.n % cut.hop:
        refuse_block(who, cut.hop, rows.n)
    delay = max(-((cut.left - cut.length - rows.delay) // cut.hop) - 1, 0)
    reach = delay * cut.hop + cut.left - rows.delay
    kept, skipped = max(reach, 0), max(-reach, 0)
    before, state = graph.state(kept, *rows.shape) if kept else ("", None)
    signal = graph.concat(before, rows.value) if kept else rows.value
    if cut.left > 0:
        signal = _begun(graph, signal, rows, cut, kept=kept, who=who)
    if state is not None:
        state.value = graph.slice(signal, rows.n, rows.n + kept)
    if skipped:
        signal = graph.slice(signal, skipped, np.iinfo(np.int64).max)
    count = rows.n // cut.hop
    return pieces(graph, signal, rows.rank, count, cut), count, delay


def _begun(graph: Graph, signal: str, rows: Rows, cut: Cut, *, kept: int, who: str) -> str:
    """Put what stands before the signal where it hasn't begun: rows of `fill`, or its own, mirrored."""
    assert rows.n is not None
    place = np.arange(kept + rows.n) - kept - rows.delay  # in the signal, if this is the first block
    if cut.edge == "constant":
        if cut.fill == 0 and not rows.delay:
            return signal
        return _where_before(graph, signal, rows, place, cut.fill)
    beyond = {"hold": 0 * place, "reflect": -place, "kaldi": -place - 1}[cut.edge]
    source = np.where((place < 0) & (place >= -cut.left), beyond, place) + kept + rows.delay
    if source.max() >= kept + rows.n:
        refuse_block(who, cut.hop, rows.n, least=int(source.max()) - kept + 1)
    first = graph.reshape(graph.op("Less", graph.blocks(), [0.5]), *[1] * rows.rank)
    mirrored = graph.op("Gather", signal, graph.constant(source.astype(np.int64)), axis=0)
    return graph.op("Where", first, mirrored, signal)


def _where_before(graph: Graph, signal: str, rows: Rows, at: np.ndarray, fill: float) -> str:
    """Put `fill` where the signal hasn't begun; `at` counts from the first sample of the first block."""
    assert rows.n is not None
    index = graph.op("Add", graph.op("Mul", graph.blocks(), [float(rows.n)]), at.astype(np.float32))
    early = graph.reshape(graph.op("Less", index, [-0.5]), -1, *[1] * len(rows.shape))
    return graph.op("Where", early, graph.floats(fill), signal)


def index_of(graph: Graph, rows: Rows) -> str:
    """Return each row's number in the signal, float32 [n, 1]; below 0 for those that mean nothing."""
    assert rows.n is not None
    at = np.arange(rows.n, dtype=np.float32) - rows.delay
    index = graph.op("Add", graph.op("Mul", graph.blocks(), [float(rows.n)]), at)
    return graph.op("Unsqueeze", index, graph.ints(1))


def earlier(graph: Graph, rows: Rows, lag: int) -> str:
    """Return each row's row `lag` before, zeros before the first."""
    if graph.block is None:
        n = graph.length(rows.value)
        padded = graph.pad(rows.value, rows.rank, lag, 0)
        return graph.slice(padded, 0, n)
    assert rows.n is not None
    signal, state = graph.state(lag, *rows.shape)
    signal = graph.concat(signal, rows.value)
    state.value = graph.slice(signal, rows.n, rows.n + lag)
    past = graph.slice(signal, 0, rows.n)
    return _where_before(graph, past, rows, np.arange(rows.n) - lag - rows.delay, 0.0) if rows.delay else past


def at_least_one(graph: Graph, rows: Rows) -> tuple[str, str]:
    """Return the rows, or one of zeros if there is none; and how many there are, int64 [1]."""
    n = graph.length(rows.value)
    missing = graph.int_op("Sub", 1, graph.int_op("Min", n, 1))
    return graph.pad(rows.value, rows.rank, 0, missing), n
