"""Metrics that weigh files alike, whatever labels they have, and thresholds of scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from fastaudio._system.text import listed
from fastaudio.heads.metrics import THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fastaudio.heads.metrics import Scores, Truth

NAMES = {
    "accuracy": "accuracy",
    "top_5": "top-5 accuracy",
    "lwlrap": "lwlrap",
    "instance_f1": "F1 per file",
}
"""The metrics, and their names in a report."""

Threshold: TypeAlias = "float | Mapping[str, float]"
"""One for all labels, or each label's own."""

_TOP = 5


def of_files(
    truth: Truth, scores: Scores, *, multi: bool, threshold: float | NDArray[np.float64] = THRESHOLD
) -> dict[str, float]:
    """Return what there is to measure: accuracy and top-5 accuracy, or with `multi` lwlrap and F1 per file.

    Top-5 accuracy says nothing of five labels or fewer, and is left out for these.
    """
    if multi:
        return {"lwlrap": lwlrap(truth, scores), "instance_f1": instance_f1(truth, scores >= threshold)}
    found = {"accuracy": top_accuracy(truth, scores, 1)}
    if truth.shape[1] > _TOP:
        found["top_5"] = top_accuracy(truth, scores, _TOP)
    return found


def top_accuracy(truth: Truth, scores: Scores, k: int) -> float:
    """Return the share of rows whose label is among the `k` highest scores; of equal ones the first."""
    if not len(truth):
        return math.nan
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float(np.take_along_axis(truth, order, axis=1).any(axis=1).mean())


def lwlrap(truth: Truth, scores: Scores) -> float:
    """Return the label-weighted label-ranking average precision; NaN if no row has a label.

    For each label of each row, it is the share of the row's labels among all labels that score as high or
    higher; the mean weighs all these alike. Equal scores share the lowest of their places.

    Source: Fonseca, Plakal, Font, Ellis & Serra, Audio tagging with noisy labels and minimal supervision,
        DCASE 2019
    """
    precisions = []
    for there, row in zip(truth, scores, strict=True):
        own = np.sort(row[there])
        place = len(row) - np.searchsorted(np.sort(row), own, side="left")
        hits = len(own) - np.searchsorted(own, own, side="left")
        precisions.append(hits / place)
    each = np.concatenate(precisions) if precisions else np.zeros(0)
    return float(each.mean()) if len(each) else math.nan


def instance_f1(truth: Truth, said: Truth) -> float:
    """Return the mean over rows of F1 between the row's labels and those said of it.

    A row without a label of which none is said counts 0, as in scikit-learn; NaN if there are no rows.
    """
    if not len(truth):
        return math.nan
    both = truth.sum(axis=1) + said.sum(axis=1)
    return float((2 * (truth & said).sum(axis=1) / np.maximum(both, 1)).mean())


def best_thresholds(truth: Truth, scores: Scores) -> NDArray[np.float64]:
    """Return the threshold of each label [n_labels] that gives the best F1; of equal ones the highest.

    It lies halfway between the lowest score that counts and the next one below, or at the lowest of all. NaN
    for labels that don't occur. Choose on other files than those that are measured.
    """
    found = np.full(truth.shape[1], math.nan)
    for k in np.flatnonzero(truth.any(axis=0)).tolist():
        order = np.argsort(-scores[:, k], kind="stable")
        ordered, hits = scores[order, k].astype(np.float64), np.cumsum(truth[order, k])
        ends = np.flatnonzero(np.diff(ordered, append=-np.inf))  # equal scores count together
        f1 = 2 * hits[ends] / (ends + 1 + hits[-1])
        at = int(ends[f1.argmax()])
        below = ordered[at + 1] if at + 1 < len(ordered) else ordered[at]
        found[k] = (ordered[at] + below) / 2
    return found


def as_thresholds(what: str, threshold: Threshold, labels: Sequence[str]) -> NDArray[np.float64]:
    """Return each label's threshold [n_labels]; a label that a mapping lacks has 0.5.

    Raises:
        ValueError: a threshold isn't from 0 to 1, or its label isn't known; the message names it.
    """
    if not isinstance(threshold, Mapping):
        threshold = dict.fromkeys(labels, threshold)
    unknown = [label for label in threshold if label not in labels]
    if unknown:
        raise ValueError(
            f"{what}: expected thresholds of {listed(list(labels))}, got one of {listed(unknown)}"
        )
    for label, value in threshold.items():
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not number or not 0 <= value <= 1:
            raise ValueError(f"{what}: expected a threshold from 0 to 1 for {label!r:.80}, got {value!r:.80}")
    return np.array([float(threshold.get(label, THRESHOLD)) for label in labels])
