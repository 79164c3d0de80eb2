"""Stretches of sound that a model doesn't hear, hatched."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from fastaudio.drawing.clock import edges_of

if TYPE_CHECKING:
    from fastaudio.kinds import Heard, Kind

_COLOUR = "#9a9a9a"  # seen on light and dark pages, and on each colour of a heat map


def others(heard: Heard) -> list[tuple[float, float, Kind]]:
    """Return start and end of stretches of sound of other kinds than the model hears, and what kind it is.

    Those that follow each other and are of the same kinds are one. Silence is of no kind.
    """
    rows = heard.rows
    found: list[tuple[float, float, Kind]] = []
    if not len(rows):
        return found
    edges = edges_of(rows.times).tolist()
    for i, (start_s, end_s) in enumerate(pairwise(edges)):
        kind = None if rows.silent[i] else heard.judge.kind(rows.scores[i])
        if kind is None or kind.fits:
            continue
        goes_on = found and found[-1][1] == start_s and found[-1][2].reached == kind.reached
        found.append((found.pop()[0] if goes_on else start_s, end_s, kind))
    return found


def hatch(ax: Any, heard: Heard, until_s: float) -> None:
    """Hatch stretches of sound that the model doesn't hear, and say above the axes what they are.

    What is drawn of the model's results ends at `until_s`.
    """
    spans = [span for span in others(heard) if span[0] < until_s]
    if not spans:
        return
    for start_s, end_s, _ in spans:
        ax.axvspan(start_s, end_s, facecolor="none", edgecolor=_COLOUR, hatch="///", linewidth=0)
    lasting_s: dict[str, float] = defaultdict(float)
    for start_s, end_s, kind in spans:
        for name in kind.reached:
            lasting_s[name] += end_s - start_s
    names = sorted(lasting_s, key=lambda name: -lasting_s[name])
    text = ", ".join([*names, f"not {heard.judge.wanted}"])
    ax.set_title(f"hatched: {text}", loc="left", fontsize="small")
