"""Rows as points on a plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from fastaudio._system.extras import MissingExtra, require
from fastaudio.drawing.figures import bar, colours, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Method: TypeAlias = Literal["pca", "tsne", "umap"]

NAMES: dict[str, str] = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}

_PERPLEXITY = 30.0
_FEWEST = 5  # rows, for t-SNE and UMAP
_MANY = 1000  # rows from which t-SNE is faster with several threads
# Okabe and Ito's colours, which colour-blind readers tell apart on white and on black; shapes tell more.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#999999")
_SHAPES = "osD^vPX*"
_MOST_LABELS = 24


def on_plane(rows: NDArray[Any], method: Method) -> tuple[NDArray[np.float64], Method]:
    """Return rows [n, d] on a plane, [n, 2], and the method: PCA for rows too few for another.

    Raises:
        MissingExtra: the package that `method` needs isn't installed.
    """
    rows = rows.astype(np.float64)
    if method == "tsne" and len(rows) >= _FEWEST:
        manifold = require("sklearn.manifold", extra="train", what="plot.embedding")
        perplexity = min(_PERPLEXITY, (len(rows) - 1) / 3)
        how = manifold.TSNE(2, perplexity=perplexity, init="pca", random_state=0)
        # With few rows several threads wait for each other; on a busy machine that takes minutes.
        threads = require("threadpoolctl", extra="train", what="plot.embedding").threadpool_limits
        with threads(1 if len(rows) < _MANY else None):
            return np.asarray(how.fit_transform(rows), dtype=np.float64), method
    if method == "umap" and len(rows) >= _FEWEST:
        try:
            umap = require("umap", extra="plot", what="plot.embedding")
        except MissingExtra as error:
            raise MissingExtra(
                "plot.embedding: expected umap-learn, got none; pip install umap-learn"
            ) from error
        how = umap.UMAP(n_components=2, n_neighbors=min(15, len(rows) - 1), random_state=0)
        return np.asarray(how.fit_transform(rows), dtype=np.float64), method
    return _principal(rows), "pca"


def _principal(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = rows - rows.mean(axis=0)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((len(rows), 2))
    n = min(2, len(lengths))
    plane[:, :n] = left[:, :n] * lengths[:n]
    # The sign of a component is any; this one doesn't depend on the library.
    signs = np.sign(plane[np.abs(plane).argmax(axis=0), range(2)])
    return plane * np.where(signs == 0, 1, signs)


def points(
    ax: Any, plane: NDArray[np.float64], labels: Sequence[str] | NDArray[Any] | None, name: str
) -> None:
    """Draw points [n, 2]: a colour and a shape per label, or colours for numbers, or for their order."""
    ax.set(xlabel=f"{name} 1", ylabel=f"{name} 2", xticks=[], yticks=[])
    size = float(np.clip(2000 / max(len(plane), 1), 6, 36))
    values = np.arange(len(plane)) if labels is None else np.asarray(labels)
    if values.dtype.kind in "biuf":
        drawn = ax.scatter(*plane.T, c=values, s=size, cmap=colours("viridis"))
        bar(ax, drawn, "row" if labels is None else "value")
        return
    names, counts = np.unique(values.astype(str), return_counts=True)
    first = np.sort(names[np.argsort(-counts, kind="stable")[:_MOST_LABELS]])
    all_drawn = []
    for k, label in enumerate(first):
        here = values.astype(str) == label
        style = {"color": _COLOURS[k % len(_COLOURS)], "marker": _SHAPES[k % len(_SHAPES)]}
        all_drawn.append(ax.scatter(*plane[here].T, s=size, label=shown(label), **style))
    rest = ~np.isin(values.astype(str), first)
    if rest.any():
        others = f"{len(names) - len(first)} other labels"
        small = {"s": size / 2, "color": "0.6", "marker": "."}
        all_drawn.append(ax.scatter(*plane[rest].T, label=others, **small))
    told = [one.get_label() for one in all_drawn]  # by itself a legend leaves out names that begin with "_"
    ax.legend(all_drawn, told, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small", frameon=False)
