"""The nodes behind the functions here: they are made once per set of options and run over every channel."""

from __future__ import annotations

import math
import sys
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import Node, Spectrogram, StreamSpec
from fastaudio.librosa._arguments import audio, fills_a_frame, integral, refuse_if_not_finite, spectrum
from fastaudio.librosa._handover import HERE

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastaudio.librosa._arguments import Rows

LARGEST = 1e12
"""Largest value that nodes accept. Larger ones are scaled down first, and what comes out is scaled back."""
_BELOW_LARGEST = 39  # as a power of two
_REMEMBERED = 64


@lru_cache(maxsize=_REMEMBERED, typed=True)
def node(kind: Callable[..., Node], /, **options: Any) -> Node:
    """Return the node with these options; the same options give the same node."""
    return kind(**options)


@lru_cache(maxsize=_REMEMBERED, typed=True)
def chain(first: Node, following: Node) -> Node:
    """Return a node that runs one node after the other; the same nodes give the same chain."""
    return first >> following


def frames_of(samples: Node, y: Rows, degree: float = 0) -> Rows:
    """Run a node over samples [..., n_samples] and return rows [..., n_frames, n_bands].

    What comes out is k ** degree as large for samples that are k times as large.
    """
    try:
        return _frames_of(samples, y)
    except ValueError:
        refuse_if_not_finite(y)
        scale = _scale_of(y)
        return _scaled_back(_frames_of(samples, np.float32(scale) * y), scale, degree)


def _frames_of(samples: Node, y: Rows) -> Rows:
    if y.ndim == 1:
        return _array(samples(y))
    channels = y.reshape(-1, y.shape[-1])
    rows = np.stack([_array(samples(np.ascontiguousarray(channel))) for channel in channels])
    return rows.reshape(*y.shape[:-1], *rows.shape[1:])


def framed(samples: Node, y: Any, length: int, center: bool, degree: float = 0) -> Rows:
    """Check samples, which fill a frame of `length` unless centred, and run a node over them: `frames_of`."""
    y = audio(y)
    fills_a_frame(y, length, center)
    return frames_of(samples, y, degree)


def transformed(samples: Node, y: Any, options: dict[str, Any], degree: float = 0) -> Rows:
    """Run a node that transforms frames: `framed`. Frames longer than the signal give a warning."""
    y = audio(y)
    warn_of_a_short_signal(y, options)
    return framed(samples, y, options["n_fft"], options["center"], degree)


# Warnings begin with librosa's words: programs filter by them.
def warn_of_a_short_signal(y: Rows, options: dict[str, Any]) -> None:
    """Warn of frames that are longer than the signal."""
    if options["center"] and options["n_fft"] > y.shape[-1]:
        n_fft, length = options["n_fft"], y.shape[-1]
        told = f"n_fft={n_fft} is too large for input signal of length={length}; use a shorter n_fft or pad y"
        warnings.warn(told, stacklevel=level_of_the_caller())


def warn_of_lost_phase(name: str) -> None:
    """Warn of a complex spectrum where magnitudes are meant."""
    told = f"{name} was called on complex input so phase information will be discarded; use np.abs(S)"
    warnings.warn(told, stacklevel=level_of_the_caller())


def level_of_the_caller() -> int:
    """Return the stacklevel by which a warning names the first line outside this package."""
    frame, level = sys._getframe(1), 1  # noqa: SLF001  # inspect has nothing as light
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(HERE):
        frame, level = frame.f_back, level + 1
    return level


def rows_of(following: Node, rows: Rows, degree: float | None = 0, **spec: Any) -> Rows:
    """Run a node over rows [..., n_frames, n_bands], one channel after the other.

    `degree` is that of `frames_of`; None is for nodes that have none: too large values are a ValueError.
    """
    try:
        return _rows_of(following, rows, **spec)
    except ValueError as error:
        scale = 1.0 if degree is None else _scale_of(rows)
        if degree is None or scale == 1:
            raise ValueError(str(error).replace("samples: ", "rows: ", 1)) from None
        return _scaled_back(_rows_of(following, np.float32(scale) * rows, **spec), scale, degree)


def _rows_of(following: Node, rows: Rows, **spec: Any) -> Rows:
    flat = np.ascontiguousarray(rows).reshape(-1, rows.shape[-1])
    stream = following.open(StreamSpec(**{"rate_hz": 1, "shape": flat.shape[1:], **spec}))
    parts = [_array(stream.push(flat)), _array(stream.flush())]
    out = max(parts, key=len) if min(map(len, parts)) == 0 else np.concatenate(parts)
    return out.reshape(*rows.shape[:-1], *out.shape[1:])


def _scale_of(values: Rows) -> float:
    """Return the power of two, which scales exactly, that brings values below LARGEST; 1 if none helps."""
    largest = float(np.abs(values).max())
    if not LARGEST < largest < np.inf:
        return 1.0
    return math.ldexp(1.0, _BELOW_LARGEST - math.ceil(math.log2(largest)))


def _scaled_back(rows: Rows, scale: float, degree: float) -> Rows:
    with np.errstate(over="ignore"):
        return np.asarray(np.multiply(rows, scale**-degree, dtype=np.float64), np.float32)


def spectra(y: Any, magnitudes: Any, sr: float, power: float, options: dict[str, Any]) -> Rows:
    """Return rows [..., n_frames, n_bins] of the magnitudes, or of the samples y if they are None."""
    if magnitudes is not None:
        return spectrum("S", magnitudes)
    return transformed(_spectrogram(sr, power, options), y, options, power)


def spectral(
    following: Node, y: Any, magnitudes: Any, sr: float, options: dict[str, Any], *, degree: float = 0
) -> Rows:
    """Run a node over rows of the magnitudes, or over the samples y in one pass if they are None."""
    if magnitudes is not None:
        rows = spectrum("S", magnitudes)
        return rows_of(following, rows, degree, bin_hz=bin_hz(sr, options["n_fft"], rows))
    return transformed(chain(_spectrogram(sr, 1, options), following), y, options, degree)


def bin_hz(sr: float, n_fft: int | None, rows: Rows) -> float:
    """Return the distance between bins in Hz."""
    if not sr > 0:
        raise ValueError(f"expected sr above 0 Hz, got {sr}")
    return float(sr) / n_fft_of(n_fft, rows)


def n_fft_of(n_fft: int | None, rows: Rows) -> int:
    """Return n_fft, or the one that rows of as many bins have."""
    fits = n_fft is not None and n_fft // 2 + 1 == rows.shape[-1]
    return n_fft if fits and n_fft is not None else 2 * (rows.shape[-1] - 1)


def _spectrogram(sr: float, power: float, options: dict[str, Any]) -> Node:
    return node(Spectrogram, sample_rate=integral("sr", sr), power=float(power), **options)


def _array(rows: Any) -> Rows:
    """Return the rows of a node with one output, typed."""
    assert isinstance(rows, np.ndarray)
    return rows
