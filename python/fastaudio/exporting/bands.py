"""Nodes that multiply a row by a matrix, and those that describe the shape of a spectrum."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import Chroma, SpectralContrast
from fastaudio.exporting.cutting import earlier, index_of
from fastaudio.exporting.probing import matrix_of
from fastaudio.exporting.registry import converts

if TYPE_CHECKING:
    from fastaudio._core import (
        MFCC,
        Node,
        PCAWhiten,
        Similarity,
        SpectralBandwidth,
        SpectralFlatness,
        SpectralFlux,
        SpectralRolloff,
    )
    from fastaudio.exporting.graph import Graph, Rows

_NEARLY_NOTHING = float(np.finfo(np.float32).tiny)


@converts("MFCC")
def mfcc(graph: Graph, node: MFCC, rows: Rows) -> Rows:
    """Multiply by the transform and the lifter, which are one matrix."""
    value = graph.op("MatMul", rows.value, matrix_of(node, rows.spec))
    return replace(rows, value=value, shape=(node.n_mfcc,))


@converts("PCAWhiten")
def pca_whiten(graph: Graph, node: PCAWhiten, rows: Rows) -> Rows:
    """Subtract the means, then multiply by the matrix."""
    matrix = np.asarray(node.matrix).reshape(-1, len(node.means))
    centred = graph.op("Sub", graph.cast(rows.value, "DOUBLE"), graph.doubles(np.asarray(node.means)))
    value = graph.cast(graph.op("MatMul", centred, graph.doubles(matrix.T)), "FLOAT")
    return replace(rows, value=value, shape=(len(matrix),))


@converts("Similarity")
def similarity(graph: Graph, node: Similarity, rows: Rows) -> Rows:
    """Multiply rows and vectors of unit length; a row of zeros gives 0."""
    bank = np.asarray(node.bank, dtype=np.float64).reshape(len(node.labels), -1)
    norms = np.linalg.norm(bank, axis=1, keepdims=True)
    unit = np.divide(bank, norms, out=np.zeros_like(bank), where=norms > 0)
    wide = graph.cast(rows.value, "DOUBLE")
    norm = graph.op("Sqrt", graph.reduce("Sum", graph.op("Mul", wide, wide), [1]))
    some = graph.op("Max", norm, graph.doubles(1e-300))  # no row of float32 but zeros is so short
    cosine = graph.cast(graph.op("Div", graph.op("MatMul", wide, graph.doubles(unit.T)), some), "FLOAT")
    return replace(rows, value=graph.op("Clip", cosine, -1.0, 1.0), shape=(len(unit),))


@converts("Chroma")
def chroma(graph: Graph, node: Chroma, rows: Rows) -> Rows:
    """Sum bins and divide by the row's norm; a row that is all but zero stays the same."""
    options = ("n_chroma", "tuning", "ctroct", "octwidth", "base_c")
    sums = Chroma(norm="none", **{name: getattr(node, name) for name in options})
    value = graph.op("MatMul", rows.value, matrix_of(sums, rows.spec))
    if node.norm != "none":
        size = graph.op("Abs", value)
        if node.norm == "l2":
            length = graph.op("Sqrt", graph.reduce("Sum", graph.op("Mul", size, size), [1]))
        else:
            length = graph.reduce("Max" if node.norm == "inf" else "Sum", size, [1])
        value = graph.op("Div", value, _or_one(graph, length))
    return replace(rows, value=value, shape=(node.n_chroma,))


def _or_one(graph: Graph, length: str, wide: bool = False) -> str:
    """Return a divisor: 1 in place of what is nearly nothing."""
    number = graph.doubles if wide else graph.floats
    return graph.op("Where", graph.op("Less", length, number(_NEARLY_NOTHING)), number(1.0), length)


def _magnitude(graph: Graph, rows: Rows) -> str:
    return graph.cast(graph.op("Max", rows.value, 0.0), "DOUBLE")


def _centroid(graph: Graph, rows: Rows) -> tuple[str, str, str, np.ndarray]:
    """Return magnitudes, the sum that divides them, the centroid, and the bins' frequencies."""
    hz = np.arange(rows.shape[0]) * rows.spec.bin_hz
    magnitude = _magnitude(graph, rows)
    length = _or_one(graph, graph.reduce("Sum", magnitude, [1]), wide=True)
    weighted = graph.reduce("Sum", graph.op("Mul", magnitude, graph.doubles(hz)), [1])
    return magnitude, length, graph.op("Div", weighted, length), hz


@converts("SpectralCentroid")
def spectral_centroid(graph: Graph, _: Node, rows: Rows) -> Rows:
    """Take the mean frequency."""
    return replace(rows, value=graph.cast(_centroid(graph, rows)[2], "FLOAT"), shape=(1,))


@converts("SpectralBandwidth")
def spectral_bandwidth(graph: Graph, node: SpectralBandwidth, rows: Rows) -> Rows:
    """Take the deviation from the mean frequency."""
    magnitude, length, centre, hz = _centroid(graph, rows)
    far = graph.op("Abs", graph.op("Sub", graph.doubles(hz), centre))
    far = graph.op("Mul", far, far) if node.p == 2 else graph.op("Pow", far, graph.doubles(node.p))  # noqa: PLR2004
    total = graph.reduce("Sum", graph.op("Mul", magnitude, far), [1])
    if node.norm:
        total = graph.op("Div", total, length)
    root = graph.op("Sqrt", total) if node.p == 2 else graph.op("Pow", total, graph.doubles(1 / node.p))  # noqa: PLR2004
    return replace(rows, value=graph.cast(root, "FLOAT"), shape=(1,))


@converts("SpectralRolloff")
def spectral_rolloff(graph: Graph, node: SpectralRolloff, rows: Rows) -> Rows:
    """Count the bins below the first one at which the running sum reaches its part."""
    magnitude = _magnitude(graph, rows)
    running = graph.op("CumSum", magnitude, graph.constant(np.array(1, dtype=np.int64)))
    threshold = graph.op("Mul", graph.reduce("Sum", magnitude, [1]), graph.doubles(node.roll_percent))
    below = graph.cast(graph.op("Less", running, threshold), "FLOAT")
    bins = graph.op("Min", graph.reduce("Sum", below, [1]), float(rows.shape[0] - 1))
    return replace(rows, value=graph.op("Mul", bins, rows.spec.bin_hz), shape=(1,))


@converts("SpectralFlatness")
def spectral_flatness(graph: Graph, node: SpectralFlatness, rows: Rows) -> Rows:
    """Divide the geometric mean by the arithmetic one."""
    floor = float(np.float32(node.amin ** (1 / node.power)))
    floored = graph.cast(graph.op("Max", rows.value, floor), "DOUBLE")
    power = graph.doubles(node.power)
    logs = graph.reduce("Mean", graph.op("Mul", graph.op("Log", floored), power), [1])
    mean = graph.reduce("Mean", graph.op("Pow", floored, power), [1])
    ratio = graph.cast(graph.op("Div", graph.op("Exp", logs), mean), "FLOAT")
    return replace(rows, value=graph.op("Min", ratio, 1.0), shape=(1,))


@converts("SpectralContrast")
def spectral_contrast(graph: Graph, node: SpectralContrast, rows: Rows) -> Rows:
    """Subtract valleys of octaves from peaks; which bins these are is read off the node itself."""
    options = {name: getattr(node, name) for name in ("f_min", "n_bands", "quantile")}
    shares = matrix_of(SpectralContrast(linear=True, part="peak", **options), rows.spec)
    columns = []
    for share in shares.T:
        inside = np.flatnonzero(share)
        n_extreme = max(1, round(1 / float(share[inside[0]])))
        band = graph.slice(rows.value, int(inside[0]), int(inside[-1]) + 1, axis=1)
        parts = []
        for kind, largest in (("peak", 1), ("valley", 0)):
            if node.part in ("contrast", kind):
                top = graph.ops("TopK", [band, graph.ints(n_extreme)], 2, axis=1, largest=largest)[0]
                parts.append(_level(graph, node, graph.reduce("Mean", top, [1])))
        columns.append(graph.op("Sub", *parts) if len(parts) > 1 else parts[0])
    return replace(rows, value=graph.concat(*columns, axis=1), shape=(len(columns),))


def _level(graph: Graph, node: SpectralContrast, value: str) -> str:
    if node.linear:
        return value
    return graph.op("Mul", graph.op("Log", graph.op("Max", value, 1e-10)), 10 / np.log(10))


@converts("SpectralFlux")
def spectral_flux(graph: Graph, node: SpectralFlux, rows: Rows) -> Rows:
    """Add up how much each band rose."""
    largest: Any = rows.value
    if node.max_size > 1:
        line = graph.op("Unsqueeze", rows.value, graph.ints(1))
        pads = [min(node.max_size // 2, rows.shape[0] - 1), min((node.max_size - 1) // 2, rows.shape[0] - 1)]
        pooled = graph.op("MaxPool", line, kernel_shape=[sum(pads) + 1], pads=pads, strides=[1])
        largest = graph.op("Squeeze", pooled, graph.ints(1))
    past = earlier(graph, replace(rows, value=largest), node.lag)
    change = graph.op("Sub", rows.value, past)
    rectified = getattr(node, "rectify", True)
    rise = graph.op("Max", change, 0.0) if rectified else graph.op("Abs", change)
    if node.aggregate == "l2":
        flux = graph.op("Sqrt", graph.reduce("Sum", graph.op("Mul", rise, rise), [1]))
    else:
        flux = graph.reduce("Mean" if node.aggregate == "mean" else "Sum", rise, [1])
    began = graph.op("Mul", flux, _has_begun(graph, rows, node.lag))
    return replace(rows, value=began, shape=(1,))


def _has_begun(graph: Graph, rows: Rows, lag: int) -> str:
    """Return 0 for the first `lag` rows and 1 for others, float32 [n, 1]."""
    if rows.n is None:
        at = graph.op("Unsqueeze", graph.arange(graph.length(rows.value)), graph.ints(1))
        late = graph.op("Less", at, graph.ints(lag))
    else:
        late = graph.op("Less", index_of(graph, rows), [lag - 0.5])
    return graph.op("Sub", 1.0, graph.cast(late, "FLOAT"))
