"""A picture of a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio.drawing.boxes import boxes
from fastaudio.drawing.figures import axes
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def diagram(pipeline: Pipeline, ax: Axes | None = None) -> Axes:
    """Draw what a pipeline is made of, from sound to results, and return the axes.

    There is a box for each node, with branches side by side. The arrows say what flows: the rows' rate,
    shape and unit, as `print(pipeline)` does.

    Args:
        pipeline: the pipeline.
        ax: where to draw; None for a new figure of pyplot as large as the diagram needs.

    Raises:
        MissingExtra: matplotlib isn't installed.
        TypeError: it isn't a pipeline.
    """
    if not isinstance(pipeline, Pipeline):
        got = type(pipeline).__name__
        raise TypeError(f"plot.diagram: expected a Pipeline, got {got}; wrap a node: Pipeline(node)")
    plan = pipeline.plan()
    ax = axes(ax, "plot.diagram", size=(plan.width + 1, plan.height + 0.6))
    boxes(ax, plan)
    return ax
