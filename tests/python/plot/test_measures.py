"""Pictures of embeddings, confusion and reliability."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest
from fastaudio import heads, plot
from fastaudio.drawing.bins import binned
from pictures import label_texts

RNG = np.random.default_rng(3)
GROUPS = np.repeat(["cat", "dog", "rain"], 20)
ROWS = (RNG.normal(size=(60, 16)) + np.repeat(np.arange(3) * 8, 20)[:, None]).astype(np.float32)
TRUTH = np.eye(3, dtype=bool)[[0, 0, 1, 2, 1]]
SCORES = np.array([[0.9, 0.1, 0], [0.4, 0.6, 0], [0, 0.8, 0.2], [0, 0, 1], [0, 1, 0]], dtype=np.float64)
EVALUATION = heads.Evaluation(("cat", "dog", "rain"), TRUTH, SCORES, multi=False)


def drawn_points(ax: Any) -> dict[str, np.ndarray]:
    return {one.get_label(): np.asarray(one.get_offsets()) for one in ax.collections}


@pytest.mark.parametrize(("method", "name"), [("pca", "PCA 1"), ("tsne", "t-SNE 1")])
def test_rows_that_are_alike_lie_together_under_their_label(method: Any, name: str) -> None:
    if method == "tsne":
        pytest.importorskip("sklearn", reason="pip install '.[train]'")
    ax = plot.embedding(ROWS, GROUPS, method=method)
    points = drawn_points(ax)
    assert list(points) == ["cat", "dog", "rain"]
    assert ax.get_xlabel() == name
    centres = {label: group.mean(axis=0) for label, group in points.items()}
    for label, group in points.items():
        own = np.linalg.norm(group - centres[label], axis=1)
        for other in centres.keys() - {label}:
            assert (own < np.linalg.norm(group - centres[other], axis=1)).all()
    again = drawn_points(plot.embedding(ROWS, GROUPS, method=method))
    assert all(np.allclose(points[label], again[label]) for label in points)
    assert len({one.get_paths()[0].vertices.tobytes() for one in ax.collections}) == 3  # shapes differ


def test_principal_components_hold_the_distances_of_rows_on_a_plane() -> None:
    rows = np.array([[0, 0, 5], [3, 4, 5], [6, 8, 5], [-3, 4, 5]], dtype=np.float32)
    (plane,) = drawn_points(plot.embedding(rows, method="pca")).values()
    for i in range(4):
        np.testing.assert_allclose(
            np.linalg.norm(plane - plane[i], axis=1), np.linalg.norm(rows - rows[i], axis=1), atol=1e-5
        )


def test_umap_is_used_where_it_is_and_named_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(heads.MissingExtra, match=r"expected umap-learn, got none; pip install umap-learn$"):
        plot.embedding(ROWS, method="umap")

    class Fake:
        def __init__(self, **how: Any) -> None:
            assert how["n_neighbors"] == 15

        def fit_transform(self, rows: np.ndarray) -> np.ndarray:
            return rows[:, :2]

    monkeypatch.setitem(sys.modules, "umap", types.SimpleNamespace(UMAP=Fake))
    ax = plot.embedding(ROWS, method="umap")
    assert ax.get_xlabel() == "UMAP 1"
    np.testing.assert_allclose(np.asarray(ax.collections[0].get_offsets()), ROWS[:, :2])


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_few_rows_are_drawn_by_pca_and_say_so(n: int) -> None:
    assert plot.embedding(ROWS[:n], method="umap").get_xlabel() == "PCA 1"


def test_numbers_become_colours_and_rare_labels_are_counted() -> None:
    ax = plot.embedding(ROWS, np.arange(60) / 2, method="pca")
    assert ax.collections[0].get_array().tolist() == (np.arange(60) / 2).tolist()
    assert ax.figure.axes[1].get_ylabel() == "value"
    assert plot.embedding(ROWS, method="pca").figure.axes[1].get_ylabel() == "row"
    many = plot.embedding(ROWS, [f"label {k}" for k in range(60)], method="pca")
    assert [text.get_text() for text in many.get_legend().get_texts()][-1] == "36 other labels"


@pytest.mark.parametrize(
    ("rows", "labels", "how", "message"),
    [
        (ROWS[0], None, {}, r"expected rows \[n_rows, n_values\], got \(16,\)"),
        (ROWS[:0], None, {}, r"got \(0, 16\)"),
        (np.full((3, 2), np.nan), None, {}, "expected finite numbers"),
        (ROWS, ["a"], {}, "expected 60 labels, one per row, got 1"),
        (ROWS, None, {"method": "t-sne"}, "one of pca, tsne, umap, got 't-sne'"),
    ],
)
def test_what_is_no_embedding_is_refused(rows: Any, labels: Any, how: Any, message: str) -> None:
    with pytest.raises(ValueError, match=rf"^plot\.embedding: .*{message}"):
        plot.embedding(rows, labels, **how)


def test_a_confusion_matrix_shows_shares_counts_and_names() -> None:
    ax = plot.confusion(EVALUATION)
    assert label_texts(ax.yaxis) == label_texts(ax.xaxis) == ["cat", "dog", "rain"]
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 1]])
    assert [text.get_text() for text in ax.texts] == ["1", "1", "2", "1"]
    by_counts = plot.confusion([[1, 1, 0], [0, 2, 0], [0, 0, 0]], ["cat", "dog", "rain"])
    assert label_texts(by_counts.yaxis) == ["cat", "dog"]  # no file is rain, and none was taken for it


def test_reliability_counts_each_score_in_its_bin() -> None:
    bins = binned(np.array([1, 0, 1, 1], dtype=bool), np.array([0.1, 0.15, 0.95, 1.0]), 10)
    assert bins.counts.tolist() == [0, 2, 0, 0, 0, 0, 0, 0, 0, 2]
    assert bins.share[[1, 9]].tolist() == [0.5, 1.0]
    assert bins.score[[1, 9]] == pytest.approx([0.125, 0.975])
    assert bins.error == pytest.approx((0.375 * 2 + 0.025 * 2) / 4)


def test_a_calibrated_model_lies_on_the_diagonal() -> None:
    scores = RNG.uniform(size=(20_000, 2))
    truth = RNG.uniform(size=scores.shape) < scores
    ax = plot.reliability(truth, scores)
    diagonal, model = ax.lines
    assert diagonal.get_label() == "calibrated"
    np.testing.assert_allclose(model.get_xdata(), model.get_ydata(), atol=0.03)
    assert ax.get_title().startswith("expected calibration error 0.0")
    assert ax.get_title().endswith("40,000 scores")
    heights = [bar.get_height() for bar in ax.patches]
    assert sum(heights) == pytest.approx(1)


def test_of_an_evaluation_with_one_label_the_highest_scores_count() -> None:
    ax = plot.reliability(EVALUATION, n_bins=2)
    (_, model) = ax.lines
    assert model.get_xdata().tolist() == pytest.approx([(0.9 + 0.6 + 0.8 + 1 + 1) / 5])
    assert model.get_ydata().tolist() == [0.8]
    several = heads.Evaluation(EVALUATION.labels, TRUTH, SCORES, multi=True)
    assert plot.reliability(several).get_title().endswith("15 scores")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot.confusion([[1, 2]], ["a"]), r"\[n_labels, n_labels\], got int64 \(1, 2\)"),
        (lambda: plot.confusion([[1.5]], ["a"]), "got float64"),
        (lambda: plot.confusion([[1]]), "expected 1 labels, got none"),
        (lambda: plot.confusion([[0]], ["a"]), "one at least above 0"),
        (lambda: plot.confusion([[-1]], ["a"]), "from 0 up"),
        (lambda: plot.confusion(heads.Evaluation(("a",), TRUTH, SCORES, multi=True)), "one label per file"),
        (lambda: plot.reliability([0, 1], [0.5, 3.0]), r"expected scores in \[0, 1\]"),
        (lambda: plot.reliability([0, 1], [0.5, np.nan]), r"expected scores in \[0, 1\]"),
        (lambda: plot.reliability([0, 1], [0.5]), r"shape \(2,\), got \(1,\)"),
        (lambda: plot.reliability([0, 2], [0.5, 0.5]), "expected the truth as 0 and 1"),
        (lambda: plot.reliability([0, 1], [0.5, 0.5], n_bins=0), "n_bins of at least 1, got 0"),
    ],
)
def test_measures_that_are_none_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=rf"^plot\.\w+: .*{message}"):
        call()
