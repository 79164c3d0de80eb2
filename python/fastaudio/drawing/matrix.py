"""Confusion matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.drawing.figures import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_INCHES_PER_LABEL, _LEAST_INCHES, _MOST_INCHES = 0.34, 3.0, 30.0
_MOST_NUMBERS = 30  # labels; with more the numbers are too small to read
_DARK = 0.6  # share from which white is easier to read


def side(n_labels: int) -> float:
    """Return the length in inches of the side of a matrix whose labels can be read."""
    return float(np.clip(_INCHES_PER_LABEL * n_labels, _LEAST_INCHES, _MOST_INCHES))


def occurring(counts: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """Return the rows and the columns of a confusion matrix [n, n] whose labels occur."""
    rows = np.flatnonzero(counts.sum(axis=1)).tolist()
    columns = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1)).tolist()
    return rows, columns


def size_of(counts: NDArray[np.int64]) -> tuple[float, float]:
    """Return width and height in inches of a figure for a confusion matrix."""
    rows, columns = occurring(counts)
    return side(len(columns)) + 2.6, side(len(rows)) + 1.8


def confusion(ax: Any, labels: Sequence[str], counts: NDArray[np.int64]) -> None:
    """Draw which labels (rows) were taken for which (columns); darker means a larger share of the row."""
    names = list(map(shown, labels))
    rows, columns = occurring(counts)
    counts = counts[np.ix_(rows, columns)]
    shares = counts / counts.sum(axis=1, keepdims=True)
    drawn = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set_xticks(range(len(columns)), [names[k] for k in columns], rotation=90)
    ax.set_yticks(range(len(rows)), [names[k] for k in rows])
    ax.set_xlabel("taken for")
    ax.set_ylabel("label of the file")
    if len(columns) <= _MOST_NUMBERS:
        for (i, j), count in np.ndenumerate(counts):
            colour = "white" if shares[i, j] > _DARK else "black"
            if count:
                ax.text(j, i, str(count), ha="center", va="center", color=colour, fontsize=8)
    ax.figure.colorbar(drawn, ax=ax, label="share of the label's files")
