"""Showing live results: moving bars on a terminal, else one line per window."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

from fastaudio.cli.events import gives_events
from fastaudio.cli.write import event_line
from fastaudio.events import Event, json_line
from fastaudio.tags import SCHEMA, Window, plain

if TYPE_CHECKING:
    from fastaudio.live import LiveStats, LiveStream
    from fastaudio.pipeline import Pipeline

_FLOOR_DB = 60
_BLANK = " " * 23


def status(stats: LiveStats, rate: int) -> str:
    """Return the state of a live stream as one line."""
    return (
        f"{stats.captured / rate:.1f} s heard, lost {stats.dropped / rate:.1f} s, "
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
    if stats.device_overflows:
        lines.append(f"device     lost sound {stats.device_overflows} times before it came here")
    if stats.bad_values:
        lines.append(f"values     {stats.bad_values} were not finite: silence instead")
    if stats.results_dropped:
        lines.append(f"results    {stats.results_dropped} were lost, since nobody took them in time")
    lines += [f"  {1e3 * time_s:10.1f} ms  {name}" for name, time_s in stats.parts]
    return "".join(line + "\n" for line in lines)


class Lines:
    """Writes one line per window or event to stdout."""

    def __init__(self, pipeline: Pipeline, top: int, name: str) -> None:
        """Show the `top` tags that a pipeline gives for the source of that name."""
        self._top = top
        self._name = name
        self._model = pipeline.name
        self._several = len(pipeline.output_specs) > 1

    def show(self, item: Any) -> None:
        """Show a window or an event."""
        if isinstance(item, Event):
            self.write(self._event(item))
            return
        if item.gap_s > 0:
            self.say(f"fastaudio: {item.gap_s:.3f} s of sound lost before {item.start_s:.2f} s")
        self._window(item)

    def _window(self, window: Window) -> None:
        best = ", ".join(f"{label} {score:.2f}" for label, score in window.top(self._top))
        best = f"{window.output}: {best}" if self._several else best
        early = "  (provisional)" if window.provisional else ""
        self.write(f"  {window.start_s:7.2f} - {window.end_s:7.2f} s  {best}{early}\n")

    def _event(self, event: Event) -> str:
        return event_line(event)

    def tick(self, stream: LiveStream) -> None:
        """Show the state of the stream; called several times per second."""

    def say(self, text: str) -> None:
        """Write a line to stderr."""
        sys.stderr.write(text + "\n")

    def write(self, line: str) -> None:
        """Write a line to stdout immediately."""
        sys.stdout.write(line)
        sys.stdout.flush()

    def close(self) -> None:
        """Restore the terminal."""


class JsonLines(Lines):
    """Writes one line of JSON per window, with the keys of `fastaudio tag --windows --jsonl`, or event."""

    def _window(self, window: Window) -> None:
        data = {
            "schema": SCHEMA,
            "path": self._name,
            "model": window.model,
            "truncated": False,
            "output": window.output,
            "start_s": round(window.start_s, 6),
            "end_s": round(window.end_s, 6),
            "gap_s": round(window.gap_s, 6),
            "provisional": window.provisional,
            "tags": plain(window.top(self._top)),
        }
        self.write(json.dumps(data, ensure_ascii=False) + "\n")

    def _event(self, event: Event) -> str:
        return json_line(event, path=self._name, model=self._model)


class Screen(Lines):
    """Shows bars on a terminal: the best tags, the level, the stream's state; events scroll by above them."""

    def __init__(self, pipeline: Pipeline, top: int, name: str) -> None:
        from tqdm import tqdm  # noqa: PLC0415  # needed on a terminal only

        (spec,) = pipeline.output_specs.values()
        n = 0 if gives_events(pipeline) else min(top, len(spec.labels))
        super().__init__(pipeline, n, name)
        self._tqdm = tqdm
        sys.stdout.write(f"{name}, {pipeline.name or 'a pipeline'}; Ctrl-C ends\n")
        common = {"file": sys.stdout, "leave": True, "dynamic_ncols": True}
        form = common | {"bar_format": "{desc} |{bar}|"}
        self._tags = [tqdm(total=1.0, position=i, desc=_BLANK, **form) for i in range(n)]
        self._level = tqdm(total=_FLOOR_DB, position=n, desc=f"{'level':<23}", **form)
        self._status = tqdm(total=0, position=n + 1, bar_format="{desc}", **common)
        self._when = ""

    def _window(self, window: Window) -> None:
        for bar, (label, score) in zip(self._tags, window.top(self._top), strict=True):
            bar.desc = f"{label:<18.18} {score:4.2f}"
            bar.n = score
            bar.refresh()
        early = " (provisional)" if window.provisional else ""
        self._when = f"{window.start_s:.1f} - {window.end_s:.1f} s{early}: "

    def tick(self, stream: LiveStream) -> None:
        """Draw the level and the stream's state."""
        level_db = 20 * math.log10(max(stream.take_peak(), 1e-9))
        text = f"{level_db:5.1f} dB" if level_db > -_FLOOR_DB else f"< -{_FLOOR_DB} dB"
        self._level.n = min(max(level_db + _FLOOR_DB, 0), _FLOOR_DB)
        self._level.desc = f"{'level':<14} {text:>8}"
        self._level.refresh()
        self._status.set_description_str(self._when + status(stream.stats(), stream.sample_rate))

    def say(self, text: str) -> None:
        """Write a line above the bars."""
        self._tqdm.write(text, file=sys.stderr)

    def write(self, line: str) -> None:
        """Write a line above the bars."""
        self._tqdm.write(line, file=sys.stdout, end="")

    def close(self) -> None:
        """Leave the last bars standing and move below them."""
        for bar in (*self._tags, self._level, self._status):
            bar.close()
