"""Pictures of how good a model is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.drawing.bins import binned
from fastaudio.drawing.bins import reliability as draw_reliability
from fastaudio.drawing.figures import axes
from fastaudio.drawing.matrix import confusion as draw_confusion
from fastaudio.drawing.matrix import size_of
from fastaudio.heads.evaluation import Evaluation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


def confusion(
    result: Evaluation | ArrayLike, labels: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw which labels were taken for which, and return the axes.

    Rows are what files have, columns what they were taken for; darker means a larger share of the row.
    Labels that don't occur are left out.

    Args:
        result: what `heads.evaluate` gave, or counts [n_labels, n_labels].
        labels: names of the rows and columns, with counts.
        ax: where to draw; None for a new figure of pyplot.

    Raises:
        MissingExtra: matplotlib isn't installed.
        ValueError: counts of another shape, or below 0; files with several labels; or no file at all.
    """
    if isinstance(result, Evaluation):
        if result.confusion is None:
            raise ValueError("plot.confusion: expected one label per file, got lists of labels")
        counts, labels = result.confusion, result.labels
    else:
        counts = np.asarray(result)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.dtype.kind not in "iu":  # noqa: PLR2004
        raise ValueError(
            f"plot.confusion: expected whole numbers [n_labels, n_labels], got {counts.dtype} {counts.shape}"
        )
    if labels is None or len(labels) != len(counts):
        got = "none" if labels is None else len(labels)
        raise ValueError(f"plot.confusion: expected {len(counts)} labels, got {got}")
    if counts.min(initial=0) < 0 or not counts.any():
        raise ValueError("plot.confusion: expected counts from 0 up, one at least above 0, got others")
    ax = axes(ax, "plot.confusion", size=size_of(counts))
    draw_confusion(ax, labels, counts)
    return ax


def reliability(
    result: Evaluation | ArrayLike,
    scores: ArrayLike | None = None,
    ax: Axes | None = None,
    *,
    n_bins: int = 10,
) -> Axes:
    """Draw how often scores are right over what they say, and return the axes.

    Of a calibrated model, of all scores near 0.8 eight in ten are right: its line lies on the diagonal. Grey
    bars show how many scores each bin has. The title states the expected calibration error: the mean
    distance from the diagonal, weighted by the number of scores.

    Args:
        result: what `heads.evaluate` gave, or the truth, of any shape. Of an evaluation with one label per
            file, each file's highest score counts (is it the right label?); otherwise every score does.
        scores: the scores from 0 to 1, of the same shape as the truth.
        ax: where to draw; None for a new figure of pyplot.
        n_bins: number of bins of equal width.

    Raises:
        MissingExtra: matplotlib isn't installed.
        ValueError: shapes that differ, scores outside [0, 1], or no bin.
    """
    truth, said = _pairs(result, scores)
    if isinstance(n_bins, bool) or not isinstance(n_bins, int) or n_bins < 1:
        raise ValueError(f"plot.reliability: expected n_bins of at least 1, got {n_bins!r:.80}")
    if not ((said >= 0) & (said <= 1)).all():
        raise ValueError(
            "plot.reliability: expected scores in [0, 1], got others, as of logits; use Sigmoid or Softmax"
        )
    ax = axes(ax, "plot.reliability", size=(5, 4.6))
    draw_reliability(ax, binned(truth, said, n_bins))
    return ax


def _pairs(result: Evaluation | ArrayLike, scores: ArrayLike | None) -> tuple[Any, Any]:
    """Return the truth and the scores, both [n]."""
    if isinstance(result, Evaluation):
        if result.multi:
            return result.truth.ravel(), result.scores.ravel()
        best = result.scores.argmax(axis=1)
        rows = np.arange(len(best))
        return result.truth[rows, best], result.scores[rows, best]
    truth, said = np.asarray(result), np.asarray(scores if scores is not None else [])
    if truth.shape != said.shape:
        raise ValueError(
            f"plot.reliability: expected scores of the truth's shape {truth.shape}, got {said.shape}"
        )
    if truth.dtype.kind not in "biuf" or not np.isin(truth, (0, 1)).all():
        raise ValueError("plot.reliability: expected the truth as 0 and 1, got other values")
    return truth.ravel().astype(bool), said.ravel().astype(np.float64)
