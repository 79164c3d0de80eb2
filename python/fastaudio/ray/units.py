"""Dealing files out to workers: the largest first, as many at once as take a worker about half a minute."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastaudio.scanning.entries import Entry

UNIT_S = 30.0
"""Seconds of work that a worker gets at once, and loses if it ends."""

_LEAST_S = 2.0  # near the end units get smaller, so that all workers end together
_LATE = 1.5  # times as long as expected, after which an idle worker does a unit too
_MOST_FILES = 5000
_FIRST = 2_000_000  # bytes of a unit before it is known how fast workers are
_LEAST_WEIGHT = 20_000  # opening a file costs as much as running over so many bytes
_UNKNOWN = 1_000_000


@dataclass(eq=False)
class Unit:
    """Files for one worker, whose rows come in one table.

    Attributes:
        entries: the files.
        name: the table's, "" until it is known.
        n_running: workers that have it now.
        n_lost: workers that ended over it, or whose memory it didn't fit.
        done: whether its table is there.
    """

    entries: Sequence[Entry]
    name: str = ""
    n_running: int = 0
    n_lost: int = 0
    done: bool = False

    @property
    def weight(self) -> float:
        """How much work it is, in bytes."""
        return sum(map(weight, self.entries))

    def halves(self) -> list[Unit]:
        """Return it as two."""
        middle = len(self.entries) // 2
        return [Unit(self.entries[:middle]), Unit(self.entries[middle:])]


class Units:
    """What is left to deal out."""

    def __init__(self, entries: Sequence[Entry], n_workers: int) -> None:
        """Put the largest files first."""
        self._files = deque(sorted(entries, key=lambda entry: (-weight(entry), entry.path)))
        self._left = float(sum(map(weight, entries)))
        self._n_workers = n_workers
        self._again: deque[Unit] = deque()

    def __bool__(self) -> bool:
        """Whether there is more."""
        return bool(self._files or self._again)

    def next(self, bytes_per_s: float | None) -> Unit | None:
        """Return the next unit for a worker that does so many bytes per second, None if there is none."""
        if self._again:
            return self._again.popleft()
        if not self._files:
            return None
        share = self._left / (2 * self._n_workers)
        wanted = min(share, _FIRST)
        if bytes_per_s is not None:
            wanted = max(min(share, bytes_per_s * UNIT_S), bytes_per_s * _LEAST_S)
        taken: list[Entry] = []
        got = 0.0
        while self._files and len(taken) < _MOST_FILES:
            got += weight(self._files[0])
            if taken and got > wanted:
                break
            taken.append(self._files.popleft())
            self._left -= weight(taken[-1])
        return Unit(taken)

    def is_late(self, unit: Unit, since_s: float, bytes_per_s: float | None) -> bool:
        """Tell whether a unit has taken so long that its worker may be slow, or lost without a sign."""
        expected_s = unit.weight / bytes_per_s if bytes_per_s else UNIT_S
        return since_s > _LATE * max(expected_s, _LEAST_S)

    def back(self, *units: Unit) -> None:
        """Take units back, to be dealt out next."""
        self._again.extendleft(reversed(units))


def weight(entry: Entry) -> int:
    """Return how much work a file is, in bytes."""
    return _UNKNOWN if entry.size < 0 else max(entry.size, _LEAST_WEIGHT)
