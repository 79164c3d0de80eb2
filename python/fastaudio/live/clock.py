"""Clock: the time of day of a live stream's samples."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from fastaudio.running.start_time import with_zone

if TYPE_CHECKING:
    from collections.abc import Callable

TOLERANCE_S = 0.25
"""How far a sound card's time may go wrong before it is set by the system's clock."""
SETTLE_S = 10.0
"""How long sound has to be late before it is sound that was lost, and not sound that waits somewhere."""


class Clock:
    """Tells when a sample was heard.

    With a stated start it counts samples from there. Otherwise it follows the system's clock: a sample is
    heard when it arrives. Sound cards run fast or slow by some seconds per day, and a device that loses sound
    doesn't say how much; so the time is set anew once it is wrong by more than `TOLERANCE_S`. Between that
    it counts samples. Sound can't arrive before it is heard, so it is set back at once; sound that comes late
    may only have waited, so it is set forward after `SETTLE_S`.
    """

    def __init__(
        self,
        sample_rate: float,
        *,
        position: int = 0,
        started: datetime | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take the rate in Hz, the number of the first sample, and the time of sample 0 if it is known."""
        if not isinstance(started, datetime | None):
            raise TypeError(f"live: expected started as a datetime or None, got {started!r:.80}")
        self._rate = sample_rate
        self._now = now
        self._first = self._position = position
        self._fixed = started is not None
        self._zone = None if started is None else with_zone(started).tzinfo
        self._started_s = now() - position / sample_rate if started is None else started.timestamp()
        self._heard = False
        self._late_since_s = -math.inf
        self._least_late_s = math.inf

    def look(self, position: int) -> None:
        """Learn that all samples before `position` have come by now."""
        if self._fixed or (self._heard and position == self._position):
            return  # while nothing comes, nothing is known
        self._position = position
        now_s = self._now()
        late_s = now_s - position / self._rate - self._started_s
        if not self._heard:  # a device takes some time before its first sample
            self._heard = position > self._first
            self._set(late_s, now_s)
        elif late_s < -TOLERANCE_S:
            self._set(late_s, now_s)
        else:
            self._least_late_s = min(self._least_late_s, late_s)
            if now_s - self._late_since_s >= SETTLE_S:
                late_s = self._least_late_s
                self._set(late_s if late_s > TOLERANCE_S else 0.0, now_s)

    def time_of(self, seconds: float) -> datetime:
        """Return when the sound at `seconds` was heard, with the zone of the start, or else the local one."""
        moment = datetime.fromtimestamp(self._started_s, tz=UTC) + timedelta(seconds=seconds)
        return moment.astimezone(self._zone)

    def _set(self, by_s: float, now_s: float) -> None:
        self._started_s += by_s
        self._late_since_s = now_s
        self._least_late_s = math.inf
