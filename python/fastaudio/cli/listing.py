"""A table of models: to the terminal's width, and in JSON for programs that read it."""

from __future__ import annotations

import re
import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from fastaudio._system.text import printable
from fastaudio.cli.terminal import terminal_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TITLES = ("name", "hears", "kHz", "window", "MB", "licence")
_WIDEST = 40
_INDENT = "  "


@dataclass(frozen=True)
class Listed:
    """What a list says of a model; None for what isn't known.

    Attributes:
        name: its name.
        hears: what it hears, in a few words.
        sample_rate: the rate at which it takes sound, in Hz.
        window_s: seconds of sound that its network takes at once.
        size_bytes: size of its networks' files.
        about_size: that size in words, if only about so much is known.
        licence: of its weights.
        here: whether it is here, and not to be fetched.
        default: whether it is used if none is named.
        note: what else must be said.
    """

    name: str
    hears: str = ""
    sample_rate: int | None = None
    window_s: float | None = None
    size_bytes: int | None = None
    about_size: str = ""
    licence: str = ""
    here: bool = True
    default: bool = False
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)


def width(otherwise: int) -> int:
    """Return the columns of the terminal; `otherwise` if the output goes elsewhere and COLUMNS isn't set."""
    return terminal_size()[0] or otherwise


def table(models: Iterable[Listed], n_columns: int = 0) -> str:
    """Return a line for each model, or more where `n_columns` are few; 0 for as many as it needs."""
    rows = [_cells(one) for one in models]
    if not rows:
        return ""
    widths = [max(map(len, column)) for column in zip(_TITLES, *rows, strict=True)]
    others = sum(widths) - widths[1] + len(_INDENT) * len(widths)
    widths[1] = min(widths[1], _WIDEST, n_columns - others if n_columns else _WIDEST)
    if n_columns and widths[1] < max(len(word) for row in rows for word in re.split(r"[ -]", row[1])):
        return "".join(_below(row, n_columns) for row in rows)
    return "".join(_beside(row, widths) for row in [_TITLES, *rows])


def _cells(one: Listed) -> tuple[str, ...]:
    rate = "?" if one.sample_rate is None else f"{one.sample_rate / 1000:g}"
    window = "?" if one.window_s is None else f"{one.window_s:.2g} s"
    size = one.about_size.removesuffix(" MB") if one.size_bytes is None else f"{one.size_bytes / 1e6:.1f}"
    hears = printable(" ".join(one.hears.split()))
    if one.note and not one.hears:
        return printable(one.name), f"({printable(one.note)})", "", "", "", ""
    name = f"{one.name} (default)" if one.default else f"{one.name} *" if one.note else one.name
    return printable(name), hears, rate, window, size or "?", printable(one.licence) or "?"


def _beside(row: Sequence[str], widths: Sequence[int]) -> str:
    """Return a row whose second cell takes as many lines as it needs."""
    if not any(row[2:]):  # only a note, which is for reading whole
        return f"{_INDENT}{row[0]:<{widths[0]}}{_INDENT}{row[1]}\n"
    parts = textwrap.wrap(row[1], widths[1]) or [""]
    lines = [
        _INDENT.join(f"{cell:<{n}}" for cell, n in zip((row[0], parts[0], *row[2:]), widths, strict=True))
    ]
    lines += [" " * (widths[0] + len(_INDENT)) + part for part in parts[1:]]
    return "".join(f"{_INDENT}{line}".rstrip() + "\n" for line in lines)


def _below(row: Sequence[str], n_columns: int) -> str:
    """Return a row as its name and lines below it."""
    units = ("", " kHz", "", " MB", "")
    told = ", ".join(cell + unit for cell, unit in zip(row[1:], units, strict=True) if cell)
    lines = textwrap.wrap(told, max(n_columns - 6, 20), break_on_hyphens=False)
    return f"{_INDENT}{row[0]}\n" + "".join(f"      {line}\n" for line in lines)
