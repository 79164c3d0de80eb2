"""Folds for cross-validation: a group's files stay together, each label is dealt out evenly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def deal(truth: NDArray[np.bool_], groups: NDArray[np.int64], n_folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of each file, from 0; if no label has `n_folds` groups, there are fewer folds.

    Groups are dealt one by one, those with rare labels first. Each goes to the fold that holds least of its
    labels, and among equal ones to the smallest; `seed` shuffles equal groups. `truth` and `groups` are those
    of `Examples`.
    """
    names, place = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), truth.shape[1]))
    np.add.at(counts, place, truth)
    sizes = np.bincount(place)
    totals = np.maximum(counts.sum(axis=0), 1)
    rarest = np.where(counts > 0, totals, np.inf).min(axis=1)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    order = sorted(shuffled, key=lambda g: (rarest[g], -sizes[g]))

    n_folds = min(n_folds, int((counts > 0).sum(axis=0).max()))
    held, lengths = np.zeros((n_folds, truth.shape[1])), np.zeros(n_folds)
    fold_of = np.zeros(len(names), dtype=np.int64)
    for group in order:
        share = counts[group] / totals
        overlap = (held / totals) @ share
        fold = min(range(n_folds), key=lambda f: (overlap[f], lengths[f]))
        fold_of[group] = fold
        held[fold] += counts[group]
        lengths[fold] += sizes[group]
    return fold_of[place]


def check(
    truth: NDArray[np.bool_], groups: NDArray[np.int64], labels: Sequence[str], *, grouped: bool
) -> None:
    """Raise a ValueError if a label is in only one file or group, or in all but one.

    Each has to be learnt from some files and tried on others; the message names the label.
    """
    unit = "groups of files" if grouped else "files"
    for what, holds in (("of", truth), ("without", ~truth)):
        for k, label in enumerate(labels):
            n = len(np.unique(groups[holds[:, k]]))
            if n < 2:  # noqa: PLR2004  # one to learn from, one to try on
                raise ValueError(
                    f"heads.fit: expected at least 2 {unit} {what} each label, got {n} {what} {label!r:.80}; "
                    "add some, or leave the label out"
                )


def check_learnt(truth: NDArray[np.bool_], folds: NDArray[np.int64], labels: Sequence[str]) -> None:
    """Raise a ValueError if one fold holds all files that a label could be learnt from.

    That happens when groups have several labels; the message names one.
    """
    for fold in np.unique(folds):
        rest = truth[folds != fold]
        alone = np.flatnonzero(rest.all(axis=0) | ~rest.any(axis=0))
        if len(alone):
            raise ValueError(
                f"heads.fit: expected groups that can be dealt into folds, got all of "
                f"{labels[alone[0]]!r:.80} in one; make smaller groups, or leave the label out"
            )


def check_given(folds: NDArray[np.int64], groups: NDArray[np.int64]) -> None:
    """Raise a ValueError if there is one fold only, or if a group's files are in two."""
    if len(np.unique(folds)) < 2:  # noqa: PLR2004  # one to learn from, one to try on
        raise ValueError(
            "heads.fit: expected fold_of with at least 2 folds, got 1; leave it out to deal folds"
        )
    for group in np.unique(groups):
        if len(np.unique(folds[groups == group])) > 1:
            first = int(np.flatnonzero(groups == group)[0])
            raise ValueError(
                f"heads.fit: expected each group in one fold of fold_of, got files of one group in several, "
                f"the first at index {first}; leave out groups, or fold_of"
            )
