"""Events: labels with their beginning and end, and the text forms that other programs read."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, overload

from fastaudio._core import check_interrupt
from fastaudio._system.commas import csv_text
from fastaudio._system.frames import pandas_for, told_about
from fastaudio._system.indexing import count, item_index, label_index
from fastaudio._system.text import quoted
from fastaudio.annotations.event import Event, end_of
from fastaudio.annotations.praat import text_grid
from fastaudio.annotations.tables import (
    RAVEN_COLUMNS,
    audacity_line,
    raven_header,
    raven_row,
    rttm_id,
    rttm_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import SupportsIndex

    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from fastaudio._core import StreamSpec

__all__ = ["CSV_COLUMNS", "RAVEN_COLUMNS", "SCHEMA", "Best", "Event", "Events", "Summary", "audacity_line"]
__all__ += [
    "csv_header",
    "csv_row",
    "decode",
    "in_order",
    "json_line",
    "raven_header",
    "raven_row",
    "summary_of",
]

SCHEMA = "fastaudio.events/1"
"""Name and version of the JSON and CSV forms; a change of meaning raises the number."""

CSV_COLUMNS = ("schema", "path", "truncated", "start_s", "end_s", "label", "peak", "mean", "model")

_IN_NOTEBOOK = 20  # events there
_LOOK = 4096  # rows between two looks at a limit of time
_HIGH = 65536  # index of an event's first window = high * _HIGH + low


def decode(
    rows: NDArray[np.float32],
    spec: StreamSpec,
    *,
    base_s: float = 0.0,
    duration_s: float | None = None,
    output: str = "",
) -> list[Event]:
    """Turn rows [n_events, 6] of the node `Events`, whose output is `spec`, into events.

    The signal begins at `base_s`. Events end at the latest after `duration_s`, its length; None while it
    goes on.
    """
    if len(rows) == 0:  # as most often in a stream
        return []
    longest = math.inf if duration_s is None else duration_s
    rate_hz, span_s, labels = spec.rate_hz, spec.span_s, spec.labels
    events = []
    for at in range(0, len(rows), _LOOK):
        check_interrupt()
        # Columns: a list for each row would be one more object that Python looks through for garbage.
        columns = rows[at : at + _LOOK].T.tolist()
        for label, high, low, n, peak, mean in zip(*columns, strict=True):
            if n < 0:  # the summary
                continue
            first = int(high) * _HIGH + int(low)
            start_s = base_s + min(first / rate_hz, longest)
            end_s = base_s + min((first + n - 1) / rate_hz + span_s, longest)
            events.append(Event(labels[int(label)], start_s, end_s if n else None, peak, mean, output))
    return events


@dataclass(frozen=True)
class Best:
    """How close a search came: the highest score of all windows that weren't silent.

    Attributes:
        label: whose score it is.
        score: the score as thresholds see it, after smoothing.
        onset: the score at which an event of this label begins.
    """

    label: str
    score: float
    onset: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {"label": self.label, "score": round(self.score, 6), "onset": round(self.onset, 6)}


@dataclass(frozen=True)
class Summary:
    """What a whole search for events saw.

    Attributes:
        best: the highest score; None if no window was heard.
        n_heard: windows that weren't silent; -1 if there was no window at all.
        n_broken: windows with scores that aren't finite.
    """

    best: Best | None
    n_heard: int
    n_broken: int


def summary_of(rows: NDArray[np.float32], spec: StreamSpec) -> Summary | None:
    """Return what the last row [6] of `Events(summary=True)` among `rows` tells; None without it."""
    last = rows[rows[:, 3] < 0][-1:]
    if len(last) == 0:
        return None
    label, onset, n_broken, _, score, n_heard = last[0].tolist()
    best = Best(spec.labels[int(label)], score, onset) if n_heard >= 0 and math.isfinite(score) else None
    return Summary(best, int(n_heard), int(n_broken))


def in_order(events: list[Event], labels: Sequence[str]) -> tuple[Event, ...]:
    """Return the events that have ended, sorted by start, then by label."""
    place = {label: i for i, label in enumerate(labels)}
    ended = [event for event in events if event.end_s is not None]
    return tuple(sorted(ended, key=lambda event: (event.start_s, place[event.label])))


def json_line(
    event: Event, *, path: str | None = None, model: str | None = None, truncated: bool = False
) -> str:
    """Return an event as a line of JSON."""
    data = {"schema": SCHEMA, "path": path, "model": model, "truncated": truncated} | event.to_dict()
    return json.dumps(data, ensure_ascii=False) + "\n"


def csv_header() -> str:
    """Return the first row of the CSV form."""
    return _csv(CSV_COLUMNS)


def csv_row(
    event: Event, *, path: str | None = None, model: str | None = None, truncated: bool = False
) -> str:
    """Return an event as a row of CSV; end_s is empty while it goes on."""
    data = event.to_dict()
    return _csv((SCHEMA, path, str(truncated).lower(), *(data[key] for key in CSV_COLUMNS[3:-1]), model))


def _csv(row: Sequence[object]) -> str:
    return csv_text([row])


@dataclass(frozen=True, eq=False)
class Events:
    """Events of a whole signal, sorted by start, then by label.

    Attributes:
        events: the events, all of which have ended.
        labels: names that an event may have.
        duration_s: length of the signal.
        sample_rate: the signal's rate in Hz.
        truncated: whether the file was cut short: its header states more, or it broke off.
        path: the file's path, or the name that a file object states; None without one.
        model: name of the card, if there is one.
        summary: what the search saw, its best score among it; None if that isn't known.
    """

    events: tuple[Event, ...]
    labels: Sequence[str]
    duration_s: float
    sample_rate: int
    truncated: bool = False
    path: str | None = None
    model: str | None = None
    summary: Summary | None = None

    @property
    def best(self) -> Best | None:
        """The highest score of all and the onset that it had to reach; None if no window was heard."""
        return self.summary.best if self.summary else None

    @property
    def silent(self) -> bool:
        """Whether all windows were below the pipeline's `silence_db`."""
        return self.summary is not None and self.summary.n_heard == 0

    @property
    def finite(self) -> bool:
        """Whether all scores of windows that aren't silent were numbers."""
        return self.summary is None or self.summary.n_broken == 0

    def why_none(self) -> str:
        """Return why there are no events: "best: guitar 0.39, below onset 0.5"; empty if there are some."""
        if self.events or self.summary is None:
            return ""
        if self.best is None:
            reasons = {0: "silence", -1: "no sound"}
            return reasons.get(self.summary.n_heard, "no score is finite")
        label, score, onset = self.best.label, self.best.score, self.best.onset
        if score < onset:
            return f"best: {label} {_below(score, onset)}, below onset {onset:.6g}"
        return f"best: {label} {score:.2f}, but shorter than min_on_s"

    def __len__(self) -> int:
        return len(self.events)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Event: ...
    @overload
    def __getitem__(self, index: slice | str) -> tuple[Event, ...]: ...
    def __getitem__(self, index: SupportsIndex | slice | str) -> Event | tuple[Event, ...]:
        """Return an event by its number, those of a slice, or those of a label.

        Raises:
            IndexError: there is no such event.
            KeyError: there is no such label.
            TypeError: the index is none of these.
        """
        if isinstance(index, str):
            label = self.labels[label_index("Events", self.labels, index)]
            return tuple(event for event in self if event.label == label)
        if isinstance(index, slice):
            return self.events[index]
        return self.events[item_index("Events", index, len(self))]

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __repr__(self) -> str:
        most = Counter(event.label for event in self).most_common(3)
        text = ", ".join(f"{quoted(label)} {n}" for label, n in most)
        cut = ", truncated" if self.truncated else ""
        return f"<Events: {len(self)}, {self.duration_s:.2f} s{cut}: {text or self.why_none()}>"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "schema": SCHEMA,
            "path": self.path,
            "model": self.model,
            "duration_s": round(self.duration_s, 6),
            "truncated": self.truncated,
            "silent": self.silent,
            "finite": self.finite,
            "best": self.best.to_dict() if self.best else None,
            "events": [event.to_dict() for event in self],
        }

    def to_json(self) -> str:
        """Return one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    def to_jsonl(self) -> str:
        """Return one line of JSON per event."""
        how = partial(json_line, path=self.path, model=self.model, truncated=self.truncated)
        return "".join(map(how, self))

    def to_csv(self, *, header: bool = True) -> str:
        """Return CSV with one row per event."""
        how = partial(csv_row, path=self.path, model=self.model, truncated=self.truncated)
        rows = list(map(how, self))
        return "".join([csv_header(), *rows] if header else rows)

    def to_audacity(self) -> str:
        """Return a label track for Audacity: start, end and label of each event."""
        return "".join(audacity_line(event) for event in self)

    def to_raven(self) -> str:
        """Return a Raven Pro selection table; selections span all frequencies of the signal.

        `Begin File` is the file's name, and empty without a path.
        """
        how = partial(raven_row, high_hz=self.sample_rate / 2, path=self.path)
        return "".join([raven_header(), *(how(event, i) for i, event in enumerate(self, start=1))])

    def to_rttm(self, *, file_id: str | None = None) -> str:
        """Return RTTM, a line per event, with the label as the speaker's name and the peak as confidence.

        `file_id` names the recording, in the second field; None takes the file's name without suffix. White
        space in it and in labels becomes `_`.
        """
        how = partial(rttm_line, file_id=file_id or rttm_id(self.path))
        return "".join(map(how, self))

    def to_praat(self) -> str:
        """Return a TextGrid of Praat: a tier for each label that is heard, with its events as intervals."""
        return text_grid(self, self.duration_s)

    def to_pandas(self) -> Any:
        """Return a DataFrame of pandas with a row per event: label, start_s, end_s, peak and mean.

        `attrs` has path, model, duration_s and truncated.

        Raises:
            MissingExtra: pandas isn't installed.
        """
        pandas = pandas_for("Events.to_pandas")
        columns = {"label": str, "start_s": float, "end_s": float, "peak": float, "mean": float}
        data = {
            name: pandas.Series([getattr(event, name) for event in self], dtype=kind)
            for name, kind in columns.items()
        }
        return told_about(pandas.DataFrame(data), self)

    def plot(self, ax: Axes | None = None, *, top: int = 10, colorbar: bool = True) -> Axes:
        """Draw a bar for each event, one lane per label, and return the axes; needs the extra [plot].

        A bar's colour is the event's peak score. Bars whose gap is too short to be seen are joined.

        Args:
            ax: where to draw; None for a new figure of pyplot.
            top: how many labels have lanes, those that are heard longest.
            colorbar: whether to add the bar that says what the colours mean.

        Raises:
            MissingExtra: matplotlib isn't installed.
        """
        from fastaudio.drawing import figures, lanes  # noqa: PLC0415  # most programs never draw

        top = count("Events.plot", top)
        ax = figures.axes(ax, "Events.plot", size=(9, self._height_of_picture(top)))
        spans = [(event.label, (event.start_s, end_of(event), event.peak)) for event in self]
        empty = self.why_none() or "no events"
        lanes.lanes(ax, spans, (0.0, self.duration_s), top=top, empty=empty, colorbar=colorbar)
        return ax

    def _height_of_picture(self, top: int) -> float:
        return 1.4 + 0.3 * min(top, len({event.label for event in self}))

    def _repr_html_(self) -> str:
        from fastaudio.drawing import notebook  # noqa: PLC0415  # only a notebook asks for it

        head = ("start (s)", "end (s)", "label", "peak score")
        rows = [
            (f"{event.start_s:.2f}", f"{end_of(event):.2f}", event.label, f"{event.peak:.2f}")
            for event in self[:_IN_NOTEBOOK]
        ]
        table = notebook.table(head, rows, n_more=len(self) - len(rows))
        title = notebook.title("Events", self, "events", self.why_none())
        return notebook.page(title, table, image=self._repr_png_(), alt="the events over time")

    def _repr_png_(self) -> bytes | None:
        from fastaudio.drawing import notebook  # noqa: PLC0415  # only a notebook asks for it

        return notebook.picture(self.plot, 9, self._height_of_picture(10))


def _below(score: float, onset: float) -> str:
    """Return a score with two decimals, or as many as it takes to be seen below `onset`."""
    for n_decimals in range(2, 9):
        text = f"{score:.{n_decimals}f}"
        if float(text) < onset:
            break
    return text
