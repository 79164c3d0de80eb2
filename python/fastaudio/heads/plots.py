"""Drawing confusion matrices and similar labels into files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastaudio.drawing.figures import check, figure, save, shown
from fastaudio.drawing.matrix import confusion as draw_confusion
from fastaudio.drawing.matrix import side, size_of
from fastaudio.drawing.points import NAMES, on_plane
from fastaudio.heads import similarity
from fastaudio.heads.extras import require

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["check", "plot_confusion", "plot_labels", "plot_similarity"]

_DPI = 120


def plot_confusion(path: str | os.PathLike[str], labels: Sequence[str], confusion: NDArray[np.int64]) -> None:
    """Draw which labels (rows) were taken for which (columns); darker means a larger share of the row."""
    drawn = figure(*size_of(confusion), dpi=_DPI)
    draw_confusion(drawn.add_subplot(), labels, confusion)
    save(drawn, path)


def plot_labels(path: str | os.PathLike[str], labels: Sequence[str], vectors: NDArray[np.float64]) -> None:
    """Draw labels as named points, those with similar vectors [n_labels, n_values] near each other."""
    plane, used = on_plane(vectors, "tsne")
    drawn = figure(8, 6, dpi=_DPI)
    ax = drawn.add_subplot()
    ax.scatter(*plane.T, s=16)
    for label, at in zip(labels, plane, strict=True):
        ax.annotate(shown(label), at, xytext=(4, 3), textcoords="offset points", fontsize=8)
    ax.set(xlabel=f"{NAMES[used]} 1", ylabel=f"{NAMES[used]} 2", xticks=[], yticks=[])
    ax.margins(0.12)
    save(drawn, path)


def plot_similarity(path: str | os.PathLike[str], labels: Sequence[str], matrix: NDArray[np.float64]) -> None:
    """Draw the labels' tree and, beside it, their cosines in the same order."""
    hierarchy = require("scipy.cluster.hierarchy", extra="train", what="plot_similarity")
    labels = list(map(shown, labels))
    inches = side(len(labels))
    drawn_on = figure(1.9 * inches + 3.4, inches + 1.8, dpi=_DPI)
    tree, cosines = drawn_on.subplots(1, 2, width_ratios=[0.8, 1])
    drawn = hierarchy.dendrogram(
        similarity.cluster(matrix), ax=tree, orientation="left", labels=list(labels), leaf_font_size=9
    )
    tree.invert_yaxis()
    tree.set_xlabel("1 - cosine")
    tree.spines[["top", "right", "left"]].set_visible(False)
    order = drawn["leaves"]
    # The cosine of a label with itself is always 1, so the colours span the others.
    others = np.abs(matrix[~np.eye(len(matrix), dtype=bool)]).max()
    image = cosines.imshow(matrix[np.ix_(order, order)], cmap="RdBu_r", vmin=-others, vmax=others)
    names = [labels[k] for k in order]
    cosines.set_xticks(range(len(names)), names, rotation=90)
    cosines.set_yticks(range(len(names)), names)
    drawn_on.colorbar(image, ax=cosines, label="cosine of the labels' weights")
    save(drawn_on, path)
