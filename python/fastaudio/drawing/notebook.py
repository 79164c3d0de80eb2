"""What a notebook shows of a result: a small table, and a picture where matplotlib is installed."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING, Any

from fastaudio._system.extras import MissingExtra
from fastaudio._system.text import printable
from fastaudio.drawing.figures import figure, png, theme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_BAR_PX = 120
_DPI = 90


def picture(draw: Callable[[Any], object], width: float, height: float) -> bytes | None:
    """Return a PNG of such inches that `draw` draws on its axes; None if matplotlib isn't installed."""
    try:
        with theme(dark=False):
            drawn = figure(width, height, dpi=_DPI)
            draw(drawn.subplots())
            return png(drawn)
    except MissingExtra:
        return None


def text(line: str) -> str:
    """Return text as HTML that only shows it."""
    return escape(printable(line))


def text_lines(lines: str) -> str:
    """Return lines of text as HTML that only shows them."""
    return escape(printable(lines, lines=True))


def page(head: str, *parts: str, image: bytes | None = None, alt: str = "") -> str:
    """Return a title, parts that are HTML already, and a picture, as HTML."""
    found = [f"<div><b>{text(head)}</b></div>", *parts]
    if image is not None:
        data = base64.b64encode(image).decode("ascii")
        found.append(f'<img alt="{text(alt)}" src="data:image/png;base64,{data}">')
    return f"<div>{''.join(found)}</div>"


def title(name: str, result: Any, things: str, remark: str) -> str:
    """Return a line about a whole result: how many things it holds, of which file, by which model."""
    of = f" of {result.path}" if result.path else ""
    by = f", by {result.model}" if result.model else ""
    cut = ", truncated" if result.truncated else ""
    remark = f": {remark}" if remark else ""
    return f"{name}{of}{by}: {len(result)} {things}, {result.duration_s:.2f} s{cut}{remark}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, n_more: int = 0) -> str:
    """Return a table, and how many rows it leaves out; its cells are text. Without rows, it is empty."""
    if not rows:
        return ""
    heads = "".join(f"<th>{text(name)}</th>" for name in head)
    lines = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    more = f"<div>and {n_more} more</div>" if n_more else ""
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>{more}"


def scores(pairs: Iterable[tuple[str, float]], write: Callable[[float], str]) -> str:
    """Return a table of labels and scores, with a bar for each; `write` gives a score as text."""
    lines = []
    for label, score in pairs:
        width = round(_BAR_PX * min(max(score, 0.0), 1.0))
        style = f"background:#0072b2;height:0.8em;width:{width}px"
        cells = f'<td>{text(label)}</td><td>{text(write(score))}</td><td><div style="{style}"></div></td>'
        lines.append(f"<tr>{cells}</tr>")
    return f"<table><tbody>{''.join(lines)}</tbody></table>" if lines else ""
