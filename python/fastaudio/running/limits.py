"""What ends a call early: a time limit, another thread, or a bound of its results."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastaudio._core import Cancel, FastaudioError, Interruptible


class ResultTooLarge(FastaudioError, RuntimeError):  # noqa: N818  # named for what is wrong
    """The results of a call would have taken more memory than its `result_mb=` allowed."""


def as_float(value: Any) -> float:
    """Return a number as a float; one that no float can hold is infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def shown_number(value: Any) -> str:
    """Return a number as an error says it: one of thousands of digits isn't spelled."""
    return f"{value}" if abs(as_float(value)) < math.inf else f"{as_float(value)}"


def limits(what: str, timeout_s: float | None, cancel: Cancel | None) -> Interruptible:
    """Return a context in which this thread's calls end in time.

    Raises:
        TypeError, ValueError: an argument of a wrong type, or a time that isn't above 0.
    """
    if cancel is not None and not isinstance(cancel, Cancel):
        raise TypeError(f"{what}: expected cancel as a fastaudio.Cancel or None, got {cancel!r:.80}")
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float | np.number | None):
        raise TypeError(f"{what}: expected timeout_s as a number of seconds or None, got {timeout_s!r:.80}")
    if timeout_s is not None and not timeout_s > 0:
        raise ValueError(f"{what}: expected timeout_s above 0 s, got {shown_number(timeout_s)}")
    return Interruptible(cancel, None if timeout_s is None else as_float(timeout_s))


def check_result_mb(what: str, result_mb: float | None) -> None:
    """Raise TypeError or ValueError unless it is a number above 0, or None."""
    if isinstance(result_mb, bool) or not isinstance(result_mb, int | float | np.number | None):
        raise TypeError(f"{what}: expected result_mb as a number of MB or None, got {result_mb!r:.80}")
    if result_mb is not None and not result_mb > 0:
        raise ValueError(f"{what}: expected result_mb above 0 MB, got {shown_number(result_mb)}")
