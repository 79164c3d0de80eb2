"""Nodes of fastaudio behind the functions here: made once for each set of options, run over every channel."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import Log, Node, Spectrogram, StreamSpec
from fastaudio.librosa._arguments import audio, fills_a_frame, integral, not_negative, spectrum

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastaudio.librosa._arguments import Rows

LARGEST = 1e12
"""What nodes take at most."""
_REMEMBERED = 64


@lru_cache(maxsize=_REMEMBERED, typed=True)
def node(kind: Callable[..., Node], /, **options: Any) -> Node:
    """Return the node with these options; its tables are made once."""
    return kind(**options)


@lru_cache(maxsize=_REMEMBERED, typed=True)
def chain(*nodes: Node) -> Node:
    """Return nodes one after the other, as one."""
    whole = nodes[0]
    for following in nodes[1:]:
        whole = whole >> following
    return whole


def frames_of(samples: Node, y: Rows) -> Rows:
    """Run a node over samples [..., n_samples]; gives rows [..., n_frames, n_bands]."""
    if y.ndim == 1:
        return _array(samples(y))
    channels = y.reshape(-1, y.shape[-1])
    rows = np.stack([_array(samples(np.ascontiguousarray(channel))) for channel in channels])
    return rows.reshape(*y.shape[:-1], *rows.shape[1:])


def rows_of(following: Node, rows: Rows, **spec: Any) -> Rows:
    """Run a node over rows [..., n_frames, n_bands], one channel after the other."""
    flat = np.ascontiguousarray(rows).reshape(-1, rows.shape[-1])
    stream = following.open(StreamSpec(**{"rate_hz": 1, "shape": flat.shape[1:], **spec}))
    parts = [_array(stream.push(flat)), _array(stream.flush())]
    out = max(parts, key=len) if min(map(len, parts)) == 0 else np.concatenate(parts)
    return out.reshape(*rows.shape[:-1], *out.shape[1:])


def spectra(y: Any, magnitudes: Any, sr: float, power: float, options: dict[str, Any]) -> Rows:
    """Return rows [..., n_frames, n_bins] of the magnitudes given, or else of the samples'."""
    if magnitudes is not None:
        return not_negative(spectrum("S", magnitudes))
    y = audio(y)
    kind = _spectrogram(sr, power, options)
    fills_a_frame(y, options["n_fft"], options["center"])
    return frames_of(kind, y)


def spectral(following: Node, y: Any, magnitudes: Any, sr: float, options: dict[str, Any]) -> Rows:
    """Run a node over rows of magnitude: those given, or else of the samples, which pass through once."""
    if magnitudes is not None:
        rows = spectra(y, magnitudes, sr, 1, options)
        return rows_of(following, rows, bin_hz=bin_hz(sr, options["n_fft"], rows))
    y = audio(y)
    whole = chain(_spectrogram(sr, 1, options), following)
    fills_a_frame(y, options["n_fft"], options["center"])
    return frames_of(whole, y)


def bin_hz(sr: float, n_fft: int, rows: Rows) -> float:
    """Return the distance of bins; their number says what n_fft was if it doesn't fit."""
    fits = n_fft // 2 + 1 == rows.shape[-1]
    return float(sr) / (n_fft if fits else 2 * (rows.shape[-1] - 1))


def _spectrogram(sr: float, power: float, options: dict[str, Any]) -> Node:
    return node(Spectrogram, sample_rate=integral("sr", sr), power=float(power), **options)


def decibels(power: Rows, reference: float, amin: float, top_db: float | None) -> Rows:
    """Return 10 log10 of values of any shape over the reference, at most `top_db` below their largest."""
    # Rows lie in memory as they came; nodes want them C-contiguous, and values know no neighbours.
    turned = power.flags.f_contiguous and not power.flags.c_contiguous
    values = power.T if turned else np.asarray(power, order="C")
    options: dict[str, Any] = {"floor": float(amin), "reference": max(float(amin), abs(float(reference)))}
    if values.size and float(values.max()) > LARGEST:
        options["scale"] = 2.0**60  # exact both ways
        values = values * np.float32(2.0**-60)
    out = _array(node(Log, kind="dB", **options)(values.reshape(-1))).reshape(values.shape)
    if top_db is not None and out.size:  # all of the clip is here: no TopDb needs to gather it
        np.maximum(out, out.max() - np.float32(top_db), out=out)
    return out.T if turned else out


def _array(rows: Any) -> Rows:
    """Rows of a node with one output."""
    assert isinstance(rows, np.ndarray)
    return rows
