"""Writing live results: one line per window or event, as text, JSON, CSV, or tables for other programs."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from fastaudio._system.text import printable, spelled
from fastaudio.cards.thresholds import thresholds_of
from fastaudio.cli.kinds import UNKNOWN
from fastaudio.cli.terminal import put, tell
from fastaudio.cli.write import (
    FITS,
    event_line,
    fits_text,
    mark,
    none_reaches,
    reaches,
    rows_reaching,
    stretch,
    without_low,
)
from fastaudio.events import Event, Events, audacity_line, json_line, raven_header, raven_row
from fastaudio.live.sources import FileSource
from fastaudio.tags import OUT_OF_RANGE, SCHEMA, Tags, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastaudio.cli.ears import Ear
    from fastaudio.cli.kinds import Kind
    from fastaudio.cli.write import Least
    from fastaudio.live import LiveStream
    from fastaudio.live.sources import Source

_ROW = re.compile(r'((?:[^"\n]|"[^"]*")*)\n')  # quoted fields may hold line ends


class Lines:
    """Writes one line of text per window or event.

    Attributes:
        is_data: whether the lines are for programs, and so UTF-8 everywhere, not for a terminal.
        least: tags with scores, and events with peaks so far, below it are left out; None for none.
    """

    is_data = False
    least: float | None = None

    def __init__(
        self,
        ears: Sequence[Ear],
        top: int,
        source: Source,
        out: TextIO | None = None,
        *,
        begins: bool = False,
    ) -> None:
        """Show the `top` tags that each model gives for a source.

        Args:
            ears: the models.
            top: how many tags.
            source: what is heard.
            out: where to write; None for stdout.
            begins: whether to show an event when it begins too, and not only when it has ended.
        """
        self._ears = ears
        self._top = top
        self._name = spelled(source.name)
        self._source = source
        self._out = out
        self._begins = begins
        self._noted = False
        self._gap_before_s: float | None = None
        self._n_ended = self._n_below = 0
        self._judged = any(ear.judge for ear in ears)
        self._thresholds = {ear: thresholds_of(ear.pipeline) for ear in ears}
        self._ear = ears[0]  # of what is shown
        self._kind: Kind | None = None

    def least_of(self, ear: Ear) -> Least:
        """Return from which score tags of a model are shown: what was asked for, or what its card says."""
        return self._thresholds[ear] if self.least is None else self.least

    def begin(self, stream: LiveStream) -> None:
        """Take the stream before its first result."""
        self._stream = stream

    def show(self, ear: Ear, item: Any, kind: Kind | None = None) -> None:
        """Show a window or an event that a model gave, and of what kind its sound is, if that is known."""
        self._ear, self._kind = ear, kind
        if isinstance(item, Event):
            if not reaches(item.peak, self.least):
                self._n_below += item.state == "end"
                return
            self._n_ended += item.state == "end"
            if self._begins or item.state == "end":
                self.write(self._event(item))
            return
        if item.gap_s > 0 and item.start_s != self._gap_before_s:  # others tell the same gap
            self._gap_before_s = item.start_s
            self.say(f"fastaudio: {item.gap_s:.3f} s of sound lost before {item.start_s:.2f} s")
        if not self._noted and not item.in_range:
            self._noted = True
            self.say(f"fastaudio: {OUT_OF_RANGE}")
        self.write(self._window(item))

    def _window(self, window: Window) -> str:
        told = "" if self._kind is None else f"({self._kind}) "
        best = told + window.text(self._top, least=self.least_of(self._ear))
        whose = f"{self._ear.name}: " if len(self._ears) > 1 else ""
        whose += f"{window.output}: " if len(self._ear.pipeline.output_specs) > 1 else ""
        early = "  (provisional)" if window.provisional else ""
        at = stretch(window.start_s, window.end_s, window.end_s)
        return f"{self._clock(window)}{mark(self._kind)} {at}  {whose}{best}{early}\n"

    def _event(self, event: Event) -> str:
        named, so_far_s = replace(event, label=self._label(event)), event.end_s or event.start_s
        return self._clock(event) + event_line(named, self._kind, longest_s=so_far_s)

    def _label(self, event: Event) -> str:
        """Return an event's label, with the model's name before it if there are several."""
        return f"{self._ear.name}: {event.label}" if len(self._ears) > 1 else event.label

    def _marked(self, event: Event) -> Event:
        """Return an event for a table that has labels only: that of other sound has a mark before its own."""
        return replace(event, label=f"{mark(self._kind)} {self._label(event)}".strip())

    def _clock(self, item: Window | Event) -> str:
        return f"{self._stream.time_of(item.start_s):%H:%M:%S}"

    def _time(self, item: Window | Event) -> str:
        return self._stream.time_of(item.start_s).isoformat(timespec="milliseconds")

    def tick(self, stream: LiveStream, peak: float) -> None:
        """Show the state of the stream, several times per second, and the peak since the last time."""

    def say(self, text: str) -> None:
        """Write a line to stderr."""
        tell(printable(text, lines=True) + "\n")

    def write(self, line: str) -> None:
        """Write a line immediately."""
        if self._out is not None:
            self._out.write(line)
            self._out.flush()
        elif self.is_data:
            put(line)
        else:
            sys.stdout.write(printable(line, lines=True))
            sys.stdout.flush()

    def end(self) -> None:
        """Say why there were no events, if there were none."""
        if any(ear.events for ear in self._ears) and self._n_ended == 0:
            none = Events((), (), 0.0, self._stream.sample_rate, summary=self._stream.summary)
            why = none_reaches(self._n_below, self.least or 0.0) if self._n_below else none.why_none()
            self.say(f"fastaudio: no events ({why})")

    def close(self) -> None:
        """Restore the terminal."""


class JsonLines(Lines):
    """Writes one line of JSON, with the keys of `fastaudio tag --jsonl` and a time."""

    is_data = True

    def _window(self, window: Window) -> str:
        (scores,) = self._as_tags(window).to_dict(top=self._top, windows=True)["windows"]
        data = {
            "schema": SCHEMA,
            "path": self._name,
            "model": window.model,
            "truncated": self._truncated,
            "finite": window.finite,
            "output": window.output,
            "time": self._time(window),
            "gap_s": round(window.gap_s, 6),
            "provisional": window.provisional,
        } | scores
        data = without_low(data, self.least_of(self._ear)) | self._plain_kind()
        return json.dumps(data, ensure_ascii=False) + "\n"

    def _event(self, event: Event) -> str:
        data = json.loads(json_line(event, **self._about))
        more = {"output": event.output, "time": self._time(event)}
        return json.dumps(data | more | self._plain_kind(), ensure_ascii=False) + "\n"

    def _plain_kind(self) -> dict[str, Any]:
        if not self._judged:
            return {}
        return UNKNOWN if self._kind is None else self._kind.to_dict()

    @property
    def _truncated(self) -> bool:
        return getattr(self._source, "truncated", False)

    @property
    def _about(self) -> dict[str, Any]:
        return {"path": self._name, "model": self._ear.name, "truncated": self._truncated}

    def _as_tags(self, window: Window) -> Tags:
        return Tags(
            window.labels,
            window.scores[None],
            np.array([[window.start_s, window.end_s]]),
            window.end_s - window.start_s,
            **self._about,
            silent=np.array([window.silent]),
        )


class CsvLines(JsonLines):
    """Writes the rows of `fastaudio tag --csv`, with a column `time` at the end."""

    def begin(self, stream: LiveStream) -> None:
        """Write the header, which is there without any result too."""
        super().begin(stream)
        no_tags = Tags((), np.zeros((0, 0), np.float32), np.zeros((0, 2)), 0.0)
        empty = self._as_events().to_csv() if self._ear.events else no_tags.to_csv(windows=True)
        fits = f",{FITS}" if self._judged else ""
        self.write(f"{empty.rstrip()}{fits},time\n")

    def _window(self, window: Window) -> str:
        rows = self._as_tags(window).to_csv(top=self._top, windows=True, header=False)
        return self._timed(rows_reaching(rows, self.least_of(self._ear)), window)

    def _event(self, event: Event) -> str:
        return self._timed(self._as_events(event).to_csv(header=False), event)

    def _as_events(self, *events: Event) -> Events:
        labels = [event.label for event in events]
        return Events(events, labels, 0.0, self._stream.sample_rate, **self._about)

    def _timed(self, rows: str, item: Window | Event) -> str:
        fits = f",{fits_text(self._kind)}" if self._judged else ""
        end = f"{fits},{self._time(item)}\n"
        return _ROW.sub(lambda row: row[1] + end, rows)


class AudacityLines(Lines):
    """Writes an Audacity label track; its times are seconds from the start."""

    is_data = True

    def _event(self, event: Event) -> str:
        return audacity_line(self._marked(event))


class RavenLines(Lines):
    """Writes a Raven Pro selection table; its times are seconds from the start."""

    is_data = True

    def begin(self, stream: LiveStream) -> None:
        """Write the header."""
        super().begin(stream)
        self._n = 0
        self.write(raven_header())

    def _event(self, event: Event) -> str:
        self._n += 1
        path = self._name if isinstance(self._source, FileSource) else None
        return raven_row(self._marked(event), self._n, high_hz=self._stream.sample_rate / 2, path=path)
