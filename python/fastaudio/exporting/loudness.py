"""Loudness: K-weighting as a recurrence over pieces of samples, and the levels of windows.

Over a piece of samples, a filter with four numbers of memory is a matrix for the samples and one for what the
piece before left: one Scan goes from piece to piece, and all else is computed for all at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fastaudio.exporting.cutting import Cut, earlier, frames, index_of
from fastaudio.exporting.refusing import refuse_block, refuse_stream
from fastaudio.exporting.registry import converts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio._core import Loudness
    from fastaudio.exporting.graph import Graph, Rows

_OFFSET_LU, _ABSOLUTE_LUFS = -0.691, -70.0
_STEPS = {"momentary": 4, "short_term": 30, "integrated": 4}  # of 100 ms in a window
_SIDE = 1.41
_WEIGHTS = {4: (1, 1, _SIDE, _SIDE), 5: (1, 1, 1, _SIDE, _SIDE), 6: (1, 1, 1, 0, _SIDE, _SIDE)}
_PIECE = 128  # samples: the matrices have its square
_MEMORY = 4
_CLASSES, _PER_LU = 10_000, 100


@dataclass(frozen=True)
class _Filter:
    """What a filter makes of a piece of n samples x and of its memory s: x @ to_out + s @ from_memory."""

    to_out: NDArray[np.float64]
    from_memory: NDArray[np.float64]
    to_memory: NDArray[np.float64]
    memory: NDArray[np.float64]


def k_weighting(sample_rate: float, n: int) -> _Filter:
    """Return the core's filter over `n` samples (`cpp/dsp/k_weighting.cpp` has the source)."""
    k = math.tan(math.pi * 1681.974450955533 / sample_rate)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band, a0 = high**0.4996667741545416, 1 + k / q + k * k
    b0, b1, b2 = high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k
    shelf = (b0 / a0, b1 / a0, b2 / a0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0)
    k, q = math.tan(math.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    a0 = 1 + k / q + k * k
    high_pass = (1.0, -2.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0)
    # One line for each memory that is 1, and one for a first sample that is.
    memory, x = np.eye(_MEMORY + 1, _MEMORY), np.zeros(_MEMORY + 1)
    x[-1] = 1
    outputs, left = [], []
    for _ in range(n):
        y = x
        for (b0, b1, b2, a1, a2), i in ((shelf, 0), (high_pass, 2)):
            u, y = y, b0 * y + memory[:, i]
            memory[:, i] = b1 * u - a1 * y + memory[:, i + 1]
            memory[:, i + 1] = b2 * u - a2 * y
        outputs.append(y)
        left.append(memory.copy())
        x = np.zeros(_MEMORY + 1)
    out, after = np.array(outputs), np.array(left)  # [n, lines], [n, lines, memory]
    place = np.arange(n)[None] - np.arange(n)[:, None]  # of an output behind its sample
    return _Filter(
        to_out=np.where(place < 0, 0, out[np.maximum(place, 0), -1]),
        from_memory=out[:, :-1].T,
        to_memory=after[::-1, -1],
        memory=after[-1, :-1],
    )


@converts("Loudness")
def loudness(graph: Graph, node: Loudness, rows: Rows) -> Rows:
    """Weight, square and add up steps of 100 ms; then take the level of windows of them."""
    step, n_steps = (node.sample_rate + 5) // 10, _STEPS[node.kind]
    if rows.n is not None:
        if node.kind == "integrated":
            refuse_stream("Loudness", 'kind="integrated", which is one value for the whole clip')
        if rows.n % step:
            refuse_block("Loudness", step, rows.n)
        rows = _from_step(graph, rows, step)
    energy = _step_energies(graph, node, rows, step)  # [n_steps], of which the last may be short
    n = None if rows.n is None else rows.n // step
    steps = replace(rows, value=graph.cast(energy, "FLOAT"), shape=(), n=n, delay=rows.delay // step)
    cut, count, delay = frames(graph, steps, Cut(n_steps, 1), "Loudness")
    total = graph.reduce("Sum", graph.cast(cut, "DOUBLE"), [1])
    if rows.n is not None:
        mean = graph.op("Div", total, graph.doubles(float(n_steps * step)))
        return replace(rows, value=_lufs(graph, node, mean), shape=(1,), n=count, delay=delay)
    n_samples = graph.length(rows.value)
    heard = graph.int_op("Max", graph.int_op("Min", n_samples, n_steps * step), 1)
    mean = graph.op("Div", total, graph.cast(heard, "DOUBLE"))
    whole = graph.int_op("Sub", graph.int_op("Div", n_samples, step), n_steps - 1)
    some = graph.int_op("Min", n_samples, 1)
    mean = graph.slice(mean, 0, graph.int_op("Max", whole, some))
    if node.kind == "integrated":
        mean = graph.slice(_gated(graph, mean), 0, some)
    return replace(rows, value=_lufs(graph, node, mean), shape=(1,))


def _from_step(graph: Graph, rows: Rows, step: int) -> Rows:
    """Return samples that begin with a step, with silence before the signal."""
    if not rows.delay:
        return rows
    if lag := -rows.delay % step:
        rows = replace(rows, value=earlier(graph, rows, lag), delay=rows.delay + lag)
    early = graph.reshape(graph.op("Less", index_of(graph, rows), [-0.5]), -1, *[1] * len(rows.shape))
    return replace(rows, value=graph.op("Where", early, 0.0, rows.value))


def _step_energies(graph: Graph, node: Loudness, rows: Rows, step: int) -> str:
    """Return the sums of weighted squares over each step, float64 [n_steps]."""
    weights = np.array(node.weights or _WEIGHTS.get(node.channels, (1,) * node.channels), dtype=np.float64)
    heard = np.flatnonzero(weights) if weights.any() else np.arange(1)  # silence needs a channel, too
    value = graph.cast(graph.reshape(rows.value, -1, node.channels), "DOUBLE")
    if len(heard) < node.channels:
        value = graph.op("Gather", value, graph.constant(heard.astype(np.int64)), axis=1)
    lines = graph.op("Transpose", value, perm=[1, 0])  # [channels, n]
    n = graph.length(rows.value)
    filtered = _filtered(graph, lines, len(heard), rows.n, node.sample_rate)
    squares = graph.op("Mul", filtered, filtered)
    both = graph.op("Mul", squares, graph.doubles(weights[heard, None]))
    line = graph.slice(graph.reduce("Sum", both, [0], keep=False), 0, n)
    if rows.n is None:
        padded = graph.concat(line, graph.doubles(np.zeros(step)))
        whole = graph.int_op("Div", graph.int_op("Add", n, step - 1), step)
        line = graph.slice(padded, 0, graph.int_op("Mul", whole, step))
    return graph.reduce("Sum", graph.reshape(line, -1, step), [1], keep=False)


def _filtered(graph: Graph, lines: str, width: int, n: int | None, rate: int) -> str:
    """Return K-weighted lines [width, n or a little more]: a Scan takes one piece at least."""
    if n is None:
        lines = graph.concat(lines, graph.doubles(np.zeros((width, _PIECE))), axis=1)
        pieces = graph.int_op("Div", graph.op("Shape", lines, start=1, end=2), _PIECE)
        lines = graph.slice(lines, 0, graph.int_op("Mul", pieces, _PIECE), axis=1)
        return _by_pieces(
            graph, lines, width, k_weighting(rate, _PIECE), graph.doubles(np.zeros((width, _MEMORY)))
        )[0]
    # A state is float32: what its rounding leaves is another one.
    (high, kept), (low, rest) = (graph.state(width, _MEMORY) for _ in range(2))
    memory = graph.op("Add", graph.cast(high, "DOUBLE"), graph.cast(low, "DOUBLE"))
    whole, parts = n // _PIECE * _PIECE, []
    if whole:
        first = graph.slice(lines, 0, whole, axis=1)
        out, memory = _by_pieces(graph, first, width, k_weighting(rate, _PIECE), memory)
        parts.append(out)
    if whole < n:
        last = graph.slice(lines, whole, n, axis=1)
        out, memory = _by_pieces(graph, last, width, k_weighting(rate, n - whole), memory)
        parts.append(out)
    kept.value = graph.cast(memory, "FLOAT")
    rest.value = graph.cast(graph.op("Sub", memory, graph.cast(kept.value, "DOUBLE")), "FLOAT")
    return graph.concat(*parts, axis=1)


def _by_pieces(graph: Graph, lines: str, width: int, by: _Filter, memory: str) -> tuple[str, str]:
    """Return filtered lines [width, n], and what they leave; n is a multiple of the filter's piece."""
    length = len(by.to_out)
    cut = graph.reshape(lines, width, -1, length)
    given = graph.op("Transpose", graph.op("MatMul", cut, graph.doubles(by.to_memory)), perm=[1, 0, 2])
    body = graph.within()
    before, new = body.name("memory"), body.name("given")
    turned = body.op("Add", body.op("MatMul", before, body.doubles(by.memory)), new)
    was = body.op("Identity", before)
    ends = (before, new), (turned, was)
    infos, outputs = ([body.info(one, [width, _MEMORY], "DOUBLE") for one in some] for some in ends)
    proto = body.proto(infos, outputs, "k-weighting")
    left, found = graph.ops("Scan", [memory, given], 2, body=proto, num_scan_inputs=1)
    found = graph.op("Transpose", found, perm=[1, 0, 2])  # [width, n_pieces, memory]
    own = graph.op("MatMul", cut, graph.doubles(by.to_out))
    out = graph.op("Add", own, graph.op("MatMul", found, graph.doubles(by.from_memory)))
    return graph.reshape(out, width, -1), left


def _lufs(graph: Graph, node: Loudness, mean: str) -> str:
    level = graph.op("Max", _level(graph, mean), graph.doubles(node.floor_lufs))
    return graph.cast(level, "FLOAT")


def _level(graph: Graph, mean: str) -> str:
    decibels = graph.op("Mul", graph.op("Log", mean), graph.doubles(10 / math.log(10)))
    return graph.op("Add", decibels, graph.doubles(_OFFSET_LU))


def _gated(graph: Graph, mean: str) -> str:
    """Return the mean energy of the blocks above both thresholds, [1, 1]; 0 without any.

    Classes of 0.01 LU are in or out as a whole, as in the core: all above that of the threshold, and that one
    if its mean is.
    """

    def mean_of(mask: str) -> str:
        total = graph.reduce("Sum", graph.op("Mul", mean, mask), [0])
        return graph.op("Div", total, graph.op("Max", graph.reduce("Sum", mask, [0]), graph.doubles(1.0)))

    def class_of(energy: str) -> str:
        above = graph.op("Sub", _level(graph, energy), graph.doubles(_ABSOLUTE_LUFS))
        above = graph.op("Mul", graph.op("Max", above, graph.doubles(-1.0)), graph.doubles(float(_PER_LU)))
        return graph.op("Floor", graph.op("Min", above, graph.doubles(_CLASSES - 1.0)))

    def as_mask(condition: str) -> str:
        return graph.cast(condition, "DOUBLE")

    number = class_of(mean)
    loud = as_mask(graph.op("Not", graph.op("Less", number, graph.doubles(0.0))))
    threshold = graph.op("Mul", mean_of(loud), graph.doubles(0.1))
    its = class_of(threshold)
    same = graph.op("Mul", loud, as_mask(graph.op("Equal", number, its)))
    same_in = as_mask(graph.op("Not", graph.op("Less", mean_of(same), threshold)))
    above = graph.op("Mul", loud, as_mask(graph.op("Greater", number, its)))
    return mean_of(graph.op("Add", above, graph.op("Mul", same, same_in)))
