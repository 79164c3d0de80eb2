"""A picture of what a scan heard: hours per day, per label and per folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastaudio.drawing.figures import accent, figure, font_size, note, shown, theme
from fastaudio.summarizing.hours import HOUR_S, MINUTE_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from fastaudio.summarizing.hours import Summary

SIZE_PX = (1200, 800)

_DPI = 100
_MOST_TICKS = 8


def picture(
    summary: Summary,
    title: str = "",
    *,
    top: int = 15,
    dark: bool = False,
    size_px: tuple[int, int] = SIZE_PX,
) -> Figure:
    """Draw a summary's hours per day, above, and per label and folder, below.

    Args:
        summary: what to draw.
        title: what stands above, such as the scan's name.
        top: how many labels and folders to draw, those with the most hours.
        dark: whether to draw on a dark page.
        size_px: width and height in pixels.

    Returns:
        A figure of matplotlib.

    Raises:
        MissingExtra: matplotlib isn't installed.
    """
    with theme(dark=dark):
        drawn: Figure = figure(size_px[0] / _DPI, size_px[1] / _DPI, dpi=_DPI, what="summarize")
        grid: Any = drawn.add_gridspec(2, 2)
        whole = summary.whole
        unit = ("hours", HOUR_S) if whole.sound_s >= HOUR_S else ("minutes", MINUTE_S)
        head = f"{whole.n_files:,} files, {whole.sound_s / unit[1]:,.1f} {unit[0]} of sound"
        drawn.suptitle(f"{shown(title, most=80)}   {head}" if title else head, x=0.01, ha="left")
        _days(drawn.add_subplot(grid[0, :]), summary, *unit)
        folders = sorted(summary.folders.items(), key=lambda pair: (-pair[1].sound_s, pair[0]))
        panels = [("folder", [(name, group.sound_s) for name, group in folders])]
        if summary.thresholds:
            panels.insert(0, ("label", whole.most_heard()))
        for i, (what, pairs) in enumerate(panels):
            place = grid[1, i] if len(panels) > 1 else grid[1, :]
            _bars(drawn.add_subplot(place), what, pairs[:top], len(pairs), unit)
    return drawn


def _days(ax: Any, summary: Summary, unit: str, unit_s: float) -> None:
    days = {name: group for name, group in summary.days.items() if name}
    sources = ", ".join(f"{name} ({n:,})" for name, n in summary.days_from.most_common())
    ax.set_title(f"{unit} per day, from {sources}", loc="left", fontsize=10)
    ax.set_ylabel(unit)
    if not days:
        note(ax, "no day is known")
        return
    ax.bar(range(len(days)), [group.sound_s / unit_s for group in days.values()], color=accent(ax))
    step = -(-len(days) // _MOST_TICKS)
    names = list(days)
    ax.set_xticks(range(0, len(days), step), names[::step])
    ax.set_xlim(-0.6, len(days) - 0.4)


def _bars(
    ax: Any, what: str, pairs: Sequence[tuple[str, float]], n_all: int, units: tuple[str, float]
) -> None:
    unit, unit_s = units
    more = f" (the first {len(pairs)} of {n_all:,})" if n_all > len(pairs) else ""
    ax.set_title(f"{unit} per {what}{more}", loc="left", fontsize=10)
    ax.set_xlabel(unit)
    if not pairs:
        note(ax, f"no {what} is heard")
        return
    ax.barh(range(len(pairs)), [value_s / unit_s for _, value_s in pairs], color=accent(ax))
    names = [shown(name if what == "label" else _end(name)) for name, _ in pairs]
    ax.set_yticks(range(len(pairs)), names, fontsize=font_size(ax, len(pairs)))
    ax.set_ylim(len(pairs) - 0.5, -0.5)


def _end(folder: str) -> str:
    """Return a folder's last parts, which tell folders apart."""
    return folder if len(folder) <= 32 else f"...{folder[-29:]}"  # noqa: PLR2004
