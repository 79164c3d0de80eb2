"""Lists of names with what each is: to the terminal's width, or a line each for programs that read them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from fastaudio._system.text import printable
from fastaudio.cli.terminal import terminal_size

if TYPE_CHECKING:
    from collections.abc import Iterable

_LINES = 3  # of a terminal, for a description
_LONGEST = 500  # characters of one elsewhere
_NARROWEST = 40  # columns beside the names
_CUT = " ..."


def width(otherwise: int) -> int:
    """Return the columns of the terminal; `otherwise` if the output goes elsewhere and COLUMNS isn't set."""
    return terminal_size()[0] or otherwise


def descriptions(items: Iterable[tuple[str, str, str]]) -> str:
    """Return the lines of names, descriptions and notes; a description may be cut, between words.

    Where there isn't room beside the names, descriptions stand below them.
    """
    items = [(printable(name), printable(" ".join(text.split())), note) for name, text, note in items]
    columns = width(0)
    names = max((len(name) for name, _, _ in items), default=0)
    beside = not columns or columns - names - 4 >= _NARROWEST
    indent = names + 4 if beside else 6
    lines = []
    for name, description, note in items:
        found = _lines(description, note, columns - indent if columns else 0)
        first = [] if beside else [f"  {name}"]
        if beside:
            first = [f"  {name:<{names}}  {found.pop(0)}"]
        lines += [*first, *(" " * indent + line for line in found)]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _lines(description: str, note: str, room: int) -> list[str]:
    tail = [f"({note})"] if note else []
    if not room:
        return [
            " ".join(
                [*([textwrap.shorten(description, _LONGEST, placeholder=_CUT)] if description else []), *tail]
            )
        ]
    found = textwrap.wrap(description, max(room, 10), max_lines=_LINES, placeholder=_CUT)
    if tail and found and len(found[-1]) + 1 + len(tail[0]) <= room:
        return [*found[:-1], f"{found[-1]} {tail[0]}"]
    return found + tail or [""]
