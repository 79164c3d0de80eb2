"""Writing tags and events of files: as text, JSON, JSON Lines, CSV, or tables for other programs."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fastaudio._system.text import printable
from fastaudio.events import csv_header
from fastaudio.tags import CSV_COLUMNS as TAGS_COLUMNS
from fastaudio.tags import score_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from fastaudio.events import Event, Events
    from fastaudio.tags import Tags

_BAR_WIDTH = 24


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


def tags_form(args: argparse.Namespace) -> Form:
    """Return the chosen form for tags."""
    top, windows = args.top, args.windows
    least = None if args.min_score is None else float(args.min_score)
    if args.form == "json":
        return _list_of(lambda tags: _without_low(tags.to_dict(top=top, windows=windows), least))
    if args.form == "jsonl" and windows:
        return Form(lambda tags: _lines(tags.to_jsonl(top=top), least))
    if args.form == "jsonl":
        return Form(lambda tags: _lines(tags.to_json(top=top) + "\n", least))
    if args.form == "csv":
        header = ",".join(TAGS_COLUMNS) + "\n"
        return Form(
            lambda tags: _rows(tags.to_csv(top=top, windows=windows, header=False), least),
            header,
            empty=header,
        )
    return Form(lambda tags: _tags_text(_shown(tags), top, windows=windows, least=least), is_data=False)


def events_form(args: argparse.Namespace) -> Form:
    """Return the chosen form for events."""
    header = csv_header()
    forms = {
        None: Form(lambda events: _events_text(_shown(events)), is_data=False),
        "json": _list_of(lambda events: events.to_dict()),
        "jsonl": Form(lambda events: events.to_jsonl()),
        "csv": Form(lambda events: events.to_csv(header=False), header, empty=header),
        "audacity": Form(lambda events: events.to_audacity()),
        "raven": Form(lambda events: events.to_raven()),
    }
    return forms[args.form]


def _list_of(plain: Callable[[Any], dict[str, Any]]) -> Form:
    """Write one JSON list."""

    def piece(result: Any) -> str:
        return "  " + json.dumps(plain(result), indent=2, ensure_ascii=False).replace("\n", "\n  ")

    return Form(piece, "[\n", ",\n", "\n]\n", empty="[]\n")


def _without_low(data: dict[str, Any], least: float | None) -> dict[str, Any]:
    """Leave out tags with scores below `least`, of the whole and of each window."""
    if least is None:
        return data
    for part in [data, *data.get("windows", [])]:
        part["tags"] = [tag for tag in part["tags"] if _reaches(tag["score"], least)]
    return data


def _lines(text: str, least: float | None) -> str:
    """Leave out the same tags of JSON lines."""
    if least is None:
        return text
    parts = [_without_low(json.loads(line), least) for line in text.split("\n") if line]
    return "".join(json.dumps(part, ensure_ascii=False) + "\n" for part in parts)


def _rows(text: str, least: float | None) -> str:
    """Leave out the same tags of CSV."""
    if least is None:
        return text
    kept = io.StringIO()
    score = TAGS_COLUMNS.index("score")
    rows = csv.reader(io.StringIO(text, newline=""))
    csv.writer(kept, lineterminator="\n").writerows(
        row for row in rows if _reaches(float(row[score] or "nan"), least)
    )
    return kept.getvalue()


def _reaches(score: float | None, least: float | None) -> bool:
    """Tell whether a score is to be shown; one that is no number is, so that it is seen."""
    return least is None or score is None or not score < least


def _shown(result: Any) -> Any:
    """Return tags or events with a name and labels that can't control a terminal."""
    return replace(result, path=printable(str(result.path)), labels=list(map(printable, result.labels)))


def event_line(event: Event) -> str:
    """Return an event as a line of text."""
    end = "..." if event.end_s is None else f"{event.end_s:.2f}"
    return f"  {event.start_s:7.2f} - {end:>7} s  {printable(event.label):<18} {event.peak:4.2f}\n"


def _events_text(events: Events) -> str:
    why = events.why_none()
    lines = "".join(map(event_line, events)) or f"  no events{why and f' ({printable(why)})'}\n"
    return f"{events.path}  ({events.duration_s:.1f} s)\n{lines}"


def _tags_text(tags: Tags, top: int, *, windows: bool, least: float | None) -> str:
    lines = [f"{tags.path}  ({tags.duration_s:.1f} s)\n"]
    if not len(tags):
        lines.append("  no sound\n")
    elif windows:
        for window in tags:
            best = window.text(top, least=least)
            lines.append(f"  {window.start_s:7.2f} - {window.end_s:7.2f} s  {best}\n")
    elif tags.silent.all():
        lines.append("  silence\n")
    else:
        for label, score in [pair for pair in tags.top(top) if _reaches(pair[1], least)]:
            lines.append(f"  {label:<18} {score_text(score):>4}  {_bar(score)}".rstrip() + "\n")
    if not tags.finite and not windows:
        lines.append("  (not all scores are finite)\n")
    return "".join(lines)


def _bar(score: float) -> str:
    """Return a score from 0 to 1 as a bar; what lies outside has the nearest one's."""
    return "#" * round(min(max(score, 0.0), 1.0) * _BAR_WIDTH)
