"""Figures, axes and files of pictures. matplotlib is imported when the first is made."""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._system.extras import require
from fastaudio._system.text import printable
from fastaudio._system.writing import check_writable, writing

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

NO_NUMBER = "0.6"
"""The grey of what has no number, such as silence."""

_LONGEST = 32  # characters of a label
_MIDDLE = 0.5  # brightness
_DARK_PAGE, _DARK_INK = "#0d1117", "#e6edf3"
_LIGHT_INK = "#24292f"


def axes(ax: Any, what: str, *, size: tuple[float, float] = (9, 3)) -> Any:
    """Return `ax`, or if it is None the axes of a new figure of pyplot, `size` inches wide and high.

    Raises:
        MissingExtra: matplotlib isn't installed.
        TypeError: `ax` isn't one pair of axes.
    """
    if ax is None:
        pyplot = require("matplotlib.pyplot", extra="plot", what=what)
        return pyplot.subplots(figsize=size, layout="constrained")[1]
    if not hasattr(ax, "pcolormesh") or not hasattr(ax, "xaxis"):
        remedy = (
            "pass one element of it" if hasattr(ax, "__len__") else "pass axes, such as figure.subplots()"
        )
        raise TypeError(f"{what}: expected ax as matplotlib's axes, got {type(ax).__name__}; {remedy}")
    return ax


def figure(width: float, height: float, *, dpi: float = 100, what: str = "plot") -> Any:
    """Return a figure of such inches, which needs no display."""
    made = require("matplotlib.figure", extra="plot", what=what).Figure
    return made(figsize=(width, height), dpi=dpi, layout="constrained")


@contextmanager
def theme(*, dark: bool) -> Iterator[None]:
    """Draw what is made within on a dark or a white page, whatever the program's style is."""
    matplotlib = require("matplotlib", extra="plot", what="plot")
    ink, page = (_DARK_INK, _DARK_PAGE) if dark else (_LIGHT_INK, "white")
    inks = (
        "text.color",
        "axes.edgecolor",
        "axes.labelcolor",
        "axes.titlecolor",
        "xtick.color",
        "ytick.color",
    )
    pages = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    colours = dict.fromkeys(inks, ink) | dict.fromkeys(pages, page)
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(colours | {"axes.spines.right": False, "axes.spines.top": False})
        yield


def is_dark(ax: Any) -> bool:
    """Tell whether the axes stand on a dark page."""
    red, green, blue = require("matplotlib.colors", extra="plot", what="plot").to_rgb(ax.get_facecolor())
    return bool(0.299 * red + 0.587 * green + 0.114 * blue < _MIDDLE)


def accent(ax: Any) -> str:
    """Return a blue that stands out from the page; it is one that colour-blind readers tell from others."""
    return "#56b4e9" if is_dark(ax) else "#0072b2"


def colours(name: str) -> Any:
    """Return a colour map in which what has no number is grey."""
    maps = require("matplotlib", extra="plot", what="plot").colormaps
    return maps[name].with_extremes(bad=NO_NUMBER)


def bar(ax: Any, drawn: Any, label: str) -> None:
    """Add the bar that says what the colours mean."""
    ax.figure.colorbar(drawn, ax=ax, label=label, pad=0.01, fraction=0.05, aspect=18)


def note(ax: Any, text: str) -> None:
    """Say in the middle of the axes why nothing is drawn."""
    ax.text(0.5, 0.5, shown(text, most=120), ha="center", va="center", transform=ax.transAxes)


def shown(label: str, *, most: int = _LONGEST) -> str:
    """Return a label as matplotlib draws it: short, and no formula, which it reads between two $."""
    text = printable(label)
    text = text if len(text) <= most else text[: most - 3] + "..."
    return text.replace("$", r"\$")


def font_size(ax: Any, n_lines: int) -> float:
    """Return the size in points at which so many lines fit the height of the axes."""
    height = ax.get_position().height * ax.figure.get_size_inches()[1] * 72
    return float(min(10.0, max(4.0, height / max(n_lines, 1))))


def check(
    path: str | os.PathLike[str], *, force: bool, inputs: Iterable[str | os.PathLike[str]] = ()
) -> None:
    """Find out before the work whether a picture could be written; arguments are those of `check_writable`.

    Raises:
        MissingExtra: matplotlib isn't installed.
        ValueError: the name ends in no format that can be drawn.
        OutputError: the file can't be written.
    """
    known = figure(1, 1).canvas.get_supported_filetypes()
    if _format(path) not in known:
        names = ", ".join(f".{name}" for name in ("png", "svg", "pdf"))
        raise ValueError(f"{path}: expected a name that ends in one of {names}, got another")
    check_writable(path, force=force, inputs=inputs)


def save(drawn: Any, path: str | os.PathLike[str], *, force: bool = True) -> None:
    """Write a figure into a file, in the format that its name ends in, or else PNG."""
    with _any_letters(), writing(path, force=force) as file:
        drawn.savefig(file, format=_format(path))


def png(drawn: Any) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    file = io.BytesIO()
    with _any_letters():
        drawn.savefig(file, format="png")
    return file.getvalue()


@contextmanager
def _any_letters() -> Iterator[None]:
    """Let letters that the font lacks be drawn as boxes, without a warning for each."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        yield


def _format(path: str | os.PathLike[str]) -> str:
    return Path(path).suffix.lower().removeprefix(".") or "png"
