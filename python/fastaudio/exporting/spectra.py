"""Samples to spectra: MelSpectrogram, HarmonicSpectrogram, Spectrogram; and levels of frames.

A discrete Fourier transform of n = a * b values is done in two steps, with matrices of a and of b values: it
takes the operators that every runtime has, and rounds as a fast transform does. The turns between the steps
are in the matrices of the second one, which are others for each bin of the first, as long as these are small.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.exporting.cutting import Cut, frames
from fastaudio.exporting.probing import filters_of, frame_length, window_of
from fastaudio.exporting.refusing import refuse
from fastaudio.exporting.registry import converts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio._core import RMS, Spectrogram, ZeroCrossingRate
    from fastaudio.exporting.graph import Graph, Rows

_MOST_FACTOR = 4096  # the matrix of a prime n has n^2 values
_MOST_TURNED = 1 << 19  # values of a table with the turns in it; those of n_fft up to 8192 are smaller


@converts("MelSpectrogram", "HarmonicSpectrogram")
def bands(graph: Graph, node: Any, rows: Rows) -> Rows:
    """Sum bins by a bank of filters."""
    spectrum, n, delay = _framed(graph, node, rows)
    real, imag, places = _transformed(graph, node, spectrum)
    power = _powered(graph, _squares(graph, real, imag), node.power)
    weights = filters_of(node)
    spread = np.zeros((places.n_values, weights.shape[1]), dtype=np.float32)
    spread[places.of_bin] = weights
    flat = graph.op("MatMul", _lines(graph, power, places), spread)
    shape = tuple(node.output_specs(rows.spec)[""].shape)
    value = flat if len(shape) == 1 else graph.reshape(flat, -1, *shape)
    return replace(rows, value=value, shape=shape, n=n, delay=delay)


@converts("Spectrogram")
def spectrum(graph: Graph, node: Spectrogram, rows: Rows) -> Rows:
    """Give the bins themselves."""
    framed, n, delay = _framed(graph, node, rows)
    real, imag, places = _transformed(graph, node, framed)
    shape = tuple(node.output_specs(rows.spec)[""].shape)
    order = graph.constant(places.of_bin.astype(np.int64))

    def in_order(value: str) -> str:
        return graph.op("Gather", _lines(graph, value, places), order, axis=1)

    if node.power is None:
        signs = np.where(places.turned, -1, 1)
        parts = in_order(real), graph.op("Mul", in_order(imag), signs)
        value = graph.concat(*(graph.op("Unsqueeze", one, graph.ints(2)) for one in parts), axis=2)
    else:
        value = _powered(graph, in_order(_squares(graph, real, imag)), node.power)
    return replace(rows, value=value, shape=shape, n=n, delay=delay)


def _framed(graph: Graph, node: Any, rows: Rows) -> tuple[str, int | None, int]:
    """Return windowed frames [n, frame_length]."""
    length = frame_length(node)
    left = right = 0
    edge = node.pad_mode if node.center else "constant"
    if node.center:
        left = right = length // 2
        if edge == "kaldi":
            left, right = left - node.hop_length // 2, length - length // 2 - node.hop_length % 2
    cut = Cut(length, node.hop_length, left, right, edge)
    value, n, delay = frames(graph, rows, cut, type(node).__name__)
    if node.remove_dc:
        value = graph.op("Sub", value, graph.reduce("Mean", value, [1]))
    if node.preemphasis:
        first = graph.slice(value, 0, 1, axis=1)
        before = graph.slice(graph.concat(first, value, axis=1), 0, length, axis=1)
        value = graph.op("Sub", value, graph.op("Mul", before, node.preemphasis))
    value = graph.op("Mul", value, window_of(node))
    if length < node.n_fft:
        value = graph.op("Pad", value, graph.ints(0, 0, 0, node.n_fft - length))
    return value, n, delay


class _Places:
    """Where the bins of a transform in two steps stand: c + a * d at [c, d], for c up to a / 2."""

    def __init__(self, a: int, b: int) -> None:
        n, half = a * b, a // 2 + 1
        self.n_values = half * b
        bins = np.arange(n // 2 + 1)
        self.turned = bins % a >= half  # the bin n - k is there instead, its mirror image
        mirrored = np.where(self.turned, n - bins, bins)
        self.of_bin: NDArray[np.int64] = mirrored % a * b + mirrored // a


def _transformed(graph: Graph, node: Any, value: str) -> tuple[str, str, _Places]:
    """Return the transform of frames [n, n_fft]: real and imaginary parts, each [a / 2 + 1, n, b]."""
    n = node.n_fft
    b = max((k for k in range(1, int((n / 1.5) ** 0.5) + 1) if n % k == 0), default=1)
    a = n // b  # if it is the larger one, the sums are shorter: faster, and with less rounding
    if a > _MOST_FACTOR:
        got = f"{n}, whose largest factors are {b} and {a}"
        refuse(type(node).__name__, f"n_fft with factors up to {_MOST_FACTOR}", got, "take a power of 2")
    half = a // 2 + 1
    first = _turns(np.outer(np.arange(half), np.arange(a)), a)
    pairs = np.stack([first.real, first.imag], axis=1).reshape(2 * half, a)
    parts = graph.op("MatMul", pairs, graph.reshape(value, -1, a, b))  # [n, a / 2 + 1 pairs, b]
    parts = graph.op("Transpose", graph.reshape(parts, -1, half, 2 * b), perm=[1, 0, 2])
    turn = _turns(np.outer(np.arange(half), np.arange(b)), n)
    second = _turns(np.outer(np.arange(b), np.arange(b)), b)
    if half * b * b <= _MOST_TURNED:
        second = turn[:, :, None] * second
    else:
        parts = _turned(graph, parts, turn[:, None])
    columns = ([second.real, -second.imag], [second.imag, second.real])
    real, imag = (graph.op("MatMul", parts, np.concatenate(both, axis=-2)) for both in columns)
    return real, imag, _Places(a, b)


def _turned(graph: Graph, parts: str, turn: NDArray[np.complex128]) -> str:
    """Multiply complex numbers, whose real and imaginary parts stand one after another, by others."""
    b = turn.shape[-1]
    real, imag = (graph.slice(parts, i * b, (i + 1) * b, axis=2) for i in (0, 1))
    turned_real = graph.op("Sub", graph.op("Mul", real, turn.real), graph.op("Mul", imag, turn.imag))
    turned_imag = graph.op("Add", graph.op("Mul", real, turn.imag), graph.op("Mul", imag, turn.real))
    return graph.concat(turned_real, turned_imag, axis=2)


def _squares(graph: Graph, real: str, imag: str) -> str:
    return graph.op("Add", graph.op("Mul", real, real), graph.op("Mul", imag, imag))


def _lines(graph: Graph, value: str, places: _Places) -> str:
    """Bring [a / 2 + 1, n, b] to a line for each frame."""
    return graph.reshape(graph.op("Transpose", value, perm=[1, 0, 2]), -1, places.n_values)


def _turns(steps: NDArray[np.int64], n: int) -> NDArray[np.complex128]:
    return np.asarray(np.exp(-2j * np.pi * (steps % n) / n))


def _powered(graph: Graph, power: str, exponent: float) -> str:
    """Return magnitude ** exponent of squared magnitudes."""
    if exponent == 2:  # noqa: PLR2004
        return power
    return graph.op("Sqrt", power) if exponent == 1 else graph.op("Pow", power, exponent / 2)


@converts("RMS")
def rms(graph: Graph, node: RMS, rows: Rows) -> Rows:
    """Take the root of the mean of squares."""
    pad = node.frame_length // 2 if node.center else 0
    cut = Cut(node.frame_length, node.hop_length, pad, pad, node.pad_mode)
    value, n, delay = frames(graph, rows, cut, "RMS")
    mean = graph.reduce("Mean", graph.op("Mul", value, value), [1])
    return replace(rows, value=graph.op("Sqrt", mean), shape=(1,), n=n, delay=delay)


@converts("ZeroCrossingRate")
def zero_crossing_rate(graph: Graph, node: ZeroCrossingRate, rows: Rows) -> Rows:
    """Count the samples whose sign changed."""
    length = node.frame_length
    pad = length // 2 if node.center else 0
    value, n, delay = frames(graph, rows, Cut(length, node.hop_length, pad, pad, "hold"), "ZeroCrossingRate")
    negative = graph.cast(graph.op("Less", value, -node.threshold), "FLOAT")
    now, before = (graph.slice(negative, i, length - 1 + i, axis=1) for i in (1, 0))
    crossings = graph.reduce("Sum", graph.op("Abs", graph.op("Sub", now, before)), [1])
    return replace(rows, value=graph.op("Div", crossings, float(length)), shape=(1,), n=n, delay=delay)
