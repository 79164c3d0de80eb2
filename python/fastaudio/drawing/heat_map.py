"""Scores over time as a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.drawing.clock import edges_of, time_axis
from fastaudio.drawing.figures import bar, colours, font_size, note, shown
from fastaudio.drawing.thinning import thinned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def highest_first(scores: NDArray[np.float32], top: int) -> list[int]:
    """Return the indices of the `top` labels whose highest score is highest; NaN is no score."""
    if not len(scores):
        return []
    peaks = np.fmax.reduce(scores, axis=0)
    order: list[int] = np.argsort(-np.nan_to_num(peaks, nan=-np.inf), kind="stable").tolist()
    return [k for k in order if not np.isnan(peaks[k])][: max(top, 0)]


def heat_map(
    ax: Any,
    scores: NDArray[np.float32],
    times: NDArray[np.float64],
    labels: Sequence[str],
    limits: tuple[float, float],
    *,
    top: int,
    empty: str,
    vmax: float | None = None,
    colorbar: bool = True,
) -> None:
    """Draw scores [n_windows, n_labels] at `times` [n_windows, 2]; what is NaN, such as silence, is grey.

    The best `top` labels are drawn, the best one above. `limits` are those of the axis of time, and colours
    end at `vmax`, or the highest score. Without any score, the axes say `empty`.
    """
    time_axis(ax, *limits)
    scores = np.where(np.isfinite(scores), scores, np.nan)
    best = highest_first(scores, top)
    ax.set_yticks([])
    if not best:
        if len(scores):
            ax.set_facecolor(colours("viridis").get_bad())
        note(ax, empty)
        return
    edges = edges_of(times)
    values, step = thinned(scores[:, best])
    edges = np.append(edges[:-1][::step], edges[-1])
    low, high = min(0.0, float(np.nanmin(values))), float(np.nanmax(values)) if vmax is None else vmax
    drawn = ax.pcolormesh(
        edges,
        np.arange(len(best) + 1) - 0.5,
        np.ma.masked_invalid(values.T),
        cmap=colours("viridis"),
        vmin=low,
        vmax=high if high > low else low + 1,
        rasterized=True,
    )
    ax.set_yticks(range(len(best)), [shown(labels[k]) for k in best], fontsize=font_size(ax, len(best)))
    ax.set_ylim(len(best) - 0.5, -0.5)
    ax.set_xlim(*limits)
    if colorbar:
        grey = np.isnan(values).any()
        bar(ax, drawn, "score (grey: silent)" if grey else "score")
