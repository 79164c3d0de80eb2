"""Writing tags and events of files: as text, JSON, JSON Lines, CSV, or tables for other programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from fastaudio.events import Event, Events
    from fastaudio.tags import Tags

    Write: TypeAlias = Callable[[Any], None]
    Text: TypeAlias = Callable[[Any, bool], str]

_BAR_WIDTH = 24


def tags_writer(args: argparse.Namespace, out: TextIO) -> Write:
    """Return what writes tags in the chosen form; call it with each result, and with None at the end."""
    top, windows = args.top, args.windows
    if args.form == "json":
        return _as_list(out, lambda tags: tags.to_dict(top=top, windows=windows))
    forms: dict[str | None, Text] = {
        None: lambda tags, _: _tags_text(tags, top, windows=windows),
        "jsonl": lambda tags, _: tags.to_jsonl(top=top) if windows else tags.to_json(top=top) + "\n",
        "csv": lambda tags, first: tags.to_csv(top=top, windows=windows, header=first),
    }
    return _one_by_one(out, forms[args.form])


def events_writer(args: argparse.Namespace, out: TextIO) -> Write:
    """Return what writes events in the chosen form; call it as `tags_writer` says."""
    if args.form == "json":
        return _as_list(out, lambda events: events.to_dict())
    forms: dict[str | None, Text] = {
        None: lambda events, _: _events_text(events),
        "jsonl": lambda events, _: events.to_jsonl(),
        "csv": lambda events, first: events.to_csv(header=first),
        "audacity": lambda events, _: events.to_audacity(),
        "raven": lambda events, _: events.to_raven(),
    }
    return _one_by_one(out, forms[args.form])


def event_line(event: Event) -> str:
    """Return an event as a line of text."""
    end = "..." if event.end_s is None else f"{event.end_s:.2f}"
    return f"  {event.start_s:7.2f} - {end:>7} s  {event.label:<18} {event.peak:4.2f}\n"


def _events_text(events: Events) -> str:
    lines = "".join(map(event_line, events)) or "  no events\n"
    return f"{events.path}  ({events.duration_s:.1f} s)\n{lines}"


def _tags_text(tags: Tags, top: int, *, windows: bool) -> str:
    lines = [f"{tags.path}  ({tags.duration_s:.1f} s)\n"]
    if not len(tags):
        lines.append("  no sound\n")
    elif windows:
        for window in tags:
            best = ", ".join(f"{label} {score:.2f}" for label, score in window.top(top))
            lines.append(f"  {window.start_s:7.2f} - {window.end_s:7.2f} s  {best}\n")
    else:
        for label, score in tags.top(top):
            lines.append(f"  {label:<18} {score:4.2f}  {'#' * round(score * _BAR_WIDTH)}".rstrip() + "\n")
    return "".join(lines)


def _one_by_one(out: TextIO, text: Text) -> Write:
    """Write each result when it comes; `text` is told whether it is the first, which needs a header."""
    first = True

    def write(result: Any) -> None:
        nonlocal first
        if result is not None:
            out.write(text(result, first))
            out.flush()
            first = False

    return write


def _as_list(out: TextIO, plain: Callable[[Any], dict[str, Any]]) -> Write:
    """Write one JSON list at the end."""
    held: list[dict[str, Any]] = []

    def write(result: Any) -> None:
        if result is not None:
            held.append(plain(result))
        else:
            json.dump(held, out, indent=2, ensure_ascii=False)
            out.write("\n")

    return write
