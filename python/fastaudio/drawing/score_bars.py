"""The scores of one window as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastaudio.drawing.figures import accent, font_size, note, shown

if TYPE_CHECKING:
    from collections.abc import Sequence


def score_bars(ax: Any, best: Sequence[tuple[str, float]], silent: bool) -> None:
    """Draw labels and their scores as horizontal bars, in this order from above."""
    ax.set_yticks([])
    ax.set_xlabel("score")
    if not best:
        note(ax, "silence" if silent else "no score is finite")
        return
    names, scores = zip(*best, strict=True)
    ax.barh(range(len(best)), scores, color=accent(ax))
    ax.set_yticks(range(len(best)), list(map(shown, names)), fontsize=font_size(ax, len(best)))
    ax.set_ylim(len(best) - 0.5, -0.5)
    ax.set_xlim(min(0.0, *scores), max(1.0, *scores))
