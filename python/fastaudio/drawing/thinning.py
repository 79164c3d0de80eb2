"""Long rows made short enough to draw: of neighbours, the highest is kept, so that nothing brief is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_COLUMNS = 2048
"""Columns from which on no screen shows more."""


def thinned(rows: NDArray[Any], most: int = MOST_COLUMNS) -> tuple[NDArray[Any], int]:
    """Return at most `most` rows, each the maximum of `step` neighbours [n, ...], and `step`.

    NaN counts only where all are.
    """
    step = max(1, -(-len(rows) // most))
    if step == 1:
        return rows, 1
    return np.fmax.reduceat(rows, np.arange(0, len(rows), step), axis=0), step


class Highest:
    """Rows thinned as they come, in bounded memory: the maximum of every `step` rows.

    Attributes:
        step: how many rows each column stands for; it doubles whenever there would be too many columns.
    """

    def __init__(self, width: int, most: int = MOST_COLUMNS) -> None:
        """Take the length of a row, and the most columns; once rows are thinned, there are at least half."""
        self.step = 1
        self._columns = np.empty((most + most % 2, width), dtype=np.float32)
        self._n = 0  # whole columns
        self._begun = 0  # rows in the next one

    def push(self, rows: NDArray[np.float32]) -> None:
        """Take rows [n, width]."""
        while len(rows):
            rows = rows[self._take(rows) :]
            if self._n == len(self._columns):
                half = self._n // 2
                self._columns[:half] = self._columns.reshape(half, 2, -1).max(axis=1)
                self._n = half
                self.step *= 2

    def columns(self) -> NDArray[np.float32]:
        """Return what is there, [n, width]; the last column may stand for fewer rows."""
        there: NDArray[np.float32] = self._columns[: self._n + (self._begun > 0)].copy()
        return there

    def _take(self, rows: NDArray[np.float32]) -> int:
        """Take some of the rows, and return how many."""
        n_whole = min(len(rows) // self.step, len(self._columns) - self._n)
        if self._begun == 0 and n_whole:
            parts = rows[: n_whole * self.step].reshape(n_whole, self.step, -1)
            self._columns[self._n : self._n + n_whole] = parts.max(axis=1)
            self._n += n_whole
            return n_whole * self.step
        n = min(self.step - self._begun, len(rows))
        column, highest = self._columns[self._n], rows[:n].max(axis=0)
        column[:] = np.maximum(column, highest) if self._begun else highest
        self._begun += n
        if self._begun == self.step:
            self._n, self._begun = self._n + 1, 0
        return n
