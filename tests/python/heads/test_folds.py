"""Folds: a group stays together, labels are dealt out evenly, and what can't be tried is refused."""

from __future__ import annotations

import numpy as np
import pytest
from fastaudio.heads.folds import check, check_learnt, deal
from hypothesis import given
from hypothesis import strategies as st


def drawn(seed: int, n_groups: int, n_labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw files of groups of one label each; every label has at least two groups."""
    rng = np.random.default_rng(seed)
    label_of = np.concatenate([np.repeat(np.arange(n_labels), 2), rng.integers(0, n_labels, n_groups)])
    groups = np.concatenate([np.arange(len(label_of)), rng.integers(0, len(label_of), 5 * n_groups)])
    return np.eye(n_labels, dtype=bool)[label_of[groups]], groups


@given(
    seed=st.integers(0, 10_000), n_groups=st.integers(0, 30), n_labels=st.integers(2, 6), n=st.integers(2, 7)
)
def test_groups_stay_whole_and_every_label_is_learnt_in_every_fold(
    seed: int, n_groups: int, n_labels: int, n: int
) -> None:
    truth, groups = drawn(seed, n_groups, n_labels)
    folds = deal(truth, groups, n, seed)
    for group in np.unique(groups):
        assert len(np.unique(folds[groups == group])) == 1
    most = max(len(np.unique(groups[held])) for held in truth.T)
    assert np.array_equal(np.unique(folds), np.arange(min(n, most)))
    check_learnt(truth, folds, [str(k) for k in range(n_labels)])
    for k in range(n_labels):  # as many folds as possible try a label
        held = truth[:, k]
        assert len(np.unique(folds[held])) == min(n, len(np.unique(groups[held])))


def test_labels_are_dealt_evenly() -> None:
    truth = np.eye(3, dtype=bool)[np.repeat([0, 1, 2], [50, 20, 5])]
    folds = deal(truth, np.arange(75), 5, 0)
    counts = np.array([truth[folds == fold].sum(axis=0) for fold in range(5)])
    assert np.array_equal(counts, np.tile([10, 4, 1], (5, 1)))


def test_the_seed_decides_and_nothing_else() -> None:
    truth, groups = drawn(3, 20, 4)
    assert np.array_equal(deal(truth, groups, 5, 1), deal(truth, groups, 5, 1))
    assert not np.array_equal(deal(truth, groups, 5, 1), deal(truth, groups, 5, 2))


@pytest.mark.parametrize(
    ("classes", "groups", "grouped", "message"),
    [
        ([0, 0, 1], [0, 1, 2], False, r"expected at least 2 files of each label, got 1 of 'b'; add some"),
        (
            [0, 0, 1, 1],
            [0, 1, 2, 2],
            True,
            r"expected at least 2 groups of files of each label, got 1 of 'b'",
        ),
    ],
)
def test_what_can_not_be_tried_is_named(
    classes: list[int], groups: list[int], grouped: bool, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check(np.eye(2, dtype=bool)[classes], np.array(groups), ["a", "b"], grouped=grouped)


def test_a_label_that_all_files_have_is_named() -> None:
    truth = np.array([[True, True], [True, False], [True, True], [True, False]])
    with pytest.raises(ValueError, match=r"expected at least 2 files without each label, got 0 without 'a'"):
        check(truth, np.arange(4), ["a", "b"], grouped=False)


def test_a_fold_with_all_there_is_of_a_label_is_refused() -> None:
    truth = np.eye(2, dtype=bool)[[0, 0, 1, 1]]
    with pytest.raises(ValueError, match=r"got all of 'a' in one; make smaller groups"):
        check_learnt(truth, np.array([0, 0, 0, 1]), ["a", "b"])
