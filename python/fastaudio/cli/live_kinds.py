"""Live windows with what kind of sound they are, whichever comes first."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.cli.kinds import KIND, NEAR_S, Heard, Judge, Kind
from fastaudio.tags import Tags, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_ROWS = 1024  # remembered


class LiveKinds:
    """Brings live windows together with their kinds, whichever comes first."""

    def __init__(self, judge: Judge) -> None:
        """Take what tells kinds."""
        self._judge = judge
        self._rows: deque[Window] = deque(maxlen=_MOST_ROWS)
        self._waiting: deque[Window] = deque()

    def take(self, item: Any) -> Iterator[tuple[Any, Kind | None]]:
        """Take what a stream gave; yield the model's results that are due, with their kinds."""
        if item.output == KIND:
            self._rows.append(item)
        elif isinstance(item, Window):
            self._waiting.append(replace(item, output=""))
        else:
            yield replace(item, output=""), self._at(item.start_s, item.end_s)
        while self._waiting and self._rows and self._rows[-1].end_s >= self._waiting[0].end_s - NEAR_S:
            yield self._with_kind(self._waiting.popleft())

    def rest(self) -> Iterator[tuple[Any, Kind | None]]:
        """Yield the results that still wait, once no more sound comes."""
        while self._waiting:
            yield self._with_kind(self._waiting.popleft())

    def _with_kind(self, window: Window) -> tuple[Window, Kind | None]:
        return window, None if window.silent else self._at(window.start_s, window.end_s)

    def _at(self, start_s: float, end_s: float | None) -> Kind | None:
        rows = [row for row in self._rows if row.end_s > start_s]
        if not rows:
            return None
        scores = np.stack([row.scores for row in rows])
        times = np.array([(row.start_s, row.end_s) for row in rows])
        silent = np.array([row.silent for row in rows])
        tags = Tags(rows[0].labels, scores, times, 0.0, silent=silent)
        return Heard(self._judge, tags).at(start_s, np.inf if end_s is None else end_s)
