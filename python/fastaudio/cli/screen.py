"""Live results: bars that move in a terminal, else a line a window."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

from fastaudio.tags import SCHEMA

if TYPE_CHECKING:
    import argparse

_FLOOR_DB = 60


class Lines:
    """A line a window on stdout."""

    def __init__(self, args: argparse.Namespace, name: str, model: str | None) -> None:
        self._top = args.top
        self._name = name
        self._model = model

    def show(self, window: Any) -> None:
        """Write a window."""
        if window.gap_s > 0:
            self.say(f"fastaudio: {window.gap_s:.3f} s of sound lost before {window.start_s:.2f} s")
        best = ", ".join(f"{label} {score:.2f}" for label, score in window.top(self._top))
        early = "  (provisional)" if window.provisional else ""
        self._line(f"{window.start_s:8.2f} - {window.end_s:8.2f} s  {best}{early}")

    def tick(self, stats: Any) -> None:
        """Show how it goes; a few times a second."""

    def say(self, text: str) -> None:
        """Write a line on stderr."""
        sys.stderr.write(text + "\n")

    def close(self) -> None:
        """Leave the terminal as it was."""

    def _line(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


class JsonLines(Lines):
    """A line of JSON a window on stdout: the keys of `fastaudio tag --windows --jsonl` and those of live sound."""

    def show(self, window: Any) -> None:
        """Write a window."""
        tags = [{"label": label, "score": round(score, 6)} for label, score in window.top(self._top)]
        data = {
            "schema": SCHEMA,
            "path": self._name,
            "model": self._model,
            "truncated": False,
            "start_s": round(window.start_s, 6),
            "end_s": round(window.end_s, 6),
            "gap_s": round(window.gap_s, 6),
            "provisional": window.provisional,
            "output": window.output,
            "tags": tags,
        }
        self._line(json.dumps(data, ensure_ascii=False))


class Screen(Lines):
    """Bars in a terminal: the best tags, the level, and how it goes."""

    def __init__(self, args: argparse.Namespace, name: str, model: str | None) -> None:
        from tqdm import tqdm  # noqa: PLC0415  # only where there is a terminal

        super().__init__(args, name, model)
        self._tqdm = tqdm
        sys.stdout.write(f"{name}, {model}; Ctrl-C ends\n")
        common = {"file": sys.stdout, "leave": True, "dynamic_ncols": True}
        bars = common | {"bar_format": "{desc} |{bar}|"}
        self._tags = [tqdm(total=1.0, position=i, desc=" " * 23, **bars) for i in range(self._top)]
        self._level = tqdm(total=_FLOOR_DB, position=self._top, desc=f"{'level':<23}", **bars)
        self._status = tqdm(total=0, position=self._top + 1, bar_format="{desc}", **common)
        self._when = ""

    def show(self, window: Any) -> None:
        """Draw a window's best tags."""
        best = [*window.top(self._top), *[("", 0.0)] * self._top][: self._top]
        for bar, (label, score) in zip(self._tags, best, strict=True):
            bar.desc = f"{label:<18.18} {score:4.2f}" if label else " " * 23
            bar.n = score
            bar.refresh()
        early = " (provisional)" if window.provisional else ""
        self._when = f"{window.start_s:.1f} - {window.end_s:.1f} s{early}"

    def tick(self, stats: Any) -> None:
        """Draw the level and the figures."""
        level_db = 20 * math.log10(max(stats.peak, 1e-9))
        self._level.n = min(max(level_db + _FLOOR_DB, 0), _FLOOR_DB)
        text = f"{level_db:5.1f} dB" if level_db > -_FLOOR_DB else f"< -{_FLOOR_DB} dB"
        self._level.desc = f"{'level':<14} {text}"
        self._level.refresh()
        self._status.set_description_str(f"{self._when:<18} {status(stats)}")

    def say(self, text: str) -> None:
        """Write a line above the bars."""
        self._tqdm.write(text, file=sys.stderr)

    def close(self) -> None:
        """Leave the last bars and move below them."""
        for bar in (*self._tags, self._level, self._status):
            bar.close()
