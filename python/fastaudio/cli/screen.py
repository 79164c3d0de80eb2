"""Showing live results on a terminal: the best tags of each model, the level, and the state of the stream."""

from __future__ import annotations

import math
import sys
import time
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING

from fastaudio._system.text import indented, printable
from fastaudio.cli.board import Board, bar, columns_of, fit
from fastaudio.cli.live_lines import Lines
from fastaudio.cli.terminal import told_above
from fastaudio.cli.write import mark, reaches
from fastaudio.events import Event
from fastaudio.tags import score_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from fastaudio.cli.ears import Ear
    from fastaudio.cli.kinds import Kind
    from fastaudio.cli.write import Least
    from fastaudio.live import LiveStats, LiveStream
    from fastaudio.live.sources import Source
    from fastaudio.tags import Window

_FLOOR_DB = 60
_FALL_DB_PER_S = 60.0
_LABEL = 20  # columns
_MINUTE_S = 60


def heard_text(seconds: float) -> str:
    """Return a length of time for people: "12.3 s", from a minute on "1:02", from an hour on "1:02:03"."""
    if seconds < _MINUTE_S:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), _MINUTE_S)
    hours, minutes = divmod(minutes, _MINUTE_S)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def status(stats: LiveStats, rate: int) -> str:
    """Return the state of a live stream as one line."""
    return (
        f"{heard_text(stats.captured / rate)} heard, lost {heard_text(stats.dropped / rate)}, "
        f"latency {1e3 * stats.latency_p50_s:.0f} ms, load {100 * stats.real_time_factor:.0f} %"
    )


def summary(stats: LiveStats, rate: int) -> str:
    """Return all counts and times of a live stream as lines."""
    heard = f"{stats.delivered / rate:.3f} run, {stats.dropped / rate:.3f} lost in {stats.gaps} gaps"
    tail = f"{1e3 * stats.latency_p99_s:.1f} ms at 99 %, {1e3 * stats.latency_max_s:.1f} ms at most"
    load = f"{stats.busy_s:.3f} s of work for {stats.sound_s:.3f} s of sound"
    lines = [
        f"heard      {stats.captured / rate:.3f} s: {heard}, {stats.waiting / rate:.3f} waiting",
        f"latency    {1e3 * stats.latency_p50_s:.1f} ms median, {tail}, beyond the model's own",
        f"load       {100 * stats.real_time_factor:.1f} % of a core: {load}",
    ]
    if stats.interruptions:
        lines.append(f"source     interrupted {stats.interruptions} times")
    if stats.device_overflows:
        lines.append(f"device     lost sound {stats.device_overflows} times before it came here")
    if stats.bad_values:
        lines.append(f"values     {stats.bad_values} were not finite: silence instead")
    if stats.results_dropped:
        lines.append(f"results    {stats.results_dropped} were lost, since nobody took them in time")
    lines += [f"  {1e3 * time_s:10.1f} ms  {name}" for name, time_s in stats.parts]
    return "".join(line + "\n" for line in lines)


class Rows:
    """The best labels in rows that stay: a label keeps its row as long as it is among the best."""

    def __init__(self) -> None:
        self._rows: list[str] = []

    def place(self, best: Sequence[tuple[str, float]], n: int) -> list[tuple[str, float]]:
        """Return `n` rows of the best labels with their scores; an empty one has no label."""
        scores = dict(best[:n])
        new = [label for label in scores if label not in self._rows[:n]]
        kept = [label if label in scores else "" for label in self._rows[:n]]
        kept += [""] * (n - len(kept))
        self._rows = [label or (new.pop(0) if new else "") for label in kept]
        return [(label, scores.get(label, 0.0)) for label in self._rows]


class Panel:
    """What one model says now, in lines."""

    def __init__(self, ear: Ear, top: int) -> None:
        """Take the model, and how many of its tags to show."""
        specs = list(ear.pipeline.output_specs.values())
        self.ear = ear
        self.least: Least = None
        self.n = 0 if ear.events else min(top, sum(len(spec.labels) for spec in specs))
        self._rows = Rows()
        self._window: Window | None = None
        self._kind: Kind | None = None
        self._going: dict[str, Event] = {}
        self._when = ""

    def wait(self, latency_s: float) -> None:
        """Say when the first result comes, if that is known."""
        if self.ear.events:
            return
        self._when = f"first in {latency_s:.1f} s" if math.isfinite(latency_s) else "at the end of the sound"

    def show(self, item: Any, kind: Kind | None) -> None:
        """Take what the model gave."""
        if isinstance(item, Event):
            if item.state == "begin":
                self._going[item.id] = item
            else:
                self._going.pop(item.id, None)
            return
        self._window, self._kind = item, kind
        early = " (provisional)" if item.provisional else " (silence)" if item.silent else ""
        told = "" if kind is None else f" ({kind})"
        start, end = heard_text(item.start_s), heard_text(item.end_s)
        self._when = f"{start.removesuffix(' s') if end.endswith(' s') else start} - {end}{early}{told}"

    def lines(self, n: int, width: int, *, plain: bool) -> list[str]:
        """Return `n` rows of tags, or one of events that go on, below the model's name."""
        name = printable(self.ear.name or "a pipeline")
        if self.ear.events:
            going = ", ".join(printable(event.label) for event in self._going.values())
            return [f"{name}  now: {going}" if going else f"{name}  no event now"]
        best = self._window.top(n) if self._window is not None else []
        best = [(label, score) for label, score in best if reaches(score, self.least, label)]
        sign = mark(self._kind)
        rows = []
        for label, score in self._rows.place(best, n):
            if not label:
                rows.append("")
                continue
            head = f"{fit(f'{sign} {printable(label)}', _LABEL)} {score_text(score):>5.5} "
            rows.append(head + bar(score, width - columns_of(head), plain=plain))
        return [f"{name}  {self._when}", *rows]


class Screen(Lines):
    """Shows what each model says, the level, the stream's state and the time; events scroll by above them."""

    def __init__(self, ears: Sequence[Ear], top: int, source: Source) -> None:
        """Take the models, how many tags of each to show, and what is heard."""
        super().__init__(ears, top, source, begins=True)
        self._panels = {ear: Panel(ear, top) for ear in ears}
        self._board = Board()
        self._told = ExitStack()
        self._peak, self._peak_at_s = 0.0, time.monotonic()
        self._word = "listening..."
        names = ", ".join(ear.name or "a pipeline" for ear in ears)
        self._board.above(printable(f"{source.name}, {names}; Ctrl-C ends") + "\n")

    def begin(self, stream: LiveStream) -> None:
        """Say that it listens, since the first result takes a while."""
        super().begin(stream)
        self._told.enter_context(told_above(self._tell))
        for ear, panel in self._panels.items():
            panel.wait(ear.pipeline.latency_s)
        self.tick(stream, 0.0)

    def show(self, ear: Ear, item: Any, kind: Kind | None = None) -> None:
        """Show a window in its model's rows, and an event above all."""
        self._panels[ear].least = self.least_of(ear)
        self._panels[ear].show(item, kind)
        super().show(ear, item, kind)

    def _window(self, window: Window) -> str:
        del window  # its model's rows show it
        return ""

    def tick(self, stream: LiveStream, peak: float) -> None:
        """Draw everything."""
        width, n_rows = self._board.size
        now_s = (
            time.monotonic()
        )  # a look right after another hears next to nothing, so the level falls slowly
        fallen = 10 ** (-_FALL_DB_PER_S * (now_s - self._peak_at_s) / 20)
        self._peak, self._peak_at_s = max(peak, self._peak * fallen), now_s
        level_db = 20 * math.log10(max(self._peak, 1e-9))
        level = f"{level_db:5.1f} dB" if level_db > -_FLOOR_DB else f"< -{_FLOOR_DB} dB"
        head = f"level{level:>{_LABEL + 1}} "
        plain = self._board.plain
        level_line = head + bar(1 + level_db / _FLOOR_DB, width - len(head), plain=plain)
        clock = f"{datetime.now().astimezone():%H:%M:%S}"
        left = n_rows - 3 - len(self._panels)
        lines = []
        for panel, n in zip(self._panels.values(), self._shares(left), strict=True):
            lines += panel.lines(n, width, plain=plain)
        state = status(stream.stats(), stream.sample_rate)
        first = fit(self._word, max(width - len(clock), 0)) + clock
        self._board.draw([first, *lines, level_line, state])

    def _shares(self, left: int) -> list[int]:
        """Return how many rows each model gets, so that all fit the terminal if they can."""
        shares = [panel.n for panel in self._panels.values()]
        while sum(shares) > max(left, 0) and max(shares) > 1:
            shares[shares.index(max(shares))] -= 1
        return shares

    def say(self, text: str) -> None:
        """Write a line above the rest."""
        self._tell(indented(text) + "\n")

    def _tell(self, text: str) -> None:
        if sys.stderr.isatty():
            self._board.above(text)
        else:
            sys.stderr.write(text)

    def write(self, line: str) -> None:
        """Write a line above the rest."""
        if line:
            self._board.above(printable(line, lines=True))

    def end(self) -> None:
        """Show the state at the end."""
        super().end()
        self._word = "ended"
        self.tick(self._stream, 0.0)

    def close(self) -> None:
        """Leave the last lines standing."""
        self._told.close()
