"""Metrics of scores against the truth: areas, recalls and confusions, with NumPy alone.

Macro means are taken over the labels that occur in the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Truth: TypeAlias = "NDArray[np.bool_]"
Scores: TypeAlias = "NDArray[np.floating]"

THRESHOLD = 0.5
"""Score from which a label counts, if a file may have several."""

NAMES = {
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1, macro",
    "roc_auc": "ROC-AUC, macro",
    "pr_auc": "PR-AUC, macro",
}
"""The metrics, and their names in a report."""

Threshold: TypeAlias = "float | NDArray[np.float64]"
"""Score from which a label counts, if a file may have several: one, or one for each label [n_labels]."""


def roc_auc(truth: Truth, scores: Scores) -> float:
    """Return the area under one label's ROC curve, for truth and scores [n]; NaN if all or none are true."""
    n_true = int(truth.sum())
    n_false = len(truth) - n_true
    if not n_true or not n_false:
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[place]  # equal scores share the mean of their ranks
    return float((ranks[truth].sum() - n_true * (n_true + 1) / 2) / (n_true * n_false))


def pr_auc(truth: Truth, scores: Scores) -> float:
    """Return one label's average precision, for truth and scores [n]; NaN if none is true."""
    n_true = int(truth.sum())
    if not n_true:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    ends = np.flatnonzero(np.diff(scores[order], append=-np.inf))  # equal scores count together
    recall = hits[ends] / n_true
    precision = hits[ends] / (ends + 1)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def decide(scores: Scores, *, multi: bool, threshold: Threshold = THRESHOLD) -> Truth:
    """Return the labels that scores [n, n_labels] choose: the highest per row; `multi`: from a threshold."""
    if multi:
        return scores >= threshold
    decided = np.zeros(scores.shape, dtype=np.bool_)
    decided[np.arange(len(scores)), scores.argmax(axis=1)] = True
    return decided


def of_labels(
    truth: Truth, scores: Scores, *, multi: bool, threshold: Threshold = THRESHOLD
) -> dict[str, NDArray[np.float64]]:
    """Return each metric for each label [n_labels]; NaN if the label doesn't occur.

    A label's balanced accuracy is its recall, or with `multi` the mean of two recalls, one over the rows
    that have it and one over those that don't.
    """
    said = decide(scores, multi=multi, threshold=threshold)
    hits = (truth & said).sum(axis=0)
    n_true, n_said = truth.sum(axis=0), said.sum(axis=0)
    occurs = n_true > 0
    recall = np.where(occurs, hits / np.maximum(n_true, 1), np.nan)
    if multi:
        n_false = len(truth) - n_true
        rejected = (~truth & ~said).sum(axis=0) / np.maximum(n_false, 1)
        recall = np.where(n_false > 0, (recall + rejected) / 2, np.nan)
    columns = range(truth.shape[1])
    return {
        "balanced_accuracy": recall,
        "f1": np.where(occurs, 2 * hits / np.maximum(n_true + n_said, 1), np.nan),
        "roc_auc": np.array([roc_auc(truth[:, k], scores[:, k]) for k in columns]),
        "pr_auc": np.array([pr_auc(truth[:, k], scores[:, k]) for k in columns]),
    }


def macro(labels: dict[str, NDArray[np.float64]]) -> dict[str, float]:
    """Return the mean of each metric over the labels that have it; NaN if none has it."""
    return {name: mean(values) for name, values in labels.items()}


def mean(values: NDArray[np.float64]) -> float:
    """Return the mean of the values that aren't NaN; NaN if there are none."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")


def std(values: NDArray[np.float64]) -> float:
    """Return the standard deviation of the values that aren't NaN; NaN if there are none."""
    there = values[~np.isnan(values)]
    return float(there.std()) if len(there) else float("nan")


def confusion(truth: Truth, scores: Scores) -> NDArray[np.int64]:
    """Count rows of a label (first axis) taken for another (second axis): [n_labels, n_labels]."""
    said = decide(scores, multi=False)
    counts: NDArray[np.int64] = truth.astype(np.int64).T @ said.astype(np.int64)
    return counts
