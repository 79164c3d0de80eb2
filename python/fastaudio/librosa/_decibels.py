# ruff: noqa: N803  # S is librosa's name
"""Decibels: `power_to_db`, `amplitude_to_db`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from fastaudio._core import Log
from fastaudio.librosa._arguments import Refused, public, tell
from fastaudio.librosa._nodes import LARGEST, node, warn_of_lost_phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastaudio.librosa._arguments import Rows

_ROUNDING_DB = 1e-3
_WIDE = 8  # bytes of an integer
Axes: TypeAlias = 'Literal["auto"] | int | tuple[int, ...] | None'


@public("power_to_db")
def power_to_db(
    S: Any,
    *,
    ref: float | Callable[..., Any] = 1.0,
    amin: float = 1e-10,
    top_db: float | None = 80.0,
    axes: Axes = None,
) -> Any:
    """Return power in decibels, 10 log10(S / ref), limited to `top_db` below the largest, shaped like S.

    The largest value, and a `ref` that is a function, are taken over `axes`: None is all of S, as in librosa
    0.11; "auto" is each channel by itself, the default of librosa 1.0.
    """
    magnitude = _magnitude("power_to_db", S)
    return _in_db(magnitude, _reference(ref, magnitude, axes), amin, top_db, axes)


@public("amplitude_to_db")
def amplitude_to_db(
    S: Any,
    *,
    ref: float | Callable[..., Any] = 1.0,
    amin: float = 1e-5,
    top_db: float | None = 80.0,
    axes: Axes = None,
) -> Any:
    """Return magnitude in decibels, 20 log10(S / ref), limited to `top_db` below the largest value.

    `axes` is that of `power_to_db`.
    """
    if (kept := np.asarray(S)).dtype.kind in "iub" and kept.dtype.itemsize < _WIDE:
        raise NotImplementedError(f"expected S of floats, got {kept.dtype}, whose square may not fit")
    magnitude = np.abs(_magnitude("amplitude_to_db", S))
    reference = _reference(ref, magnitude, axes) ** 2
    with np.errstate(over="ignore"):
        power = np.square(magnitude)
    return _in_db(power, reference, amin**2, top_db, axes)


def decibels(power: Rows, amin: float = 1e-10) -> Rows:
    """Return 10 log10 of max(power, amin) for any shape; NaN and infinity stay."""
    # Nodes need C-contiguous rows. Decibels don't depend on neighbours, so transposed memory is as good.
    turned = power.flags.f_contiguous and not power.flags.c_contiguous
    values = power.T if turned else np.asarray(power, order="C")
    try:
        rows = node(Log, kind="dB", floor=float(amin))(values.reshape(-1))
        assert isinstance(rows, np.ndarray)
        out = rows.reshape(values.shape)
    except ValueError:  # a value or a floor that nodes don't take
        if values.size and float(np.abs(values).max()) <= LARGEST and np.float32(amin) > 0:
            raise
        with np.errstate(divide="ignore", invalid="ignore"):
            out = (10 * np.log10(np.maximum(np.float64(amin), values))).astype(np.float32)
    return out.T if turned else out


def limited(level: Rows, top_db: float, axis: Any = None) -> Rows:
    """Raise levels to `top_db` below the largest, which is that of the whole clip."""
    if level.size == 0:
        return level
    least = level.max(axis=axis, keepdims=axis is not None) - np.float32(top_db)
    np.maximum(level, least, out=level)
    return level


def _magnitude(name: str, values: Any) -> NDArray[np.float32]:
    """Return values as float32; complex ones lose their phase, with a warning."""
    found: NDArray[Any] = np.asarray(values)
    if found.dtype.kind not in "fiubc":
        raise TypeError(f"expected S of numbers, got {tell(values)}")
    if np.iscomplexobj(found):
        warn_of_lost_phase(name)
        found = np.abs(found)
    with np.errstate(over="ignore"):
        return found.astype(np.float32, copy=False)


def _over(axes: Axes, n_axes: int) -> Any:
    """Return NumPy's axis argument."""
    if isinstance(axes, str) and axes == "auto":
        return tuple(range(-min(n_axes, 2), 0)) or None
    return axes


def _reference(ref: Any, magnitude: NDArray[np.float32], axes: Axes) -> NDArray[np.float64]:
    """Return the value of 0 dB: a number, or what a function gives; over axes it keeps them."""
    over = _over(axes, magnitude.ndim)
    if callable(ref):
        return np.asarray(ref(magnitude) if over is None else ref(magnitude, axis=over, keepdims=True), float)
    return np.asarray(np.abs(ref), float)


def _of_reference(ref: NDArray[np.float64], amin: float) -> NDArray[np.float32]:
    with np.errstate(over="ignore", under="ignore"):
        single = np.maximum(ref, amin).astype(np.float32)
    if np.all(np.isfinite(single) & (single > 0)):
        return decibels(single.reshape(-1), amin).reshape(ref.shape)
    return np.asarray(10 * np.log10(np.maximum(ref, amin)), np.float32)


def _in_db(
    power: NDArray[np.float32], ref: NDArray[np.float64], amin: float, top_db: float | None, axes: Axes
) -> Any:
    if amin <= 0:
        raise Refused(f"expected amin above 0, got {amin}")
    if top_db is not None and top_db < 0:
        raise Refused(f"expected top_db of at least 0 dB, got {top_db}; None for no limit")
    if top_db is not None and power.size == 0:
        raise ValueError(f"expected S with at least one value, got shape {power.shape}")
    # The reference takes the same way as the values: one that equals it is at 0 dB exactly.
    floor, level = _of_reference(ref, amin), np.asarray(decibels(power, amin))
    if np.any(floor):
        level -= floor
        over = level.size and 0 < level.max() < _ROUNDING_DB
        if over and np.all(power <= ref):  # neighbours of the reference may round to levels in another order
            np.minimum(level, 0, out=level)
    if top_db is not None:
        level = limited(level, top_db, _over(axes, power.ndim))
    return level if level.ndim else np.float32(level)
