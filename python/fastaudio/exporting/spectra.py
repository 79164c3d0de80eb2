"""Samples to spectra: MelSpectrogram, HarmonicSpectrogram, Spectrogram; and levels of frames.

A discrete Fourier transform of n = a * b values is done in two steps, with matrices of a and of b values: it
takes the operators that every runtime has, weighs little, and rounds as a fast transform does.
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


@converts("MelSpectrogram", "HarmonicSpectrogram")
def bands(graph: Graph, node: Any, rows: Rows) -> Rows:
    """Sum bins by a bank of filters."""
    spectrum, n, delay = _framed(graph, node, rows)
    values, places = _transformed(graph, node, spectrum)
    power = _powered(graph, graph.reduce("Sum", graph.op("Mul", values, values), [2], keep=False), node.power)
    weights = filters_of(node)
    spread = np.zeros((places.n_values, weights.shape[1]), dtype=np.float32)
    spread[places.of_bin] = weights
    flat = graph.op("MatMul", graph.reshape(power, -1, places.n_values), spread)
    shape = tuple(node.output_specs(rows.spec)[""].shape)
    value = flat if len(shape) == 1 else graph.reshape(flat, -1, *shape)
    return replace(rows, value=value, shape=shape, n=n, delay=delay)


@converts("Spectrogram")
def spectrum(graph: Graph, node: Spectrogram, rows: Rows) -> Rows:
    """Give the bins themselves."""
    framed, n, delay = _framed(graph, node, rows)
    values, places = _transformed(graph, node, framed)
    shape = tuple(node.output_specs(rows.spec)[""].shape)
    order = graph.constant(places.of_bin.astype(np.int64))
    if node.power is None:
        parts = graph.reshape(graph.op("Transpose", values, perm=[0, 1, 3, 2]), -1, places.n_values, 2)
        signs = np.stack([np.ones(len(places.turned)), np.where(places.turned, -1, 1)], axis=1)
        value = graph.op("Mul", graph.op("Gather", parts, order, axis=1), signs)
    else:
        power = graph.reduce("Sum", graph.op("Mul", values, values), [2], keep=False)
        flat = graph.reshape(power, -1, places.n_values)
        value = _powered(graph, graph.op("Gather", flat, order, axis=1), node.power)
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


def _transformed(graph: Graph, node: Any, value: str) -> tuple[str, _Places]:
    """Return the transform of frames [n, n_fft] as [n, a / 2 + 1, 2, b], real and imaginary parts."""
    n = node.n_fft
    a = max(k for k in range(1, int(n**0.5) + 1) if n % k == 0)
    b = n // a
    if b > _MOST_FACTOR:
        got = f"{n}, whose largest factors are {a} and {b}"
        refuse(type(node).__name__, f"n_fft with factors up to {_MOST_FACTOR}", got, "take a power of 2")
    half = a // 2 + 1
    first = _turns(np.outer(np.arange(a), np.arange(half)), a)
    grid = graph.op("Transpose", graph.reshape(value, -1, a, b), perm=[0, 2, 1])
    parts = graph.op("MatMul", grid, np.concatenate([first.real, first.imag], axis=1))
    parts = graph.op("Transpose", parts, perm=[0, 2, 1])  # [n, 2 (a / 2 + 1), b]
    real, imag = graph.slice(parts, 0, half, axis=1), graph.slice(parts, half, 2 * half, axis=1)
    turn = _turns(np.outer(np.arange(half), np.arange(b)), n)
    turned_real = graph.op("Sub", graph.op("Mul", real, turn.real), graph.op("Mul", imag, turn.imag))
    turned_imag = graph.op("Add", graph.op("Mul", real, turn.imag), graph.op("Mul", imag, turn.real))
    second = _turns(np.outer(np.arange(b), np.arange(b)), b)
    blocks = np.block([[second.real, second.imag], [-second.imag, second.real]])
    both = graph.op("MatMul", graph.concat(turned_real, turned_imag, axis=2), blocks)
    return graph.reshape(both, -1, half, 2, b), _Places(a, b)


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
