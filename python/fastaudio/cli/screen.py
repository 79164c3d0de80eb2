"""Showing live results on a terminal: bars that move, and the state of the stream."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

from fastaudio._system.text import indented, printable
from fastaudio.cli.events import gives_events
from fastaudio.cli.live_lines import Lines
from fastaudio.cli.write import mark
from fastaudio.tags import score_text

if TYPE_CHECKING:
    from fastaudio.cli.kinds import Judge
    from fastaudio.live import LiveStats, LiveStream
    from fastaudio.live.sources import Source
    from fastaudio.pipeline import Pipeline
    from fastaudio.tags import Window

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


class Screen(Lines):
    """Shows bars on a terminal: the best tags, the level, the stream's state; events scroll by above them."""

    def __init__(self, pipeline: Pipeline, top: int, source: Source, *, judge: Judge | None = None) -> None:
        from tqdm import tqdm  # noqa: PLC0415  # needed on a terminal only

        (spec,) = pipeline.output_specs.values()
        n = 0 if gives_events(pipeline) else min(top, len(spec.labels))
        super().__init__(pipeline, n, source, begins=True, judge=judge)
        self._tqdm = tqdm
        sys.stdout.write(printable(f"{source.name}, {pipeline.name or 'a pipeline'}; Ctrl-C ends") + "\n")
        common = {"file": sys.stdout, "leave": True, "dynamic_ncols": True}
        form = common | {"bar_format": "{desc} |{bar}|"}
        self._tags = [tqdm(total=1.0, position=i, desc=_BLANK, **form) for i in range(n)]
        self._level = tqdm(total=_FLOOR_DB, position=n, desc=f"{'level':<23}", **form)
        self._status = tqdm(total=0, position=n + 1, bar_format="{desc}", **common)
        self._when = "listening: "

    def begin(self, stream: LiveStream) -> None:
        """Say that it listens, since the first result takes a while."""
        super().begin(stream)
        if self._tags and math.isfinite(stream.latency_s):
            self._tags[0].set_description_str(f"first in {stream.latency_s:.1f} s".ljust(len(_BLANK)))
        self.tick(stream)

    def _window(self, window: Window) -> str:
        best = window.top(self._top)  # fewer than there are bars if it is silent, or some aren't finite
        for i, bar in enumerate(self._tags):
            label, score = best[i] if i < len(best) else ("", 0.0)
            name = f"{mark(self._kind)} {printable(label)}".strip()
            bar.desc = f"{name:<18.18} {score_text(score):>4.4}" if label else _BLANK
            bar.n = min(max(score, 0.0), 1.0)
            bar.refresh()
        early = " (provisional)" if window.provisional else " (silence)" if window.silent else ""
        early += "" if self._kind is None else f" ({self._kind})"
        self._when = f"{self._clock(window)}  {window.start_s:.1f} - {window.end_s:.1f} s{early}: "
        return ""

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
        self._tqdm.write(indented(text), file=sys.stderr)

    def write(self, line: str) -> None:
        """Write a line above the bars."""
        if not line:
            return
        self._tqdm.write(printable(line, lines=True), file=sys.stdout, end="")

    def close(self) -> None:
        """Leave the last bars standing and move below them."""
        for bar in (*self._tags, self._level, self._status):
            bar.close()
