"""How uncertain a model is about a stretch, from 0, sure, to 1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SUM_TO_ONE = 1e-3
_THRESHOLD = 0.5


def doubts(
    scores: NDArray[np.float32], *, multi: bool, thresholds: NDArray[np.float64] | float = _THRESHOLD
) -> NDArray[np.float64]:
    """Return how uncertain each row of scores is, float64 [n_rows], from 0 to 1.

    Of scores that sum to 1 it is 1 minus the distance between the best two (margin sampling). With `multi`
    it is how near the label that is nearest lies to its threshold: 1 there, 0 at a score of 0 or 1.

    Args:
        scores: from 0 to 1, [n_rows, n_labels].
        multi: whether labels are independent, so that scores don't sum to 1.
        thresholds: from which score a label counts, one for all or [n_labels].
    """
    values = np.asarray(scores, np.float64)
    if not len(values):
        return np.zeros(0)
    if multi or values.shape[1] < 2:  # noqa: PLR2004  # one score has no second best
        least = np.clip(np.broadcast_to(np.asarray(thresholds, np.float64), values.shape[1:]), 1e-6, 1 - 1e-6)
        far = np.where(values < least, (least - values) / least, (values - least) / (1 - least))
        near: NDArray[np.float64] = np.clip(1 - far.min(axis=1), 0, 1)
        return near
    best = np.partition(values, values.shape[1] - 2, axis=1)[:, -2:]
    margin: NDArray[np.float64] = np.clip(1 - (best[:, 1] - best[:, 0]), 0, 1)
    return margin


def is_multi(card: dict[str, Any], scores: NDArray[np.float32]) -> bool:
    """Tell whether a model's labels are independent: as its card says, or if the scores don't sum to 1."""
    head = card.get("head")
    said = head.get("several_labels_a_file") if isinstance(head, dict) else None
    if isinstance(said, bool):
        return said
    return bool(len(scores)) and bool(np.abs(scores.sum(axis=1) - 1).max() > _SUM_TO_ONE)


def thresholds_in(card: dict[str, Any], labels: list[str]) -> NDArray[np.float64]:
    """Return from which score each label counts, as a card says, or 0.5."""
    said = card.get("thresholds")
    known = said if isinstance(said, dict) else {}
    return np.array([float(known.get(label, _THRESHOLD)) for label in labels])


def card_in(about: dict[str, Any]) -> dict[str, Any]:
    """Return the card of a scan's model."""
    card: dict[str, Any] = json.loads(about["card"])
    return card
