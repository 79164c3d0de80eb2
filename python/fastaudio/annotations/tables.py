"""Lines of tables: label tracks of Audacity, selection tables of Raven Pro, and RTTM."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio._system.text import spelled
from fastaudio.annotations.event import end_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastaudio.annotations.event import Event

RAVEN_COLUMNS = (
    *("Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"),
    *("Annotation", "Peak Score", "Mean Score", "Begin File"),
)

_NOTHING = "<NA>"  # in RTTM
_DECIMALS = 6
_ENDS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")  # of a cell or a line


def audacity_line(event: Event) -> str:
    """Return an event as a line of an Audacity label track; ValueError if the event goes on."""
    return _tabbed((f"{event.start_s:.6f}", f"{end_of(event):.6f}", event.label))


def raven_header() -> str:
    """Return the first row of a Raven Pro selection table."""
    return _tabbed(RAVEN_COLUMNS)


def raven_row(event: Event, selection: int, *, high_hz: float, path: str | None = None) -> str:
    """Return an event as row number `selection`, from 1, of a Raven Pro selection table.

    The selection spans 0 to `high_hz` Hz. `Begin File` is the name of the recording at `path`, and empty
    without one. Raises ValueError if the event goes on.
    """
    times = f"{event.start_s:.6f}", f"{end_of(event):.6f}"
    scores = f"{event.peak:.6f}", f"{event.mean:.6f}"
    row = _tabbed((selection, "Spectrogram 1", 1, *times, "0.0", f"{high_hz:.1f}", event.label, *scores, ""))
    name = "" if path is None else _ENDS.sub(" ", spelled(Path(path).name))  # its other spaces are its own
    return row[:-1] + name + "\n"


def rttm_id(path: str | None) -> str:
    """Return what RTTM calls a recording: its file's name without suffix, or <NA> if it has none."""
    return _word(spelled(Path(path).stem)) if path else _NOTHING


def rttm_line(event: Event, *, file_id: str) -> str:
    """Return an event as a line of RTTM.

    It has the type SPEAKER, which all programs read, the label as the speaker's name, and the peak score as
    the confidence. White space in `file_id` and in labels becomes `_`, since fields end with a space. Raises
    ValueError if the event goes on.
    """
    start_s, end_s = round(event.start_s, _DECIMALS), round(end_of(event), _DECIMALS)
    times = f"{start_s:.6f}", f"{end_s - start_s:.6f}"
    fields = ("SPEAKER", _word(file_id), "1", *times, _NOTHING, _NOTHING, _word(event.label))
    return " ".join((*fields, f"{event.peak:.6f}", _NOTHING)) + "\n"


def one_line(text: object) -> str:
    """Return text for programs that don't know quotes: any white space becomes one space."""
    return " ".join(str(text).split())


def _tabbed(row: Sequence[object]) -> str:
    return "\t".join(map(one_line, row)) + "\n"


def _word(text: str) -> str:
    return "_".join(text.split()) or _NOTHING
