"""Pictures of embeddings."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from fastaudio.drawing.figures import axes
from fastaudio.drawing.points import NAMES, Method, on_plane, points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray


def embedding(
    rows: NDArray[np.floating],
    labels: Sequence[str] | NDArray[np.generic] | None = None,
    ax: Axes | None = None,
    *,
    method: Method | None = None,
) -> Axes:
    """Draw embeddings as points, those alike near each other, and return the axes.

    Labels have both a colour and a shape; the 24 that occur most often are named. The same rows give the same
    picture.

    Args:
        rows: [n_rows, n_values].
        labels: a label for each row, or a number, which becomes a colour; None to colour rows by their order.
        ax: where to draw; None for a new figure of pyplot.
        method: "pca", which NumPy computes; "tsne", which needs scikit-learn; "umap", which needs umap-learn.
            None takes t-SNE where scikit-learn is installed, and otherwise PCA. The axes say which it was.

    Raises:
        MissingExtra: matplotlib or the method's package isn't installed.
        ValueError: rows of another shape or not finite, a wrong number of labels, or no such method.
    """
    values = np.asarray(rows)
    if values.ndim != 2 or not values.size:  # noqa: PLR2004
        raise ValueError(f"plot.embedding: expected rows [n_rows, n_values], got {values.shape}")
    if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise ValueError("plot.embedding: expected finite numbers, got others; leave out rows with NaN")
    if labels is not None and len(labels) != len(values):
        raise ValueError(f"plot.embedding: expected {len(values)} labels, one per row, got {len(labels)}")
    if method is not None and method not in NAMES:
        raise ValueError(f"plot.embedding: expected method as one of {', '.join(NAMES)}, got {method!r:.80}")
    if method is None:
        method = "tsne" if find_spec("sklearn") else "pca"
    ax = axes(ax, "plot.embedding", size=(7, 5))
    plane, used = on_plane(values, method)
    points(ax, plane, labels, NAMES[used])
    return ax
