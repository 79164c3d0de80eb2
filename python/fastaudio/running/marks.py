"""The mark that a running pipeline puts at the end of each row of scores: whether its window is silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def without_marks(rows: NDArray[np.float32], n_labels: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return scores [n_rows, n_labels] and which rows are silent, [n_rows]; none is if rows have no mark."""
    if rows.ndim != 2 or rows.shape[1] == n_labels:  # noqa: PLR2004
        return rows, np.zeros(len(rows), dtype=np.bool_)
    return np.ascontiguousarray(rows[:, :n_labels]), rows[:, n_labels] > 0
