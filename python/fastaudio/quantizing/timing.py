"""Times of two networks in turn, so that what else the machine does meets both."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from fastaudio._core import check_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable

_WORTH = 0.95
_FEWEST, _MOST = 7, 60


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


def compare(ours: Callable[[], object], theirs: Callable[[], object], *, seconds: float) -> Timing:
    """Time two runs in turn, for about as many seconds.

    Args:
        ours: what is timed.
        theirs: what it is compared with.
        seconds: how long to measure; there are 7 to 60 rounds.
    """
    for run in (ours, theirs, ours, theirs):  # the first runs make buffers
        run()
    ratios: list[float] = []
    start = perf_counter()
    while len(ratios) < _FEWEST or (len(ratios) < _MOST and perf_counter() - start < seconds):
        check_interrupt()
        took = _seconds(ours), _seconds(theirs)
        ratios.append(took[0] / max(took[1], 1e-9))
    return Timing(statistics.median(ratios), statistics.quantiles(ratios, n=4)[2])


def _seconds(run: Callable[[], object]) -> float:
    start = perf_counter()
    run()
    return perf_counter() - start
