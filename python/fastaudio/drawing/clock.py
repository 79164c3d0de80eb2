"""The axis of time: whole seconds, minutes and hours, also after zooming in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._system.extras import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

MINUTE_S, HOUR_S = 60, 3600
_NICE_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_DAY_S = 86_400
_TICKS_PER_INCH = 1.2
_FEWEST = 3


def step_of(span_s: float, most: int) -> float:
    """Return the distance of ticks in seconds, a whole one on a clock, that gives at most about `most`."""
    least = span_s / most
    if least > _DAY_S:
        return float(np.ceil(least / _DAY_S) * _DAY_S)
    if least >= 1:
        return float(next(step for step in _NICE_S if step >= least))
    tens = 10.0 ** np.floor(np.log10(max(least, 1e-9)))
    return float(next(tens * step for step in (1, 2, 5, 10) if tens * step >= least * (1 - 1e-9)))


def clock_text(seconds: float, longest_s: float, step_s: float = 1.0) -> str:
    """Return a time as 7.5, 2:07 or 1:02:07: the parts that `longest_s` has, decimals that `step_s` has."""
    n_decimals = max(0, int(np.ceil(-np.log10(step_s) - 1e-9))) if step_s < 1 else 0
    sign = "-" if seconds < 0 else ""
    total = round(abs(seconds), n_decimals)
    if longest_s < MINUTE_S:
        return f"{sign}{total:.{n_decimals}f}"
    minutes, rest = divmod(total, MINUTE_S)
    width = 2 if n_decimals == 0 else 3 + n_decimals
    text = f"{rest:0{width}.{n_decimals}f}"
    if longest_s < HOUR_S:
        return f"{sign}{minutes:.0f}:{text}"
    hours, minutes = divmod(minutes, MINUTE_S)
    return f"{sign}{hours:.0f}:{minutes:02.0f}:{text}"


def length_text(seconds: float) -> str:
    """Return a length of time for people: "12.3 s", from a minute on "2:07", from an hour on "1:02:07"."""
    return f"{seconds:.1f} s" if seconds < MINUTE_S else clock_text(round(seconds), seconds)


def time_axis(ax: Any, start_s: float, end_s: float, *, label: bool = True) -> None:
    """Let the x axis of `ax` run from `start_s` to `end_s`, in seconds, with ticks as on a clock."""
    end_s = end_s if end_s > start_s else start_s + 1
    kind = "s" if end_s < MINUTE_S else "min:s" if end_s < HOUR_S else "h:min:s"
    ax.callbacks.connect("xlim_changed", partial(_set_ticks, longest_s=end_s))
    ax.set_xlim(start_s, end_s)
    if label:
        ax.set_xlabel(f"time ({kind})")


def _set_ticks(ax: Any, *, longest_s: float) -> None:
    ticker = require("matplotlib.ticker", extra="plot", what="plot")
    first, last = sorted(ax.get_xlim())
    width = ax.get_position().width * ax.figure.get_size_inches()[0]
    step = step_of(last - first, max(_FEWEST, int(width * _TICKS_PER_INCH)))
    ax.xaxis.set_major_locator(ticker.MultipleLocator(step))

    def text(seconds: float, _: object = None) -> str:
        return clock_text(seconds, longest_s, step)

    ax.xaxis.set_major_formatter(ticker.FuncFormatter(text))


def limits_of(times: NDArray[np.float64], duration_s: float) -> tuple[float, float]:
    """Return the stretch that windows at `times` [n, 2] show: the whole signal, or that of a part of them."""
    if not len(times):
        return 0.0, duration_s
    start_s, end_s = float(times[0, 0]), float(times[:, 1].max())
    hop_s = float(times[1, 0]) - start_s if len(times) > 1 else end_s - start_s
    return start_s if start_s >= hop_s else 0.0, duration_s if end_s + hop_s > duration_s else end_s


def edges_of(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where to draw rows one beside another, [n + 1], for their starts and ends [n, 2].

    Each stands around the middle of what it heard, and reaches half-way to the next; the first and the last
    reach to the ends of what they heard. Rows that touch keep their own starts and ends.
    """
    touch = np.allclose(times[1:, 0], times[:-1, 1], rtol=0, atol=1e-6)
    middles = times.mean(axis=1)
    between = times[1:, 0] if touch else (middles[1:] + middles[:-1]) / 2
    return np.concatenate([times[:1, 0], between, times[-1:, 1]])
