"""Scores that mean what they say, learnt in cross-validation.

A temperature (for one label per file), or a scale and an offset for each label (for lists of labels), goes
into the last layer, so that the mean score of a file is a probability. Guo, Pleiss, Sun and Weinberger, On
calibration of modern neural networks, ICML 2017; Platt, Probabilistic outputs for support vector machines,
1999, also for the targets, which aren't quite 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.heads.classifier import probabilities
from fastaudio.heads.extras import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio.heads.classifier import Classifier, Float64

_STEEPEST = 20.0  # factor of logits, or its inverse
_FARTHEST = 20.0  # offset of logits
_BINS = 10
_LEAST = 1e-12


@dataclass(frozen=True)
class Judged:
    """Logits of windows by heads that didn't learn from them.

    Attributes:
        logits: of each window [n_rows, n_labels], clip after clip.
        clip: each window's clip [n_rows], which rises.
        fold: each clip's fold [n_clips].
        truth: each clip's labels [n_clips, n_labels].
        weights: how much each clip counts [n_clips].
        multi: whether scores are independent.
    """

    logits: Float64
    clip: NDArray[np.int64]
    fold: NDArray[np.int64]
    truth: NDArray[np.bool_]
    weights: Float64
    multi: bool

    def only(self, clips: NDArray[np.bool_]) -> Judged:
        """Return these clips."""
        rows = clips[self.clip]
        number = np.cumsum(clips) - 1
        parts = number[self.clip[rows]], self.fold[clips], self.truth[clips], self.weights[clips]
        return Judged(self.logits[rows], *parts, self.multi)

    def scores(self, scale: Float64, offset: Float64) -> Float64:
        """Return each clip's mean score [n_clips, n_labels]."""
        return self._means(probabilities(self.logits * scale + offset, multi=self.multi))

    def _means(self, rows: Float64) -> Float64:
        counts = np.bincount(self.clip, minlength=len(self.truth))
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        means: Float64 = np.add.reduceat(rows, starts, axis=0) / counts[:, None]
        return means

    def loss_of(self, label: int, scale: float, offset: float, target: Float64) -> float:
        """Return one label's log loss against targets [n_clips], of independent scores."""
        rows = probabilities(self.logits[:, label : label + 1] * scale + offset, multi=True)
        p = np.clip(self._means(rows)[:, 0], _LEAST, 1 - _LEAST)
        return float(-np.average(target * np.log(p) + (1 - target) * np.log(1 - p), weights=self.weights))


@dataclass(frozen=True)
class Calibration:
    """How scores were calibrated.

    Attributes:
        scale, offset: factor and summand of each label's logits [n_labels].
        scores: of each clip in cross-validation, calibrated on other folds [n_clips, n_labels].
        log_loss, log_loss_before: of these scores, and of those before.
        error, error_before: the mean difference between scores and the share of clips that have the label,
            over ten bins of scores.
        multi: whether scores are independent.
    """

    scale: Float64
    offset: Float64
    scores: Float64
    log_loss: float
    log_loss_before: float
    error: float
    error_before: float
    multi: bool

    def apply(self, classifier: Classifier) -> Classifier:
        """Return a classifier with calibrated scores."""
        return classifier.calibrated(self.scale, self.offset)

    def to_card(self) -> dict[str, Any]:
        """Return what a card says of it."""
        how: dict[str, Any] = {"method": "scale and offset of each label" if self.multi else "temperature"}
        if not self.multi:
            how["temperature"] = round(1 / float(self.scale[0]), 4)
        values = ("log_loss", "log_loss_before", "error", "error_before")
        return how | {name: round(getattr(self, name), 4) for name in values}


def calibrate(judged: Judged) -> Calibration:
    """Learn to calibrate; what is said of it comes from folds that took no part."""
    n_labels = judged.truth.shape[1]
    none = np.ones(n_labels), np.zeros(n_labels)
    before = judged.scores(*none)
    after = np.empty_like(before)
    for fold in np.unique(judged.fold):
        held = judged.fold == fold
        after[held] = judged.only(held).scores(*_learn(judged.only(~held)))
    scale, offset = _learn(judged)
    return Calibration(
        scale,
        offset,
        after,
        log_loss=_log_loss(judged, after),
        log_loss_before=_log_loss(judged, before),
        error=_error(judged, after),
        error_before=_error(judged, before),
        multi=judged.multi,
    )


def _learn(judged: Judged) -> tuple[Float64, Float64]:
    """Return scale and offset of each label."""
    n_labels = judged.truth.shape[1]
    optimize: Any = require("scipy.optimize", extra="train", what="heads.fit")
    if not judged.multi:
        bound = float(np.log(_STEEPEST))
        # Beyond doubt needs more files than there are: a little of the target goes to all labels.
        doubt = 1 / (len(judged.truth) + 2)
        target = judged.truth * (1 - doubt) + doubt / n_labels

        def loss(log_scale: float) -> float:
            p = np.maximum(judged.scores(np.full(n_labels, np.exp(log_scale)), np.zeros(n_labels)), _LEAST)
            return float(-np.average((target * np.log(p)).sum(axis=1), weights=judged.weights))

        best = optimize.minimize_scalar(loss, bounds=(-bound, bound), method="bounded").x
        return np.full(n_labels, np.exp(best)), np.zeros(n_labels)
    pairs = [_learn_one(judged, k, optimize) for k in range(n_labels)]
    return np.array([scale for scale, _ in pairs]), np.array([offset for _, offset in pairs])


def _learn_one(judged: Judged, label: int, optimize: Any) -> tuple[float, float]:
    """Return the scale and offset of a label of its own."""
    has = judged.truth[:, label]
    n_with, n_without = int(has.sum()), int((~has).sum())
    if not n_with or not n_without:
        return 1.0, 0.0
    target = np.where(has, (n_with + 1) / (n_with + 2), 1 / (n_without + 2))
    bounds = [(-float(np.log(_STEEPEST)), float(np.log(_STEEPEST))), (-_FARTHEST, _FARTHEST)]

    def loss(at: Float64) -> float:
        return judged.loss_of(label, float(np.exp(at[0])), float(at[1]), target)

    log_scale, offset = optimize.minimize(loss, [0.0, 0.0], method="L-BFGS-B", bounds=bounds).x
    return float(np.exp(log_scale)), float(offset)


def _log_loss(judged: Judged, scores: Float64) -> float:
    p = np.clip(scores, _LEAST, 1 - _LEAST)
    if judged.multi:
        each = -np.where(judged.truth, np.log(p), np.log(1 - p)).mean(axis=1)
    else:
        each = -np.log(p[judged.truth])
    return float(np.average(each, weights=judged.weights))


def _error(judged: Judged, scores: Float64) -> float:
    """Return the expected calibration error, of the best label or, if these are independent, of all."""
    if judged.multi:
        said, right = scores.ravel(), judged.truth.ravel()
        weights = np.repeat(judged.weights, scores.shape[1])
    else:
        said = scores.max(axis=1)
        right = judged.truth[np.arange(len(scores)), scores.argmax(axis=1)]
        weights = judged.weights
    bins = np.minimum((said * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, weights * (said - right), minlength=_BINS)
    return float(np.abs(gaps).sum() / weights.sum())
