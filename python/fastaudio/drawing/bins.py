"""Reliability: how often scores are right, bin by bin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.drawing.figures import accent, note

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Bins:
    """Scores sorted into bins of equal width.

    Attributes:
        edges: [n_bins + 1], from 0 to 1.
        counts: how many scores each has [n_bins].
        score: their mean [n_bins]; NaN without one.
        share: the share of them that are right [n_bins]; NaN without one.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    score: NDArray[np.float64]
    share: NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error: the mean distance of score and share, weighted by the counts."""
        known = self.counts > 0
        far = np.abs(self.score - self.share)[known]
        return float((far * self.counts[known]).sum() / max(self.counts.sum(), 1))


def binned(truth: NDArray[np.bool_], scores: NDArray[np.floating], n_bins: int) -> Bins:
    """Return scores [n] from 0 to 1 in `n_bins` bins, with the share of them that are true."""
    edges = np.linspace(0, 1, n_bins + 1)
    place = np.minimum((scores.astype(np.float64) * n_bins).astype(np.int64), n_bins - 1)
    counts = np.bincount(place, minlength=n_bins)
    sums = (np.bincount(place, weights=values, minlength=n_bins) for values in (scores, truth))
    with np.errstate(invalid="ignore"):
        score, share = (each / counts for each in sums)
    return Bins(edges, counts, score, share)


def reliability(ax: Any, bins: Bins) -> None:
    """Draw the share of scores that are right over the mean score; a calibrated model's are the same."""
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="score", ylabel="share that is right")
    if not bins.counts.sum():
        note(ax, "no scores")
        return
    width = np.diff(bins.edges)
    ax.plot([0, 1], [0, 1], linestyle="--", color="0.5", linewidth=1, label="calibrated")
    ax.bar(
        bins.edges[:-1],
        bins.counts / bins.counts.sum(),
        width=width,
        align="edge",
        color="0.5",
        alpha=0.3,
        label="share of all scores",
    )
    known = bins.counts > 0
    ax.plot(bins.score[known], bins.share[known], marker="o", color=accent(ax), label="model")
    ax.set_title(
        f"expected calibration error {bins.error:.3f}, {bins.counts.sum():,} scores", fontsize="medium"
    )
    ax.legend(loc="upper left", fontsize="small")
