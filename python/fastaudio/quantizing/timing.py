"""Times of two networks in turn, so that what else the machine does meets both."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from time import get_clock_info, perf_counter, thread_time
from typing import TYPE_CHECKING

from fastaudio._core import check_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable

_WORTH = 0.95
_FEWEST, _MOST = 9, 60
_ROUND_S = 0.01  # shorter runs are repeated
_LONGEST_ROUND = 20  # runs

# A network runs on the thread that calls it, whose processor time leaves out what else the machine does.
_FINE = 1e-5
_clock = thread_time if get_clock_info("thread_time").resolution < _FINE else perf_counter


@dataclass(frozen=True)
class Timing:
    """Time of a run, as part of that of the network as it is.

    Attributes:
        ratio: the median over all rounds.
        upper: what three quarters of the rounds lie below.
    """

    ratio: float
    upper: float

    @property
    def faster(self) -> bool:
        """Whether it takes less time by 5 % or more, and did in three of four rounds."""
        return self.ratio <= _WORTH and self.upper < 1

    @property
    def missed(self) -> str:
        """Which of these two conditions it misses, in words."""
        if self.ratio > _WORTH:
            return f"{self.ratio:.2f} of its time at best, where it has to be {_WORTH} or less"
        return (
            f"{self.ratio:.2f} of its time in the middle of the rounds, but {self.upper:.2f} or more in a "
            "quarter of them, where three of four have to be below 1"
        )


def compare(ours: Callable[[], object], theirs: Callable[[], object], *, seconds: float) -> Timing:
    """Time two runs in turn, by the processor time of this thread where the system counts it finely.

    Args:
        ours: what is timed.
        theirs: what it is compared with.
        seconds: about how long to measure; there are 9 to 60 rounds.
    """
    for run in (ours, theirs, ours):  # the first runs make buffers
        run()
    n = min(max(math.ceil(_ROUND_S / max(_seconds(theirs, 1), 1e-9)), 1), _LONGEST_ROUND)
    ratios: list[float] = []
    start = perf_counter()
    while len(ratios) < _FEWEST or (len(ratios) < _MOST and perf_counter() - start < seconds):
        check_interrupt()
        took = _seconds(ours, n), _seconds(theirs, n)
        ratios.append(took[0] / max(took[1], 1e-9))
    return Timing(statistics.median(ratios), statistics.quantiles(ratios, n=4)[2])


def _seconds(run: Callable[[], object], n: int) -> float:
    start = _clock()
    for _ in range(n):
        run()
    return _clock() - start
