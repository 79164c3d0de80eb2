"""Live windows with what kind of sound they are, whichever comes first."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.kinds import KIND, NEAR_S, Heard, Judge, Kind
from fastaudio.tags import Tags, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastaudio.events import Event

_MOST_ROWS = 1 << 14  # remembered


class LiveKinds:
    """Brings live windows together with their kinds, whichever comes first."""

    def __init__(self, judge: Judge) -> None:
        """Take what tells kinds."""
        self._judge = judge
        self._rows: deque[Window] = deque(maxlen=_MOST_ROWS)
        self._waiting: deque[Window | Event] = deque()

    def take(self, item: Any) -> Iterator[tuple[Any, Kind | None]]:
        """Take what a stream gave; yield the model's results that are due, with their kinds."""
        if item.output == KIND:
            while self._rows and self._rows[-1].provisional and not item.provisional:
                self._rows.pop()  # the final one says it better
            self._rows.append(item)
        elif item.end_s is None:  # an event begins: its kind so far
            yield replace(item, output=""), self._at(item.start_s, None)
        else:
            self._waiting.append(replace(item, output=""))
        while self._waiting and self._is_heard(self._waiting[0]):
            yield self._with_kind(self._waiting.popleft())

    def _is_heard(self, item: Window | Event) -> bool:
        """Whether the rows that tell an item's kind have come, or it isn't to wait for them."""
        if self._judge.around:
            return True
        if not self._rows or item.end_s is None:
            return False
        last = self._rows[-1]
        if last.provisional and not getattr(item, "provisional", False):
            return False
        if self._judge.is_window(item.start_s, item.end_s) and last.start_s > item.start_s - NEAR_S:
            return True
        return last.end_s >= item.end_s - NEAR_S

    def rest(self) -> Iterator[tuple[Any, Kind | None]]:
        """Yield the results that still wait, once no more sound comes."""
        while self._waiting:
            yield self._with_kind(self._waiting.popleft())

    def _with_kind(self, item: Window | Event) -> tuple[Window | Event, Kind | None]:
        silent = isinstance(item, Window) and item.silent
        return item, None if silent else self._at(item.start_s, item.end_s)

    def _latest(self) -> Kind | None:
        """Return the kind of the last 3 s; None if they began with silence and reach no kind."""
        if not self._rows:
            return None
        kind = self._judge.kind(self._rows[-1].scores)
        return kind if kind.reached or not self._rows[-1].silent else None

    def _at(self, start_s: float, end_s: float | None) -> Kind | None:
        if self._judge.around:
            return self._latest()
        rows = [*takewhile(lambda row: row.end_s > start_s, reversed(self._rows))][::-1]
        if not rows:
            return None
        scores = np.stack([row.scores for row in rows])
        times = np.array([(row.start_s, row.end_s) for row in rows])
        silent = np.array([row.silent for row in rows])
        tags = Tags(rows[0].labels, scores, times, 0.0, silent=silent)
        return Heard(self._judge, tags).at(start_s, np.inf if end_s is None else end_s)
