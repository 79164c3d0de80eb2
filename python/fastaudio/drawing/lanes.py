"""Events as bars, one lane per label."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastaudio._system.extras import require
from fastaudio.drawing.clock import time_axis
from fastaudio.drawing.figures import bar, colours, font_size, is_dark, note, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

Span: TypeAlias = tuple[float, float, float]
"""Start and end of a bar, and its value."""

_HALF = 0.4  # of a bar's height; lanes are 1 high
_BARS_ACROSS = 4096  # gaps that are shorter than such a part of the axis aren't seen


def joined(spans: Iterable[Span], gap_s: float) -> list[Span]:
    """Return spans in order, those joined that lie less than `gap_s` apart; the highest value counts."""
    found: list[Span] = []
    for start, end, value in sorted(spans):
        if found and start - found[-1][1] < gap_s:
            before = found.pop()
            found.append((before[0], max(before[1], end), max(before[2], value)))
        else:
            found.append((start, end, value))
    return found


def lanes(
    ax: Any,
    events: Iterable[tuple[str, Span]],
    limits: tuple[float, float],
    *,
    top: int,
    empty: str,
    colorbar: bool = True,
) -> None:
    """Draw a bar for each event, in the lane of its label; its colour is its score.

    The `top` labels that last longest have lanes, the longest above. `limits` are those of the axis of time;
    without an event, the axes say `empty`.
    """
    time_axis(ax, *limits)
    ax.set_yticks([])
    of: dict[str, list[Span]] = defaultdict(list)
    for label, span in events:
        of[label].append(span)
    if not of:
        note(ax, empty)
        return
    names = sorted(of, key=lambda label: -sum(end - start for start, end, _ in of[label]))[: max(top, 1)]
    gap_s = (limits[1] - limits[0]) / _BARS_ACROSS
    bars = [(lane, *span) for lane, name in enumerate(names) for span in joined(of[name], gap_s)]
    lane, start, end, score = np.array(bars).T
    corners = [(start, lane - _HALF), (start, lane + _HALF), (end, lane + _HALF), (end, lane - _HALF)]
    drawn = require("matplotlib.collections", extra="plot", what="plot").PolyCollection(
        np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1),
        array=score,
        cmap=colours("viridis" if is_dark(ax) else "viridis_r"),  # high scores stand out from the page
        edgecolor="face",  # so that an event narrower than a pixel is seen
        linewidth=1.0,
    )
    low, high = min(0.0, float(score.min())), float(score.max())
    drawn.set_clim(low, high if high > low else low + 1)
    ax.add_collection(drawn, autolim=False)
    ax.set_yticks(range(len(names)), [shown(name) for name in names], fontsize=font_size(ax, len(names)))
    ax.set_ylim(len(names) - 0.5, -0.5)
    if len(of) > len(names):
        ax.set_title(f"{len(names)} of {len(of)} labels, those heard longest", loc="right", fontsize="small")
    if colorbar:
        bar(ax, drawn, "peak score")
