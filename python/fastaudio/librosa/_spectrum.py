# ruff: noqa: N803  # S is librosa's name
"""Spectra, decibels and PCEN: `stft`, `power_to_db`, `amplitude_to_db`, `pcen`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import PCEN, Spectrogram
from fastaudio.librosa._arguments import dtype_only, framing, only, public, real
from fastaudio.librosa._nodes import decibels, framed, node, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import DTypeLike, NDArray


@public("stft")
def stft(
    y: NDArray[Any],
    *,
    n_fft: int = 2048,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Any = "hann",
    center: bool = True,
    dtype: DTypeLike | None = None,
    pad_mode: str = "constant",
    out: NDArray[Any] | None = None,
) -> NDArray[np.complex64]:
    """Return the short-time spectrum, complex64 [..., 1 + n_fft // 2, n_frames]."""
    only("out", out, None, "assign what comes out: out[...] = stft(y)")
    dtype_only(np.complex64, np.complex64 if dtype is None else dtype)
    hop = (n_fft if win_length is None else win_length) // 4 if hop_length is None else hop_length
    options = framing(n_fft, hop, win_length, window, center=center, pad_mode=pad_mode)
    spectrum = node(Spectrogram, power=None, **options)
    pairs = np.ascontiguousarray(framed(spectrum, y, n_fft, center))
    return np.swapaxes(pairs.view(np.complex64)[..., 0], -1, -2)


@public("power_to_db")
def power_to_db(
    S: Any, *, ref: float | Callable[[Any], Any] = 1.0, amin: float = 1e-10, top_db: float | None = 80.0
) -> Any:
    """Return power in decibels, 10 log10(S / ref), limited to `top_db` below the largest, shaped like S."""
    magnitude = _magnitude("power_to_db", S)
    return _in_db(magnitude, _reference(ref, magnitude), amin, top_db)


@public("amplitude_to_db")
def amplitude_to_db(
    S: Any, *, ref: float | Callable[[Any], Any] = 1.0, amin: float = 1e-5, top_db: float | None = 80.0
) -> Any:
    """Return magnitude in decibels, 20 log10(S / ref), limited to `top_db` below the largest value."""
    magnitude = np.abs(_magnitude("amplitude_to_db", S))
    return _in_db(np.square(magnitude), _reference(ref, magnitude) ** 2, amin**2, top_db)


@public("pcen")
def pcen(
    S: NDArray[Any],
    *,
    sr: float = 22050,
    hop_length: int = 512,
    gain: float = 0.98,
    bias: float = 2,
    power: float = 0.5,
    time_constant: float = 0.4,
    eps: float = 1e-6,
    b: float | None = None,
    max_size: int = 1,
    ref: NDArray[Any] | None = None,
    axis: int = -1,
    max_axis: int | None = None,
    zi: NDArray[Any] | None = None,
    return_zf: bool = False,
) -> NDArray[np.float32]:
    """Return each band over its recent level, compressed, in the shape of S, whose time is along `axis`."""
    only("max_size", max_size, 1, "run without the filter over bands")
    only("ref", ref, None, "the level follows S itself")
    only("max_axis", max_axis, None, "it belongs to max_size")
    only("zi", zi, None, "for blocks of a stream, use fastaudio.PCEN(...).open()")
    only("return_zf", return_zf, False, "for blocks of a stream, use fastaudio.PCEN(...).open()")
    if b is not None:
        if not 0 < b < 1:
            raise NotImplementedError(f"expected b between 0 and 1, got {b}; give time_constant instead")
        time_constant = (1 - b) ** 0.5 / b * hop_length / sr
    options = {"gain": float(gain), "bias": float(bias), "power": float(power), "eps": float(eps)}
    kind = node(PCEN, time_constants_s=(float(time_constant),), **options)
    values = np.moveaxis(real("S", np.abs(S) if np.iscomplexobj(S) else S), axis, 0)
    rows = values.reshape(len(values), -1)
    return np.moveaxis(rows_of(kind, rows, rate_hz=sr / hop_length).reshape(values.shape), 0, axis)


def _magnitude(name: str, values: Any) -> NDArray[np.float32]:
    """Return values as float32; complex ones lose their phase, with a warning."""
    found: NDArray[Any] = np.asarray(values)
    if np.iscomplexobj(found):
        warnings.warn(
            f"librosa.{name}: S is complex; its phase is dropped. Take np.abs(S) first to say so",
            stacklevel=4,
        )
        found = np.abs(found)
    return found.astype(np.float32, copy=False)


def _reference(ref: Any, magnitude: NDArray[np.float32]) -> float:
    """Return the value of 0 dB: a number, or what a function gives for all values."""
    value = np.asarray(ref(magnitude) if callable(ref) else ref)
    if value.size != 1:
        raise NotImplementedError(
            f"expected ref as one number, got shape {value.shape}; pass each part of S by itself"
        )
    return abs(float(value.reshape(())))


def _in_db(power: NDArray[np.float32], ref: float, amin: float, top_db: float | None) -> Any:
    if amin <= 0:
        raise ValueError(f"expected amin above 0, got {amin}")
    if top_db is not None and top_db < 0:
        raise ValueError(f"expected top_db of at least 0 dB, got {top_db}; None for no limit")
    level = decibels(power, ref, amin, top_db)
    return level if level.ndim else level[()]
