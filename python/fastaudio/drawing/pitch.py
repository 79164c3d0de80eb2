"""The axis of frequency: names of frequencies, and ticks for bands that aren't evenly spaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._system.extras import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NICE_HZ = tuple(step * 10.0**power for power in range(6) for step in (1, 2, 5))
_APART = 0.06  # least distance of two ticks, as a part of the axis
_THOUSAND = 1000


def hz_text(hz: float, _: object = None) -> str:
    """Return a frequency in few letters: 500, 2k, 2.5k."""
    return f"{hz / _THOUSAND:g}k" if abs(hz) >= _THOUSAND else f"{hz:g}"


def linear_axis(ax: Any) -> None:
    """Name the frequencies of a y axis in Hz."""
    ticker = require("matplotlib.ticker", extra="plot", what="plot")
    ax.yaxis.set_major_formatter(ticker.FuncFormatter(hz_text))
    ax.set_ylabel("frequency (Hz)")


def band_axis(ax: Any, centres_hz: NDArray[np.float64]) -> None:
    """Name some frequencies on a y axis of bands, whose first lies from 0 to 1; their centres rise."""
    n = len(centres_hz)
    places: list[float] = []
    names = []
    for hz in reversed(_NICE_HZ):
        if not centres_hz[0] <= hz <= centres_hz[-1]:
            continue
        place = float(np.interp(hz, centres_hz, np.arange(n) + 0.5))
        if not places or places[-1] - place >= _APART * n:
            places.append(place)
            names.append(hz_text(hz))
    ax.set_yticks(places, names)
    ax.set_ylabel("frequency (Hz)")
