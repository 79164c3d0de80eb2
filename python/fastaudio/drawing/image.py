"""Rows over time as an image: spectrograms and other features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.drawing.clock import time_axis
from fastaudio.drawing.figures import bar, colours, note
from fastaudio.drawing.pitch import band_axis, linear_axis

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FACTOR = {"power": 10.0, "magnitude": 20.0}
_DECIBELS = "dB"
_NAMES = {_DECIBELS: "level (dB)", "log10": "log10", "ln": "ln"}


def in_decibels(rows: NDArray[np.float32], unit: str) -> tuple[NDArray[np.float32], str]:
    """Return power and magnitude in dB relative to the highest value, others as they are; and their unit.

    Of digital silence there is no level: NaN.
    """
    if unit not in _FACTOR or not rows.size:
        return rows, unit
    finite = rows[np.isfinite(rows)]
    peak = float(finite.max()) if finite.size else 0.0
    if peak <= 0:
        return np.full_like(rows, np.nan), _DECIBELS
    tiny = float(np.finfo(np.float32).tiny)
    ratio = np.maximum(rows / np.float32(max(peak, tiny)), tiny)
    return (_FACTOR[unit] * np.log10(ratio)).astype(np.float32), _DECIBELS


def image(
    ax: Any,
    rows: NDArray[np.float32],
    unit: str,
    times: tuple[float, float],
    *,
    span_s: float,
    bin_hz: float = 0.0,
    centres_hz: NDArray[np.float64] | None = None,
    range_db: float = 80.0,
    colorbar: bool = True,
) -> None:
    """Draw rows [n_rows, n_values], the first value at the bottom; `span_s` is how long they are together.

    `times` are the limits of the axis. Values belong to multiples of `bin_hz`, or to `centres_hz`, or to
    neither. Of dB, the highest `range_db` have colours of their own.
    """
    time_axis(ax, *times)
    n = rows.shape[1]
    bottom, top = (-bin_hz / 2, (n - 0.5) * bin_hz) if bin_hz else (0.0, float(n))
    values, unit = in_decibels(rows, unit)
    known = values[np.isfinite(values)]
    if known.size:
        high = float(known.max())
        low = max(float(known.min()), high - range_db) if unit == _DECIBELS else float(known.min())
        drawn = ax.imshow(
            np.ma.masked_invalid(values.T),
            origin="lower",
            aspect="auto",
            cmap=colours("magma"),
            vmin=low,
            vmax=high if high > low else low + 1,
            extent=(times[0], times[0] + span_s, bottom, top),
        )
        if colorbar:
            bar(ax, drawn, _NAMES.get(unit, unit or "value"))
    else:
        note(ax, _why_empty(rows))
    ax.set_xlim(times[0], max(times[1], times[0] + 1e-9))
    ax.set_ylim(max(bottom, 0), top)
    if bin_hz:
        linear_axis(ax)
    elif centres_hz is not None:
        band_axis(ax, centres_hz)
    else:
        ax.set_ylabel("value")


def _why_empty(rows: NDArray[np.float32]) -> str:
    if not rows.size:
        return "no sound"
    return "no number is finite" if rows.any() else "silence"  # NaN is no zero
