"""Lines at the bottom of a terminal that are drawn again and again, while text scrolls by above them."""

from __future__ import annotations

import os
import sys
import threading
import unicodedata
from typing import TYPE_CHECKING

from fastaudio.cli.terminal import terminal_size

if TYPE_CHECKING:
    from collections.abc import Sequence

_UP, _CLEAR_LINE, _CLEAR_BELOW = "\x1b[{}A", "\x1b[K", "\x1b[J"
_PARTS = " ▏▎▍▌▋▊▉█"
_USUAL = (80, 24)
_WINDOWS_STDOUT, _WINDOWS_SEQUENCES = -11, 7


def fit(text: str, width: int) -> str:
    """Return text that takes exactly `width` columns: cut, or with spaces after it."""
    taken, columns = [], 0
    for char in text:
        wide = _columns(char)
        if columns + wide > width:
            break
        taken.append(char)
        columns += wide
    return "".join(taken) + " " * (width - columns)


def columns_of(text: str) -> int:
    """Return how many columns of a terminal some text takes."""
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def bar(part: float, width: int, *, plain: bool = False) -> str:
    """Return a bar that fills a part of `width` columns, of eighths of one, or of # if `plain`."""
    part = min(max(part, 0.0), 1.0)
    if plain:
        return "#" * round(part * width)
    eighths = round(part * width * 8)
    return "█" * (eighths // 8) + _PARTS[eighths % 8].strip()


class Board:
    """Draws lines on stdout, in place of those that it drew before; any thread may write above them.

    No line is wider than the terminal, so that they stay where they are; what the terminal wraps when it is
    made narrower is taken into account.

    Attributes:
        plain: whether the terminal has no characters for bars.
    """

    def __init__(self) -> None:
        _let_windows_draw()
        self._lock = threading.RLock()
        self._drawn: list[int] = []  # columns of each line
        self._lines: Sequence[str] = ()
        self._width = 0
        self.plain = not _has(_PARTS)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows that lines may take."""
        columns, rows = (got or usual for got, usual in zip(terminal_size(), _USUAL, strict=True))
        return max(columns - 1, 1), max(rows - 1, 1)

    def draw(self, lines: Sequence[str]) -> None:
        """Show lines in place of those before; of more than there are rows, the first are left out."""
        width, rows = self.size
        lines = [fit(line, width).rstrip() for line in lines[-rows:]]
        with self._lock:
            if lines != self._lines or width != self._width:
                self._put("", lines, width)

    def above(self, text: str) -> None:
        """Write text, which ends its lines, above the block."""
        with self._lock:
            self._put(text, self._lines, self._width)

    def _put(self, text: str, lines: Sequence[str], width: int) -> None:
        """Write all at once, so that nothing flickers."""
        columns = self.size[0] + 1
        up = sum(max(1, -(-drawn // columns)) for drawn in self._drawn)
        start = ("\r" + _UP.format(up) if up else "") + (_CLEAR_BELOW if text or len(lines) < up else "")
        body = "".join(f"{line}{_CLEAR_LINE}\n" for line in lines)
        self._lines, self._width = list(lines), width
        self._drawn = [columns_of(line) for line in lines]
        sys.stdout.write(start + text + body)
        sys.stdout.flush()


def _has(text: str) -> bool:
    """Tell whether stdout has characters for a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _let_windows_draw() -> None:
    """Let an old Windows console understand where to draw; others do."""
    if os.name == "nt":
        import ctypes  # noqa: PLC0415  # numpy has loaded it

        kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
        kernel.SetConsoleMode(kernel.GetStdHandle(_WINDOWS_STDOUT), _WINDOWS_SEQUENCES)
