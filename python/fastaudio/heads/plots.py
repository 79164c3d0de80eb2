"""Drawing confusion matrices and similar labels into files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._system.text import printable
from fastaudio._system.writing import check_writable, writing
from fastaudio.heads import similarity
from fastaudio.heads.extras import require

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

_INCHES_PER_LABEL, _LEAST_INCHES, _MOST_INCHES = 0.34, 3.0, 30.0
_MOST_NUMBERS = 30  # labels; with more the numbers are too small to read
_DARK = 0.6  # share from which white is easier to read


def plot_confusion(path: str | os.PathLike[str], labels: Sequence[str], confusion: NDArray[np.int64]) -> None:
    """Draw which labels (rows) were taken for which (columns); darker means a larger share of the row."""
    labels = list(map(_drawn, labels))
    rows = np.flatnonzero(confusion.sum(axis=1)).tolist()
    columns = np.flatnonzero(confusion.sum(axis=0) + confusion.sum(axis=1)).tolist()
    counts = confusion[np.ix_(rows, columns)]
    shares = counts / counts.sum(axis=1, keepdims=True)
    side = _side(len(columns))
    figure = _figure(side + 2.6, _side(len(rows)) + 1.8)
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(columns)), [labels[k] for k in columns], rotation=90)
    axes.set_yticks(range(len(rows)), [labels[k] for k in rows])
    axes.set_xlabel("taken for")
    axes.set_ylabel("label of the file")
    if len(columns) <= _MOST_NUMBERS:
        for (i, j), count in np.ndenumerate(counts):
            colour = "white" if shares[i, j] > _DARK else "black"
            if count:
                axes.text(j, i, str(count), ha="center", va="center", color=colour, fontsize=8)
    figure.colorbar(image, ax=axes, label="share of the label's files")
    _save(figure, path)


def plot_similarity(path: str | os.PathLike[str], labels: Sequence[str], matrix: NDArray[np.float64]) -> None:
    """Draw the labels' tree and, beside it, their cosines in the same order."""
    hierarchy = require("scipy.cluster.hierarchy", extra="train", what="plot_similarity")
    labels = list(map(_drawn, labels))
    side = _side(len(labels))
    figure = _figure(1.9 * side + 3.4, side + 1.8)
    tree, cosines = figure.subplots(1, 2, width_ratios=[0.8, 1])
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
    figure.colorbar(image, ax=cosines, label="cosine of the labels' weights")
    _save(figure, path)


def check(
    path: str | os.PathLike[str], *, force: bool, inputs: Iterable[str | os.PathLike[str]] = ()
) -> None:
    """Find out before the work whether a drawing could be written; arguments are those of `check_writable`.

    Raises:
        MissingExtra: matplotlib isn't installed.
        ValueError: the name ends in no format that can be drawn.
        OutputError: the file can't be written.
    """
    known = _figure(1, 1).canvas.get_supported_filetypes()
    if _format(path) not in known:
        names = ", ".join(f".{name}" for name in ("png", "svg", "pdf"))
        raise ValueError(f"{path}: expected a name that ends in one of {names}, got another")
    check_writable(path, force=force, inputs=inputs)


def _format(path: str | os.PathLike[str]) -> str:
    return Path(path).suffix.lower().removeprefix(".") or "png"


def _save(figure: Any, path: str | os.PathLike[str]) -> None:
    with writing(path, force=True) as file:
        figure.savefig(file, format=_format(path))


def _drawn(label: str) -> str:
    """Return a label as matplotlib draws it, which reads text between two $ as a formula."""
    return printable(label).replace("$", r"\$")


def _side(n_labels: int) -> float:
    return float(np.clip(_INCHES_PER_LABEL * n_labels, _LEAST_INCHES, _MOST_INCHES))


def _figure(width: float, height: float) -> Any:
    """Return a figure, which needs no display."""
    figure = require("matplotlib.figure", extra="plot", what="plot").Figure
    return figure(figsize=(width, height), dpi=120, layout="constrained")
