"""Writing tags and events of files: as text, JSON, JSON Lines, CSV, or tables for other programs."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from fastaudio._system.commas import csv_text
from fastaudio._system.text import printable, spelled
from fastaudio.annotations.tables import rttm_id
from fastaudio.cli.kinds import UNKNOWN, Heard, Judged, Kind, apart, kind_at, whole_of
from fastaudio.drawing.clock import HOUR_S, MINUTE_S, clock_text, length_text
from fastaudio.events import CSV_COLUMNS as EVENTS_COLUMNS
from fastaudio.events import csv_header
from fastaudio.kinds import MARK, marked
from fastaudio.tags import CSV_COLUMNS as TAGS_COLUMNS
from fastaudio.tags import score_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from fastaudio.events import Event, Events
    from fastaudio.tags import Tags

_BAR_WIDTH = 24

Least: TypeAlias = "float | Mapping[str, float] | None"
"""From which score tags are shown: one for all, each label's own, or None for any."""

FITS = "fits"
"""The last column of CSV that has kinds: whether the sound is of the kind that the model hears."""


@dataclass(frozen=True)
class Form:
    """How results are written: the text of each, and what stands around and between them.

    Attributes:
        piece: gives the text of a result.
        begin, between, end: what stands around the pieces, and between them.
        empty: what stands there instead of all if there is no piece.
        is_data: whether it is for programs, and so UTF-8 everywhere, not for a terminal.
    """

    piece: Callable[[Any], str]
    begin: str = ""
    between: str = ""
    end: str = ""
    empty: str = ""
    is_data: bool = True


def tags_form(args: argparse.Namespace, _names: Sequence[str] = (), *, kinds: bool = False) -> Form:
    """Return the chosen form for tags; with `kinds`, they come as `Judged`."""
    top, windows = args.top, args.windows
    least: Least = args.min_score

    def plain(result: Any) -> dict[str, Any]:
        tags, heard = apart(result)
        return _with_kinds(without_low(tags.to_dict(top=top, windows=windows), least), heard)

    def lines(result: Any) -> str:
        tags, heard = apart(result)
        return _lines(tags.to_jsonl(top=top), least, heard)

    def rows(result: Any) -> str:
        tags, heard = apart(result)
        return _rows(tags.to_csv(top=top, windows=windows, header=False), least, heard, windows=windows)

    if args.form == "json":
        return _list_of(plain)
    if args.form == "jsonl" and windows:
        return Form(lines)
    if args.form == "jsonl":
        return Form(lambda result: json.dumps(plain(result), ensure_ascii=False) + "\n")
    if args.form == "csv":
        header = ",".join([*TAGS_COLUMNS, FITS] if kinds else TAGS_COLUMNS) + "\n"
        return Form(rows, header, empty=header)

    def text(result: Any) -> str:
        tags, heard = apart(result)
        return _tags_text(_shown(tags), heard, top, windows=windows, least=least)

    return Form(text, is_data=False)


def events_form(args: argparse.Namespace, names: Sequence[str] = (), *, kinds: bool = False) -> Form:
    """Return the chosen form for events; with `kinds`, they come as `Judged`.

    RTTM tells the recordings of `names` apart, whatever their folders.
    """
    least = None if args.min_score is None else float(args.min_score)
    if args.form is None:
        return Form(lambda result: _events_text(result, least), is_data=False)
    header = csv_header().rstrip("\n") + (f",{FITS}\n" if kinds else "\n")
    ids = _rttm_ids(names)
    forms = {
        "json": _list_of(_plain_events),
        "jsonl": Form(_event_lines),
        "csv": Form(_event_rows, header, empty=header),
        "audacity": Form(lambda result: marked(*apart(result)).to_audacity()),
        "raven": Form(lambda result: marked(*apart(result)).to_raven()),
        "rttm": Form(lambda result: marked(*apart(result)).to_rttm(file_id=ids.get(str(result.path)))),
        "praat": Form(lambda result: marked(*apart(result)).to_praat()),
    }
    form = forms[args.form]
    return replace(form, piece=lambda result: form.piece(_with_reaching(result, least)))


def _rttm_ids(names: Sequence[str]) -> dict[str, str]:
    """Return what RTTM calls recordings whose files have the same name: their paths, numbered if need be."""
    n_alike = Counter(map(rttm_id, names))
    ids: dict[str, str] = {}
    for name in dict.fromkeys(map(spelled, (name for name in names if n_alike[rttm_id(name)] > 1))):
        own = text = "_".join(name.split())  # RTTM's fields end with a space
        number = 2
        while own in ids.values():
            own, number = f"{text}_{number}", number + 1
        ids[name] = own
    return ids


def reaching(events: Any, least: float | None) -> tuple[Any, str]:
    """Return the events whose peaks reach `least`, and why there are none if there are none."""
    if least is None or not len(events):
        return events, events.why_none()
    kept = tuple(event for event in events if reaches(event.peak, least))
    return replace(events, events=kept), "" if kept else none_reaches(len(events), least)


def none_reaches(n_events: int, least: float) -> str:
    """Say why no event is left of some."""
    return f"{n_events} with peaks below {least:g}"


def _with_reaching(result: Any, least: float | None) -> Any:
    if isinstance(result, Judged):
        return replace(result, result=reaching(result.result, least)[0])
    return reaching(result, least)[0]


def _plain_events(result: Any) -> dict[str, Any]:
    events, heard = apart(result)
    data: dict[str, Any] = events.to_dict()
    if heard is None:
        return data
    for part in data["events"]:
        part.update(_plain_kind(_kind_of(part, heard)))
    return data | _plain_kind(heard.whole())


def _event_lines(result: Any) -> str:
    events, heard = apart(result)
    text: str = events.to_jsonl()
    return text if heard is None else _lines(text, None, heard)


def _event_rows(result: Any) -> str:
    events, heard = apart(result)
    text: str = events.to_csv(header=False)
    return text if heard is None else _with_fits(text, EVENTS_COLUMNS, heard)


def _list_of(plain: Callable[[Any], dict[str, Any]]) -> Form:
    """Write one JSON list."""

    def piece(result: Any) -> str:
        return "  " + json.dumps(plain(result), indent=2, ensure_ascii=False).replace("\n", "\n  ")

    return Form(piece, "[\n", ",\n", "\n]\n", empty="[]\n")


def without_low(data: dict[str, Any], least: Least) -> dict[str, Any]:
    """Leave out tags with scores below `least`, of the whole and of each window."""
    if least is None:
        return data
    for part in [data, *data.get("windows", [])]:
        part["tags"] = [tag for tag in part["tags"] if reaches(tag["score"], least, tag["label"])]
    return data


def _with_kinds(data: dict[str, Any], heard: Heard | None) -> dict[str, Any]:
    """Add what kind of sound the whole and each window is."""
    if heard is None:
        return data
    for part in data.get("windows", []):
        part.update(_plain_kind(_kind_of(part, heard)))
    return data | _plain_kind(heard.whole())


def _plain_kind(kind: Kind | None) -> dict[str, Any]:
    return UNKNOWN if kind is None else kind.to_dict()


def _kind_of(window: dict[str, Any], heard: Heard) -> Kind | None:
    silent = window.get("silent", False)
    return None if silent else heard.at(float(window["start_s"]), float(window["end_s"]))


def _lines(text: str, least: Least, heard: Heard | None) -> str:
    """Leave out the same tags of JSON lines, one for each window, and add the window's kind."""
    parts = [without_low(json.loads(line), least) for line in text.split("\n") if line]
    if heard is not None:
        parts = [part | _plain_kind(_kind_of(part, heard)) for part in parts]
    return "".join(json.dumps(part, ensure_ascii=False) + "\n" for part in parts)


def _rows(text: str, least: Least, heard: Heard | None, *, windows: bool) -> str:
    """Leave out the same tags of CSV, and say at the end of each row whether the sound fits the model."""
    text = rows_reaching(text, least)
    if heard is None:
        return text
    if windows:
        return _with_fits(text, TAGS_COLUMNS, heard)
    return csv_text([*row, fits_text(heard.whole())] for row in _csv_rows(text))


def rows_reaching(text: str, least: Least) -> str:
    """Leave out rows of tags in CSV with scores below `least`."""
    if least is None:
        return text
    score, label = map(TAGS_COLUMNS.index, ("score", "label"))
    rows = _csv_rows(text)
    return csv_text(row for row in rows if reaches(float(row[score] or "nan"), least, row[label]))


def _with_fits(text: str, columns: Sequence[str], heard: Heard) -> str:
    """Say at the end of each row of CSV whether the sound of its stretch fits the model."""
    rows = ((row, dict(zip(columns, row, strict=True))) for row in _csv_rows(text))
    return csv_text([*row, fits_text(_kind_of(named, heard))] for row, named in rows)


def fits_text(kind: Kind | None) -> str:
    """Return whether a kind fits the model, as CSV has it."""
    return "" if kind is None else str(kind.fits).lower()


def _csv_rows(text: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""))


def reaches(score: float | None, least: Least, label: str = "") -> bool:
    """Tell whether a label's score is to be shown; one that is no number is, so that it is seen."""
    if isinstance(least, Mapping):
        least = least.get(label)
    return least is None or score is None or not score < least


def _shown(result: Any) -> Any:
    """Return tags or events with a name and labels that can't control a terminal."""
    return replace(result, path=printable(str(result.path)), labels=list(map(printable, result.labels)))


def stretch(start_s: float, end_s: float | None, longest_s: float) -> str:
    """Return from when to when, for people: in seconds, or as on a clock if the sound lasts a minute or more.

    Lines of one sound have one width. `end_s` is None of what goes on.
    """
    if longest_s < MINUTE_S:
        return f"{start_s:7.2f} - {'...' if end_s is None else f'{end_s:.2f}':>7} s"
    n = 7 if longest_s < HOUR_S else 10
    times = ["..." if at_s is None else clock_text(at_s, longest_s, 0.01) for at_s in (start_s, end_s)]
    return f"{times[0]:>{n}} - {times[1]:>{n}}"


def event_line(event: Event, kind: Kind | None = None, *, longest_s: float = 0.0) -> str:
    """Return an event as a line of text, with a mark if its sound's kind doesn't fit the model."""
    label = f"{printable(event.label):<18}"
    return f"{mark(kind)} {stretch(event.start_s, event.end_s, longest_s)}  {label} {event.peak:4.2f}\n"


def _events_text(result: Any, least: float | None) -> str:
    events, heard = apart(result)
    events, why = reaching(_shown(events), least)
    how = {"longest_s": events.duration_s}
    lines = [event_line(event, kind_at(heard, event.start_s, event.end_s), **how) for event in events]
    lines = lines or [f"  no events{why and f' ({printable(why)})'}\n"]
    return "".join([_head(events, heard), *lines, _legend(lines, heard)])


def _head(result: Tags | Events, heard: Heard | None) -> str:
    """Return the first line of a file: its name, length and kind."""
    kind = whole_of(heard)
    return f"{result.path}  ({length_text(result.duration_s)}{'' if kind is None else f', {kind}'})\n"


def _legend(lines: Iterable[str], heard: Heard | None) -> str:
    """Return what the mark means, if a line has it."""
    if heard is None or not any(line.startswith(MARK) for line in lines):
        return ""
    model = printable(heard.judge.model)
    return f"  ({MARK} isn't {heard.judge.wanted}, and {model} hears nothing else)\n"


def _tags_text(tags: Tags, heard: Heard | None, top: int, *, windows: bool, least: Least) -> str:
    whole = whole_of(heard)
    lines = []
    if not len(tags):
        lines.append("  no sound\n")
    elif windows:
        for window in tags:
            best = window.text(top, least=least)
            kind = None if window.silent else kind_at(heard, window.start_s, window.end_s)
            told = "" if kind is None else f"({kind}) "
            at = stretch(window.start_s, window.end_s, tags.duration_s)
            lines.append(f"{mark(kind)} {at}  {told}{best}\n")
    elif tags.silent.all():
        lines.append("  silence\n")
    else:
        for label, score in [pair for pair in tags.top(top) if reaches(pair[1], least, pair[0])]:
            lines.append(f"{mark(whole)} {label:<18} {score_text(score):>4}  {_bar(score)}".rstrip() + "\n")
        lines = lines or _none_counts(tags, least)
    if not tags.finite and not windows:
        lines.append("  (not all scores are finite)\n")
    return "".join([_head(tags, heard), *lines, _legend(lines, heard)])


def _none_counts(tags: Tags, least: Least) -> list[str]:
    """Say which label came nearest to counting, if each has a score of its own from which it does."""
    if not isinstance(least, Mapping) or not tags.top(1):
        return []
    label, score = max(tags.top(len(tags.labels)), key=lambda pair: pair[1] - least.get(pair[0], 0.0))
    limit = least.get(label, 0.0)
    return [f"  no tag reaches its threshold; nearest: {label} {score_text(score)} of {limit:.2f}\n"]


def mark(kind: Kind | None) -> str:
    """Return the mark of a kind that doesn't fit the model, or a space."""
    return " " if kind is None or kind.fits else MARK


def _bar(score: float) -> str:
    """Return a score from 0 to 1 as a bar; what lies outside has the nearest one's."""
    return "#" * round(min(max(score, 0.0), 1.0) * _BAR_WIDTH)
