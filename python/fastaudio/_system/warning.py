"""Warnings that point at the caller's line, not at one in this package."""

from __future__ import annotations

import sys
import warnings

from fastaudio._system.text import printable

_PACKAGE = __name__.partition(".")[0]


def warn(message: str) -> None:
    """Give a UserWarning for the nearest line outside this package."""
    level, frame = 1, sys._getframe()  # noqa: SLF001  # warnings.warn's skip_file_prefixes needs Python 3.12
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back  # type: ignore[assignment]
    warnings.warn(printable(message, lines=True), UserWarning, stacklevel=level)
