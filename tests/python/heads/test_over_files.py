"""Metrics over files are scikit-learn's, and a threshold of best F1 is the best there is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fastaudio.heads import over_files
from fastaudio.heads.evaluation import Evaluation
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    label_ranking_average_precision_score,
    top_k_accuracy_score,
)

LABELS = 7
NAMES = tuple("abcdefg")


def drawn(seed: int, n: int, *, coarse: bool) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows with any labels, none among them, and scores; coarse scores have many ties."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n + 1, LABELS)) < rng.choice([0.1, 0.5])
    truth[0, 0] = True  # one label at least
    scores = rng.random(truth.shape)
    return truth, np.round(scores, 1) if coarse else scores


@given(seed=st.integers(0, 10_000), n=st.integers(0, 30), coarse=st.booleans())
def test_several_labels_a_file_are_measured_as_scikit_learn_does(seed: int, n: int, coarse: bool) -> None:
    truth, scores = drawn(seed, n, coarse=coarse)
    held = truth.any(axis=1)  # scikit-learn counts rows without labels as found
    want = label_ranking_average_precision_score(
        truth[held], scores[held], sample_weight=truth[held].sum(axis=1)
    )
    assert over_files.lwlrap(truth, scores) == pytest.approx(want)
    for threshold in (0.1, 0.5):
        got = over_files.of_files(truth, scores, multi=True, threshold=threshold)["instance_f1"]
        want = f1_score(truth, scores >= threshold, average="samples", zero_division=0)
        assert got == pytest.approx(want)


@given(seed=st.integers(0, 10_000), n=st.integers(0, 30), coarse=st.booleans())
def test_one_label_a_file_is_measured_as_scikit_learn_does(seed: int, n: int, coarse: bool) -> None:
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, LABELS, n + 1)
    _, scores = drawn(seed, n, coarse=coarse)
    got = over_files.of_files(np.eye(LABELS, dtype=bool)[classes], scores, multi=False)
    assert got["accuracy"] == pytest.approx(accuracy_score(classes, scores.argmax(axis=1)))
    if not coarse:  # of equal scores scikit-learn takes the last, here the first counts, as in accuracy
        want = top_k_accuracy_score(classes, scores, k=5, labels=range(LABELS))
        assert got["top_5"] == pytest.approx(want)


def test_top_5_is_left_out_where_it_would_always_be_1() -> None:
    truth = np.eye(5, dtype=bool)
    assert list(over_files.of_files(truth, np.zeros((5, 5)), multi=False)) == ["accuracy"]


def test_nothing_gives_no_number() -> None:
    none = np.zeros((0, LABELS), dtype=bool)
    for multi in (False, True):
        assert all(map(math.isnan, over_files.of_files(none, none.astype(float), multi=multi).values()))


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000), n=st.integers(0, 12), coarse=st.booleans())
def test_no_threshold_has_a_better_f1(seed: int, n: int, coarse: bool) -> None:
    truth, scores = drawn(seed, n, coarse=coarse)
    found = over_files.best_thresholds(truth, scores)
    for k, threshold in enumerate(found):
        if not truth[:, k].any():
            assert math.isnan(threshold)
            continue
        best = f1_score(truth[:, k], scores[:, k] >= threshold)
        others = [f1_score(truth[:, k], scores[:, k] >= value) for value in np.unique(scores[:, k])]
        assert best == pytest.approx(max(others))


def test_thresholds_decide_what_an_evaluation_counts() -> None:
    truth, scores = drawn(3, 20, coarse=False)
    plain = Evaluation(NAMES, truth, scores, multi=True)
    best = plain.best_thresholds
    assert set(best) == {name for name, held in zip(NAMES, truth.T, strict=True) if held.any()}
    limits = over_files.as_thresholds("test", best, NAMES)
    better = Evaluation(NAMES, truth, scores, multi=True, threshold=limits)
    assert better.metrics["f1"] > plain.metrics["f1"]
    assert better.metrics["roc_auc"] == plain.metrics["roc_auc"]  # areas know no threshold
    assert better.to_dict()["threshold"] == limits.tolist()
    assert "F1 per file" in better.report


@pytest.mark.parametrize(
    ("threshold", "said"),
    [
        ({"z": 0.5}, r"expected thresholds of a, b, .* got one of z"),
        (1.5, r"expected a threshold from 0 to 1 for 'a', got 1.5"),
        ({"a": "high"}, r"expected a threshold from 0 to 1 for 'a', got 'high'"),
        (float("nan"), r"expected a threshold from 0 to 1 for 'a', got nan"),
    ],
)
def test_thresholds_that_mean_nothing_are_refused(threshold: object, said: str) -> None:
    with pytest.raises(ValueError, match=f"test: {said}"):
        over_files.as_thresholds("test", threshold, NAMES)  # type: ignore[arg-type]


def test_a_label_without_a_threshold_has_a_half() -> None:
    assert over_files.as_thresholds("test", {"b": 0.1}, NAMES[:3]).tolist() == [0.5, 0.1, 0.5]
