"""Training on some clips and judging others: cross-validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastaudio.heads import metrics, over_files
from fastaudio.heads.calibration import Judged
from fastaudio.heads.classifier import balance, train, train_by_protocol
from fastaudio.heads.folds import check_learnt, deal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio.heads.augmenting import Altered
    from fastaudio.heads.classifier import Classifier, Options
    from fastaudio.heads.data import Examples, Progress
    from fastaudio.heads.rows import Rows


def folds_of(clips: Examples, n_folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of each clip: those that were given, or as groups are dealt out.

    Raises:
        ValueError: one fold holds all clips of a label.
    """
    if clips.folds is None:
        fold_of = deal(clips.truth, clips.groups, n_folds, seed)
    else:
        fold_of = np.unique(clips.folds, return_inverse=True)[1]
    check_learnt(clips.truth, fold_of, clips.labels)
    return fold_of


def learn(
    rows: Rows, more: Altered | None, clips: NDArray[np.bool_], options: Options, n_rows: int
) -> Classifier:
    """Train on some clips, and on their altered copies.

    `n_rows` is the number of rows that a segment of the protocol has, which knows no copies.
    """
    own = clips[rows.clip]
    values, clip = rows.values[own], rows.clip[own]
    if options.protocol is not None:
        return train_by_protocol(values, clip, rows.clips, options, n_rows)
    if more is not None:
        theirs = clips[more.clip]
        values, clip = np.concatenate([values, more.values[theirs]]), np.append(clip, more.clip[theirs])
    counts = np.bincount(clip, minlength=len(clips))
    return train(values, rows.clips.truth[clip], 1.0 / counts[clip], options)


def cross_validate(
    rows: Rows,
    more: Altered | None,
    options: Options,
    fold_of: NDArray[np.int64],
    n_rows: int,
    *,
    progress: Progress | None,
) -> tuple[Judged, NDArray[np.float64]]:
    """Return the logits of all rows, and each clip's scores, by heads that learnt from other folds."""
    clips = rows.clips
    total = int(fold_of.max()) + 2  # one more is trained on all files
    scores = np.zeros(clips.truth.shape)
    logits = np.zeros((len(rows.values), len(clips.labels)))
    for fold in range(total - 1):
        one = learn(rows, more, fold_of != fold, options, n_rows)
        held = rows.of_rows(fold_of == fold)
        judged = np.flatnonzero(fold_of == fold)
        scores[judged] = rows.clip_means(one.scores(rows.values[held]), judged)
        logits[held] = one.logits(rows.values[held])
        if progress is not None:
            progress("training", fold + 1, total)
    whole = np.ones(len(clips.files))
    weights = balance(clips.truth, whole, balanced=options.balanced and not options.multi)
    return Judged(logits, rows.clip, fold_of, clips.truth, weights, options.multi), scores


def over_folds(
    clips: Examples, scores: NDArray[np.float64], fold_of: NDArray[np.int64]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the mean of each metric over the folds, and its standard deviation."""
    folds = []
    for fold in np.unique(fold_of):
        truth, own = clips.truth[fold_of == fold], scores[fold_of == fold]
        of_labels = metrics.of_labels(truth, own, multi=clips.multi)
        folds.append(metrics.macro(of_labels) | over_files.of_files(truth, own, multi=clips.multi))
    each = {name: np.array([part[name] for part in folds]) for name in folds[0]}
    means = {name: metrics.mean(values) for name, values in each.items()}
    return means, {name: metrics.std(values) for name, values in each.items()}
