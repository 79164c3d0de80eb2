"""Labels that are alike: by the cosines of their weights, like beside like; and the drawings."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fastaudio import heads
from fastaudio.heads import plots, similarity
from fastaudio.heads.classifier import Classifier, train
from fastaudio.heads.evaluation import Evaluation
from heads_helpers import LINEAR
from sklearn.metrics.pairwise import cosine_similarity

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LABELS = ["woman", "drums", "female", "beat", "harp"]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    """Return five labels; the first and third mostly occur together, and so do the second and fourth."""
    rng = np.random.default_rng(3)
    heard = rng.random((300, 3)) < 0.4  # voice, rhythm, harp
    rows = heard @ rng.standard_normal((3, 16)) + 0.5 * rng.standard_normal((300, 16))
    truth = heard[:, [0, 1, 0, 1, 2]] ^ (rng.random((300, 5)) < 0.1)
    return train(rows.astype(np.float32), truth, np.ones(300), replace(LINEAR, multi=True))


@pytest.fixture(scope="module")
def matrix(classifier: Classifier) -> NDArray[np.float64]:
    return similarity.cosines(classifier)


def test_cosines_are_of_the_labels_weights(classifier: Classifier, matrix: NDArray[np.float64]) -> None:
    assert np.allclose(matrix, cosine_similarity(classifier.layers[-1][0].T))
    assert np.array_equal(np.diag(matrix), np.ones(5))


def test_like_labels_stand_beside_each_other(matrix: NDArray[np.float64]) -> None:
    names = [LABELS[k] for k in similarity.order(matrix)]
    assert sorted(names) == sorted(LABELS)
    for pair in (("woman", "female"), ("drums", "beat")):
        assert abs(names.index(pair[0]) - names.index(pair[1])) == 1
    first_joined = {frozenset(map(int, row[:2])) for row in similarity.cluster(matrix)[:2]}
    assert first_joined == {frozenset({0, 2}), frozenset({1, 3})}


def test_drawings_are_written(tmp_path: Path, matrix: NDArray[np.float64]) -> None:
    plots.plot_similarity(tmp_path / "alike.png", LABELS, matrix)
    odd = [r"$\nosuch{$", "\x1b[2J\n$"]  # labels are no formulas
    plots.plot_similarity(tmp_path / "two.png", odd, matrix[:2, :2])
    plots.plot_confusion(tmp_path / "odd.png", odd, np.eye(2, dtype=np.int64))
    truth = np.eye(5, dtype=bool)[np.arange(20) % 4]  # the last label doesn't occur
    scores = np.random.default_rng(0).random((20, 5))
    Evaluation(tuple(LABELS), truth, scores, multi=False).plot_confusion(tmp_path / "confusion.png")
    for name in ("alike.png", "two.png", "confusion.png"):
        data = (tmp_path / name).read_bytes()
        assert data.startswith(PNG)
        assert len(data) > 5_000


def test_without_matplotlib_the_command_that_adds_it_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, matrix: NDArray[np.float64]
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(heads.MissingExtra, match=r"expected matplotlib, got none; pip install '.*\[plot\]'$"):
        plots.plot_similarity(tmp_path / "no.png", LABELS, matrix)
