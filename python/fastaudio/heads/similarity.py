"""Similarity of labels, judged by a head's weights as Kumar et al. (Interspeech 2021) do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.heads.extras import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio.heads.classifier import Classifier


def cosines(classifier: Classifier) -> NDArray[np.float64]:
    """Return the cosines between the labels' weights in the last layer, [n_labels, n_labels]."""
    vectors = classifier.layers[-1][0].T
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(lengths > 0, lengths, 1)
    matrix: NDArray[np.float64] = np.clip(unit @ unit.T, -1, 1)
    np.fill_diagonal(matrix, 1)
    return matrix


def cluster(matrix: NDArray[np.float64]) -> Any:
    """Return SciPy's linkage of the labels, by average distance 1 - cosine."""
    hierarchy = require("scipy.cluster.hierarchy", extra="train", what="similarity")
    upper = np.triu_indices(len(matrix), k=1)
    return hierarchy.linkage(1 - matrix[upper], method="average", optimal_ordering=True)


def order(matrix: NDArray[np.float64]) -> list[int]:
    """Return the labels' indices in an order that puts similar ones side by side."""
    hierarchy = require("scipy.cluster.hierarchy", extra="train", what="similarity")
    return [int(k) for k in hierarchy.leaves_list(cluster(matrix))]
