"""Computes features of spectra [n_rows, n_bins] in float64 NumPy, written from librosa's documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from helpers import in_chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray


def features(node: fa.Node, rows: NDArray[np.float32], bin_hz: float) -> NDArray[np.float32]:
    """Return what a node makes of a spectrum's rows."""
    return in_chunks(node, rows, (), fa.StreamSpec(rate_hz=1, shape=rows.shape[1:], bin_hz=bin_hz))[""]


def excerpt(x: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Return three seconds of the first channel, or what there is, with the middle third silenced."""
    mono = np.array(x[: 3 * rate, 0])
    mono[len(mono) // 3 : 2 * len(mono) // 3] = 0
    return mono


def frequencies(rows: NDArray[Any], bin_hz: float) -> NDArray[np.float64]:
    return np.arange(rows.shape[1]) * bin_hz


def shares(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return rows that sum to 1; silence stays 0."""
    total = rows.astype(np.float64).sum(axis=1, keepdims=True)
    return rows / np.where(total > 0, total, 1)


def centroid(rows: NDArray[Any], bin_hz: float) -> NDArray[np.float64]:
    return shares(rows) @ frequencies(rows, bin_hz)[:, None]


def bandwidth(rows: NDArray[Any], bin_hz: float, p: float = 2, *, norm: bool = True) -> NDArray[np.float64]:
    deviation = np.abs(frequencies(rows, bin_hz) - centroid(rows, bin_hz))
    weights = shares(rows) if norm else rows.astype(np.float64)
    return (weights * deviation**p).sum(axis=1, keepdims=True) ** (1 / p)


def rolloff(rows: NDArray[Any], bin_hz: float, roll_percent: float = 0.85) -> NDArray[np.float64]:
    running = np.cumsum(rows.astype(np.float64), axis=1)
    reached = running >= roll_percent * running[:, -1:]
    return frequencies(rows, bin_hz)[reached.argmax(axis=1)][:, None]


def flatness(rows: NDArray[Any], amin: float = 1e-10, power: float = 2) -> NDArray[np.float64]:
    floored = np.maximum(rows.astype(np.float64) ** power, amin)
    return np.exp(np.log(floored).mean(axis=1, keepdims=True)) / floored.mean(axis=1, keepdims=True)


def peaks_and_valleys(
    rows: NDArray[Any], bin_hz: float, f_min: float = 200, n_bands: int = 6, quantile: float = 0.02
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return magnitudes [n_rows, n_bands + 1]."""
    hz = frequencies(rows, bin_hz)
    edges = [0.0, *(f_min * 2.0 ** np.arange(n_bands + 1))]
    peaks, valleys = [], []
    for band in range(n_bands + 1):
        (inside,) = np.nonzero((hz >= edges[band]) & (hz <= edges[band + 1]))
        first = inside[0] - (band > 0)
        last = inside[-1] if band < n_bands else len(hz) - 1
        n = max(1, round(quantile * (last + 1 - first)))
        ordered = np.sort(rows[:, first : last + (band == n_bands)].astype(np.float64), axis=1)
        valleys.append(ordered[:, :n].mean(axis=1))
        peaks.append(ordered[:, ::-1][:, :n].mean(axis=1))
    return np.stack(peaks, axis=1), np.stack(valleys, axis=1)


def decibels(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 10 * np.log10(np.maximum(x, 1e-10))


def chroma_filters(
    n_bins: int,
    bin_hz: float,
    *,
    n_chroma: int = 12,
    tuning: float = 0.0,
    ctroct: float = 5.0,
    octwidth: float | None = 2.0,
    base_c: bool = True,
) -> NDArray[np.float64]:
    """Return weights [n_chroma, n_bins]."""
    pitch = n_chroma * np.log2(np.arange(1, n_bins + 1) * bin_hz / (27.5 * 2 ** (tuning / n_chroma)))
    pitch = np.concatenate([[pitch[0] - 1.5 * n_chroma], pitch])
    width = np.maximum(np.diff(pitch), 1)
    pitch = pitch[:-1]
    half = round(n_chroma / 2)
    distance = (pitch - np.arange(n_chroma)[:, None] + half) % n_chroma - half
    weights = np.exp(-2 * (distance / width) ** 2)
    weights /= np.linalg.norm(weights, axis=0)
    if octwidth is not None:
        weights *= np.exp(-(((pitch / n_chroma - ctroct) / octwidth) ** 2) / 2)
    return np.roll(weights, -(n_chroma // 12 * 3), axis=0) if base_c else weights


def chroma(rows: NDArray[Any], bin_hz: float, norm: str = "inf", **options: Any) -> NDArray[np.float64]:
    folded = rows.astype(np.float64) @ chroma_filters(rows.shape[1], bin_hz, **options).T
    if norm == "none":
        return folded
    order = {"inf": np.inf, "l1": 1, "l2": 2}[norm]
    length = np.linalg.norm(folded, ord=order, axis=1, keepdims=True)
    return folded / np.where(length > 0, length, 1)
