"""Resample: a convolution for each phase, all of them one operator whose step is a cycle of the two rates."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.exporting.cutting import Cut, frames
from fastaudio.exporting.probing import run
from fastaudio.exporting.refusing import refuse, refuse_block
from fastaudio.exporting.registry import converts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio._core import Resample
    from fastaudio.exporting.graph import Graph, Rows

_MOST_WEIGHTS = 1 << 22
_ROUNDING = 1e-5
_NONE = np.zeros((0, 0), dtype=np.float32)
_CYCLES = (1, 2, 4, 8, 16, 32, 64)  # the core halves a rate that is far above the other's


@dataclass(frozen=True)
class _Filters:
    """Output k of each cycle is the sum of kernels[k] times the samples from `left` before its start."""

    kernels: NDArray[np.float32]
    left: int
    down: int
    start: NDArray[np.float32]
    """What the first outputs have besides, [n_first, n_samples]: the core's halvings begin at sample 0."""


@converts("Resample")
def resample(graph: Graph, node: Resample, rows: Rows) -> Rows:
    """Put output k at time k / output_rate."""
    if node.input_rate == node.output_rate:
        return rows
    filters = _filters_of(node)
    up, length = filters.kernels.shape
    if graph.block is not None:
        cut = Cut(length, filters.down, filters.left)
        framed, n, delay = frames(graph, rows, cut, "Resample")
        assert n is not None
        value = graph.reshape(graph.op("MatMul", framed, filters.kernels.T), -1)
        found = replace(rows, value=value, n=n * up, delay=delay * up)
        return replace(found, value=_begun(graph, rows, found, filters))
    signal = graph.pad(rows.value, 1, filters.left, length + filters.down)
    line = graph.reshape(signal, 1, 1, -1)
    cycles = graph.op("Conv", line, filters.kernels[:, None], strides=[filters.down])
    value = graph.reshape(graph.op("Transpose", cycles, perm=[0, 2, 1]), -1)
    if filters.start.size:
        n_first, n_samples = filters.start.shape
        first = graph.slice(graph.pad(rows.value, 1, 0, n_samples), 0, n_samples)
        value = graph.pad(value, 1, 0, n_first)  # a short clip has fewer outputs than that
        begun = graph.op("Add", graph.slice(value, 0, n_first), graph.op("MatMul", filters.start, first))
        value = graph.concat(begun, graph.slice(value, n_first, np.iinfo(np.int64).max))
    common = math.gcd(node.input_rate, node.output_rate)
    times, parts = node.output_rate // common, node.input_rate // common
    n_out = graph.int_op("Add", graph.int_op("Mul", graph.length(rows.value), times), parts - 1)
    return replace(rows, value=graph.slice(value, 0, graph.int_op("Div", n_out, parts)))


def _begun(graph: Graph, rows: Rows, found: Rows, filters: _Filters) -> str:
    """Add what the first outputs have besides; all of them lie in the first block."""
    if not filters.start.size:
        return found.value
    assert rows.n is not None
    assert found.n is not None
    n_first, n_samples = filters.start.shape
    rest = found.n - found.delay - n_first
    if rest < 0 or rows.n < n_samples or rows.delay:
        up = len(filters.kernels)
        refuse_block(
            "Resample", filters.down, rows.n, max(n_samples, -(-(found.delay + n_first) // up) * filters.down)
        )
    more = graph.op("MatMul", filters.start, graph.slice(rows.value, 0, n_samples))
    placed = graph.pad(more, 1, found.delay, rest)
    is_first = graph.op("Less", graph.blocks(), [0.5])
    return graph.op("Add", found.value, graph.op("Where", is_first, placed, 0.0))


@lru_cache(maxsize=8)
def _filters_of(node: Resample) -> _Filters:
    """Read the filters off the node: what comes out for a 1 at each place of a cycle."""
    common = math.gcd(node.input_rate, node.output_rate)
    down, up = node.input_rate // common, node.output_rate // common
    spec: Any = node.input_spec
    reach = 2 * (math.ceil(node.output_specs(spec)[""].latency_s * node.input_rate) + 1)
    noise = np.random.default_rng(0).uniform(-1, 1, 4 * reach + 4 * down).astype(np.float32)
    wanted = run(node, noise, spec)
    for cycles in _CYCLES:
        n_in, n_out = down * cycles, up * cycles
        if n_out * (n_in + 2 * reach) > 2 * _MOST_WEIGHTS:
            got = f"{node.input_rate} to {node.output_rate}, a cycle of {down} to {up}"
            expected = f"rates whose filters have at most {_MOST_WEIGHTS:,} weights"
            refuse(
                "Resample", expected, got, "choose a sample rate in a simpler ratio, such as 44100 or 48000"
            )
        filters = _probed(node, n_in, n_out, reach, spec)
        missing = np.abs(_filtered(filters, noise)[: len(wanted)] - wanted)
        if missing[-(len(wanted) // 2) :].max() < _ROUNDING:
            return replace(
                filters, start=_start_of(node, filters, reach, spec) if missing.max() > _ROUNDING else _NONE
            )
    raise AssertionError(f"{node!r} isn't periodic")


def _probed(node: Resample, down: int, up: int, reach: int, spec: Any) -> _Filters:
    """Put a 1 at each place of a cycle, as far from the next one as filters reach."""
    margin = -(-reach // down)  # cycles
    apart = 2 * margin + 2  # all that comes of a 1 lies inside
    kernels = np.zeros((up, down + 2 * reach), dtype=np.float32)
    signal = np.zeros(down * apart, dtype=np.float32)
    for place in range(down):
        signal[:] = 0
        at = (margin + 1) * down + place
        signal[at] = 1
        out = run(node, signal, spec)
        k = np.flatnonzero(out)
        where = at - k // up * down + reach
        inside = (where >= 0) & (where < kernels.shape[1])
        kernels[k[inside] % up, where[inside]] = out[k[inside]]
    used = np.flatnonzero(np.abs(kernels).max(axis=0))
    first, last = int(used[0]), int(used[-1])
    return _Filters(np.ascontiguousarray(kernels[:, first : last + 1]), reach - first, down, _NONE)


def _start_of(node: Resample, filters: _Filters, reach: int, spec: Any) -> NDArray[np.float32]:
    """Return what the first outputs have besides the filters, for a 1 at each of the first samples."""
    (up, length), columns = filters.kernels.shape, []
    signal = np.zeros(4 * reach, dtype=np.float32)
    for place in range(reach):
        signal[:] = 0
        signal[place] = 1
        columns.append(run(node, signal, spec))
    more = np.stack(columns, axis=1).astype(np.float64)
    for cycle in range(-(-len(more) // up)):  # what the filters give is in their own columns
        outputs = more[cycle * up : (cycle + 1) * up]
        before = cycle * filters.down - filters.left
        first, end = max(before, 0), min(before + length, reach)
        if first < end:
            outputs[:, first:end] -= filters.kernels[: len(outputs), first - before : end - before]
    more[np.abs(more) < 1e-9] = 0  # noqa: PLR2004
    n_first, n_samples = (np.flatnonzero(more.any(axis=axis))[-1] + 1 for axis in (1, 0))
    return more[:n_first, :n_samples].astype(np.float32)


def _filtered(filters: _Filters, signal: NDArray[np.float32]) -> NDArray[np.float64]:
    length = filters.kernels.shape[1]
    cycles = -(-len(signal) // filters.down)
    padded = np.pad(signal.astype(np.float64), (filters.left, length + filters.down))
    windows = np.lib.stride_tricks.sliding_window_view(padded, length)[:: filters.down][:cycles]
    return np.asarray((windows @ filters.kernels.T.astype(np.float64)).ravel())
