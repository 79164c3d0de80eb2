"""What ends a call early: a time limit, or another thread."""

from __future__ import annotations

import numpy as np

from fastaudio._core import Cancel, Interruptible


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
        raise ValueError(f"{what}: expected timeout_s above 0 s, got {timeout_s}")
    return Interruptible(cancel, None if timeout_s is None else float(timeout_s))
