"""Scores as JSON: the fewest digits from which the same float32 comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


def plain(score: Any) -> float | None:
    """Return a float32 as the shortest number that rounds to it; None if it isn't finite."""
    value = np.float32(score)
    return float(str(value)) if np.isfinite(value) else None


def plain_rows(scores: NDArray[np.float32]) -> list[list[float | None]]:
    """Return rows [n, n_labels] as lists of such numbers."""
    return [[plain(score) for score in row] for row in scores]


def plain_tags(top: Iterable[Sequence[Any]], min_score: float | None = None) -> list[dict[str, Any]]:
    """Return labels with their scores as JSON has them, without those below `min_score`."""
    return [
        {"label": label, "score": plain(score)}
        for label, score in top
        if min_score is None or score >= min_score
    ]
