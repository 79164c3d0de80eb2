"""Pictures of tags and events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio.events import Events
from fastaudio.tags import Tags

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def tags(
    tags: Tags, ax: Axes | None = None, *, top: int = 10, vmax: float | None = None, colorbar: bool = True
) -> Axes:
    """Draw the scores of tags over time as a heat map, and return the axes; `Tags.plot` does the same.

    Args:
        tags: what a pipeline gave for a signal, or a slice of it.
        ax: where to draw; None for a new figure of pyplot.
        top: how many labels to draw, those whose highest score is highest.
        vmax: the score at which the colours end; None for the highest one.
        colorbar: whether to add the bar that says what the colours mean.

    Raises:
        MissingExtra: matplotlib isn't installed.
        TypeError: it isn't tags.
    """
    if not isinstance(tags, Tags):
        raise TypeError(f"plot.tags: expected fastaudio.tags.Tags, got {type(tags).__name__}")
    return tags.plot(ax, top=top, vmax=vmax, colorbar=colorbar)


def events(events: Events, ax: Axes | None = None, *, top: int = 10, colorbar: bool = True) -> Axes:
    """Draw a bar for each event, one lane per label, and return the axes; `Events.plot` does the same.

    Args:
        events: what a pipeline gave for a signal.
        ax: where to draw; None for a new figure of pyplot.
        top: how many labels have lanes, those that are heard longest.
        colorbar: whether to add the bar that says what the colours mean.

    Raises:
        MissingExtra: matplotlib isn't installed.
        TypeError: it isn't events.
    """
    if not isinstance(events, Events):
        raise TypeError(f"plot.events: expected fastaudio.events.Events, got {type(events).__name__}")
    return events.plot(ax, top=top, colorbar=colorbar)
