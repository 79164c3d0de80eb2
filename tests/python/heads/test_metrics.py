"""Metrics are scikit-learn's where it defines them, and honest where it doesn't."""

from __future__ import annotations

import numpy as np
import pytest
from fastaudio.heads import metrics
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    roc_auc_score,
)

LABELS = 4


def drawn(seed: int, n: int, *, coarse: bool) -> tuple[np.ndarray, np.ndarray]:
    """Draw classes that all occur, and scores; coarse scores have many ties."""
    rng = np.random.default_rng(seed)
    classes = np.concatenate([np.arange(LABELS), rng.integers(0, LABELS, n)])
    scores = rng.random((len(classes), LABELS))
    return classes, np.round(scores, 1) if coarse else scores


@given(seed=st.integers(0, 10_000), n=st.integers(0, 60), coarse=st.booleans())
def test_one_label_a_file_is_measured_as_scikit_learn_does(seed: int, n: int, coarse: bool) -> None:
    classes, scores = drawn(seed, n, coarse=coarse)
    truth = np.eye(LABELS, dtype=bool)[classes]
    said = scores.argmax(axis=1)
    got = metrics.macro(metrics.of_labels(truth, scores, multi=False))
    assert got["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(classes, said))
    assert got["f1"] == pytest.approx(f1_score(classes, said, average="macro"))
    assert got["roc_auc"] == pytest.approx(roc_auc_score(truth, scores, average="macro"))
    assert got["pr_auc"] == pytest.approx(average_precision_score(truth, scores, average="macro"))
    assert np.array_equal(metrics.confusion(truth, scores), confusion_matrix(classes, said))


@given(seed=st.integers(0, 10_000))
def test_several_labels_a_file_are_measured_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random((40, LABELS)) < 0.4
    truth[0], truth[1] = True, False
    scores = rng.random((40, LABELS))
    got = metrics.of_labels(truth, scores, multi=True)
    for k in range(LABELS):
        said = scores[:, k] >= 0.5
        assert got["balanced_accuracy"][k] == pytest.approx(balanced_accuracy_score(truth[:, k], said))
        assert got["f1"][k] == pytest.approx(f1_score(truth[:, k], said))
        assert got["roc_auc"][k] == pytest.approx(roc_auc_score(truth[:, k], scores[:, k]))


def test_a_label_that_does_not_occur_counts_nowhere() -> None:
    truth = np.eye(3, dtype=bool)[[0, 0, 1, 1]]
    scores = np.array([[0.9, 0.1, 0.0], [0.2, 0.1, 0.7], [0.1, 0.8, 0.1], [0.3, 0.6, 0.1]])
    of_labels = metrics.of_labels(truth, scores, multi=False)
    assert all(np.isnan(values[2]) for name, values in of_labels.items())
    assert metrics.macro(of_labels)["balanced_accuracy"] == 0.75  # one of two, and both
    assert np.isnan(metrics.macro(metrics.of_labels(truth[:2], scores[:2], multi=False))["roc_auc"])
