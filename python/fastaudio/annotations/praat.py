"""TextGrids of Praat: a tier for each label, whose intervals are its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio.annotations.event import end_of
from fastaudio.annotations.tables import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastaudio.annotations.event import Event

_SHORTEST_S = 1e-6  # of a grid and an interval: Praat reads none without length
_NO_TIER = "events"  # where there is no event: Praat reads no grid without a tier


def text_grid(events: Iterable[Event], duration_s: float) -> str:
    """Return events as a TextGrid in Praat's long text form.

    Each label that is heard has a tier of intervals, in the order in which labels are first heard. Where
    events of one label overlap, as those of overlapping windows may, the later one lies in another tier,
    `dog (2)`.

    Args:
        events: the events, sorted by start.
        duration_s: length of the sound.

    Raises:
        ValueError: an event goes on.
    """
    tiers = _tiers(events)
    longest_s = max([duration_s, _SHORTEST_S, *(end_s for tier in tiers.values() for _, end_s, _ in tier)])
    span = [f"xmin = {0:.6f}", f"xmax = {longest_s:.6f}"]
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", *span, "tiers? <exists>"]
    lines += [f"size = {max(len(tiers), 1)}", "item []:"]
    for i, (name, tier) in enumerate((tiers or {_NO_TIER: []}).items(), start=1):
        intervals = _with_gaps(tier, longest_s)
        lines += [f"    item [{i}]:", '        class = "IntervalTier"', f"        name = {_quoted(name)}"]
        lines += [f"        {line}" for line in (*span, f"intervals: size = {len(intervals)}")]
        for k, (start_s, end_s, text) in enumerate(intervals, start=1):
            lines.append(f"        intervals [{k}]:")
            lines += [f"            xmin = {start_s:.6f}", f"            xmax = {end_s:.6f}"]
            lines.append(f"            text = {_quoted(text)}")
    return "\n".join(lines) + "\n"


def _tiers(events: Iterable[Event]) -> dict[str, list[tuple[float, float, str]]]:
    """Return start, end and label of the events of each tier, by its name."""
    tiers: dict[str, list[tuple[float, float, str]]] = {}
    for event in events:
        label, start_s = one_line(event.label), round(event.start_s, 6)
        end_s = max(round(end_of(event), 6), start_s + _SHORTEST_S)
        n, name = 1, label
        while tiers.get(name) and tiers[name][-1][1] > start_s:
            n += 1
            name = f"{label} ({n})"
        tiers.setdefault(name, []).append((start_s, end_s, label))
    return tiers


def _with_gaps(tier: list[tuple[float, float, str]], longest_s: float) -> list[tuple[float, float, str]]:
    """Return the intervals of a whole tier: Praat wants them from end to end, without gaps."""
    whole: list[tuple[float, float, str]] = []
    at_s = 0.0
    for start_s, end_s, text in tier:
        whole += [(at_s, start_s, ""), (start_s, end_s, text)]
        at_s = end_s
    whole.append((at_s, longest_s, ""))
    return [one for one in whole if one[1] - one[0] > _SHORTEST_S / 2]


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
