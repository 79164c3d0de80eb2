"""The nodes behind the functions here: they are made once per set of options and run over every channel."""

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
"""Largest value that nodes accept."""
_REMEMBERED = 64


@lru_cache(maxsize=_REMEMBERED, typed=True)
def node(kind: Callable[..., Node], /, **options: Any) -> Node:
    """Return the node with these options; the same options give the same node."""
    return kind(**options)


@lru_cache(maxsize=_REMEMBERED, typed=True)
def chain(first: Node, following: Node) -> Node:
    """Return a node that runs one node after the other; the same nodes give the same chain."""
    return first >> following


def frames_of(samples: Node, y: Rows) -> Rows:
    """Run a node over samples [..., n_samples] and return rows [..., n_frames, n_bands]."""
    if y.ndim == 1:
        return _array(samples(y))
    channels = y.reshape(-1, y.shape[-1])
    rows = np.stack([_array(samples(np.ascontiguousarray(channel))) for channel in channels])
    return rows.reshape(*y.shape[:-1], *rows.shape[1:])


def framed(samples: Node, y: Any, length: int, center: bool) -> Rows:
    """Check samples, which fill a frame of `length` unless centred, and run a node over them: `frames_of`."""
    y = audio(y)
    fills_a_frame(y, length, center)
    return frames_of(samples, y)


def rows_of(following: Node, rows: Rows, **spec: Any) -> Rows:
    """Run a node over rows [..., n_frames, n_bands], one channel after the other."""
    flat = np.ascontiguousarray(rows).reshape(-1, rows.shape[-1])
    stream = following.open(StreamSpec(**{"rate_hz": 1, "shape": flat.shape[1:], **spec}))
    parts = [_array(stream.push(flat)), _array(stream.flush())]
    out = max(parts, key=len) if min(map(len, parts)) == 0 else np.concatenate(parts)
    return out.reshape(*rows.shape[:-1], *out.shape[1:])


def spectra(y: Any, magnitudes: Any, sr: float, power: float, options: dict[str, Any]) -> Rows:
    """Return rows [..., n_frames, n_bins] of the magnitudes, or of the samples y if they are None."""
    if magnitudes is not None:
        return not_negative(spectrum("S", magnitudes))
    return framed(_spectrogram(sr, power, options), y, options["n_fft"], options["center"])


def spectral(following: Node, y: Any, magnitudes: Any, sr: float, options: dict[str, Any]) -> Rows:
    """Run a node over rows of the magnitudes, or over the samples y in one pass if they are None."""
    if magnitudes is not None:
        rows = spectra(y, magnitudes, sr, 1, options)
        return rows_of(following, rows, bin_hz=bin_hz(sr, options["n_fft"], rows))
    whole = chain(_spectrogram(sr, 1, options), following)
    return framed(whole, y, options["n_fft"], options["center"])


def bin_hz(sr: float, n_fft: int, rows: Rows) -> float:
    """Return the distance between bins in Hz; if n_fft doesn't fit their number, the number gives n_fft."""
    fits = n_fft // 2 + 1 == rows.shape[-1]
    return float(sr) / (n_fft if fits else 2 * (rows.shape[-1] - 1))


def _spectrogram(sr: float, power: float, options: dict[str, Any]) -> Node:
    return node(Spectrogram, sample_rate=integral("sr", sr), power=float(power), **options)


def decibels(power: Rows, reference: float, amin: float, top_db: float | None) -> Rows:
    """Return 10 log10(power / reference) for any shape, limited to `top_db` below the largest."""
    # Nodes need C-contiguous rows. Decibels don't depend on neighbours, so transposed memory is as good.
    turned = power.flags.f_contiguous and not power.flags.c_contiguous
    values = power.T if turned else np.asarray(power, order="C")
    options: dict[str, Any] = {"floor": float(amin), "reference": max(float(amin), abs(float(reference)))}
    if values.size and float(values.max()) > LARGEST:
        options["scale"] = 2.0**60  # a power of two, so scaling is exact
        values = values * np.float32(2.0**-60)
    out = _array(node(Log, kind="dB", **options)(values.reshape(-1))).reshape(values.shape)
    if top_db is not None and out.size:  # the whole clip is here, so no TopDb is needed
        np.maximum(out, out.max() - np.float32(top_db), out=out)
    return out.T if turned else out


def _array(rows: Any) -> Rows:
    """Return the rows of a node with one output, typed."""
    assert isinstance(rows, np.ndarray)
    return rows
