"""Counts the lines of Python modules that ran. It is slow, so that it has to be asked for."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import CodeType
from typing import Any


class Lines:
    """Collects which lines of a package's modules run within `with`.

    Attributes:
        hit: numbers of lines by the module's file.
    """

    def __init__(self, prefix: str = "fastaudio") -> None:
        self._part = f"/{prefix.replace('.', '/')}"
        self.hit: dict[str, list[int]] = {}

    def __enter__(self) -> None:
        threading.settrace(self._trace)
        sys.settrace(self._trace)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]

    def _trace(self, frame: Any, event: str, _: Any) -> Any:
        if self._part not in frame.f_code.co_filename:
            return None
        if event == "line":
            lines = self.hit.setdefault(frame.f_code.co_filename, [])
            if frame.f_lineno not in lines:
                lines.append(frame.f_lineno)
        return self._trace

    def add(self, hit: dict[str, list[int]]) -> None:
        """Add what another one collected."""
        for file, lines in hit.items():
            self.hit[file] = sorted({*self.hit.get(file, []), *lines})

    def told(self) -> str:
        """Return how many of the lines within functions ran, over the modules that were reached."""
        ran = total = 0
        for file, lines in self.hit.items():
            every = _lines_of(compile(Path(file).read_text(encoding="utf-8"), file, "exec"), top=True)
            ran += len(every & set(lines))
            total += len(every)
        return f"{ran} of {total} lines in {len(self.hit)} modules" if total else ""


def _lines_of(code: CodeType, *, top: bool = False) -> set[int]:
    own = set() if top else {line for _, _, line in code.co_lines() if line} - {code.co_firstlineno}
    return own.union(*(_lines_of(part) for part in code.co_consts if isinstance(part, CodeType)))
