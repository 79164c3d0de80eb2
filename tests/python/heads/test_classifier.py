"""Classifiers: what is exported computes what scikit-learn does, and clips weigh alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fastaudio.heads.classifier import Classifier, Options, balance, train
from heads_helpers import LINEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray


def clouds(n_labels: int, n: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return rows around a centre for each label; one value is constant."""
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % n_labels
    rows = rng.standard_normal((n, 6)) + 2 * rng.standard_normal((n_labels, 6))[classes]
    rows[:, 2] = 0.3
    return rows.astype(np.float32), np.eye(n_labels, dtype=bool)[classes]


def forward(classifier: Classifier, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what the classifier's layers give, in NumPy."""
    x = (rows - classifier.mean) / classifier.std
    if classifier.l2:
        x /= np.linalg.norm(x, axis=1, keepdims=True)
    *hidden, (weights, biases) = classifier.layers
    for w, b in hidden:
        x = np.maximum(x @ w + b, 0)
    x = x @ weights + biases
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return 1 / (1 + np.exp(-x)) if classifier.multi else e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("kind", ["linear", "mlp"])
@pytest.mark.parametrize("multi", [False, True])
@pytest.mark.parametrize("l2", [False, True])
@pytest.mark.parametrize("n_labels", [2, 3])
def test_the_layers_give_scikit_learns_probabilities(kind: Any, multi: bool, l2: bool, n_labels: int) -> None:
    rows, truth = clouds(n_labels, 60)
    if multi:
        truth[:, 0] |= rows[:, 0] > 0
        truth[0] = False
    options = Options(kind=kind, multi=multi, balanced=True, l2=l2, hidden=5, penalty=1.0, seed=0)
    classifier = train(rows, truth, np.ones(60), options)
    got = classifier.scores(rows)
    assert got.shape == (60, n_labels)
    assert np.allclose(got, forward(classifier, rows), atol=1e-9)
    assert classifier.converged
    if not multi:
        assert np.allclose(got.sum(axis=1), 1)
        assert (got.argmax(axis=1) == truth.argmax(axis=1)).mean() > 0.8


def test_a_clip_of_many_windows_weighs_as_much_as_one_of_few() -> None:
    rows, truth = clouds(3, 30)
    once = train(rows, truth, np.ones(30), LINEAR)
    counts = np.array([9, 1, 2] * 10)
    again = np.repeat(np.arange(30), counts)
    often = train(rows[again], truth[again], (1 / counts)[again], LINEAR)
    assert np.allclose(often.mean, once.mean, atol=1e-6)
    assert np.allclose(often.scores(rows), once.scores(rows), atol=1e-3)


def test_balanced_labels_weigh_alike() -> None:
    rng = np.random.default_rng(5)
    classes = np.repeat([0, 1], [95, 5])
    rows = (rng.standard_normal((100, 4)) + 0.7 * classes[:, None]).astype(np.float32)
    truth = np.eye(2, dtype=bool)[classes]
    found = {}
    for balanced in (True, False):
        said = (
            train(rows, truth, np.ones(100), replace(LINEAR, balanced=balanced)).scores(rows).argmax(axis=1)
        )
        found[balanced] = (said[classes == 1] == 1).mean()
    assert found[True] > found[False]


@pytest.mark.parametrize("balanced", [False, True])
def test_weights_sum_to_the_clips_and_if_balanced_alike_for_each_label(balanced: bool) -> None:
    truth = np.eye(3, dtype=bool)[np.repeat([0, 1, 2], [50, 20, 5])]
    shares = np.random.default_rng(0).random(75)
    weights = balance(truth, shares, balanced=balanced)
    assert weights.sum() == pytest.approx(shares.sum())
    assert balanced == np.allclose(truth.T @ weights, shares.sum() / 3)


def test_the_seed_decides() -> None:
    rows, truth = clouds(3, 60)
    options = replace(LINEAR, kind="mlp")
    one, same = (train(rows, truth, np.ones(60), options).scores(rows) for _ in range(2))
    other = train(rows, truth, np.ones(60), replace(options, seed=1)).scores(rows)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_solver_that_stops_early_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastaudio.heads.classifier._STEPS", 1)
    rows, truth = clouds(3, 60)
    assert not train(rows, truth, np.ones(60), LINEAR).converged
