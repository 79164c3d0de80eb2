"""Events on the command line: their options, and how they are written. `tag` and live commands share them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from fastaudio import _core

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from fastaudio.events import Event, Events
    from fastaudio.pipeline import Pipeline

    Writer = Callable[[Events | None], None]

# Option, its place in the node, what it says.
_NUMBERS = (
    ("--onset", "X", "score that begins an event (0.5)"),
    ("--offset", "X", "score below which it ends (as --onset)"),
    ("--min-on", "S", "drop events shorter than S seconds (0)"),
    ("--min-off", "S", "bridge dips shorter than S seconds (0)"),
    ("--cool-down", "S", "no other event of a label for S seconds after one (0)"),
    ("--smoothing", "S", "take the mean score of S seconds (0)"),
)

TABLES = ("audacity", "raven")
"""Forms that hold the events of one signal."""


def add_events_options(parser: argparse.ArgumentParser) -> None:
    """Add --events and what says when one begins and ends."""
    group = parser.add_argument_group("events", "each of these implies --events")
    group.add_argument("--events", action="store_true", help="events, with their beginning and end")
    for name, unit, text in _NUMBERS:
        group.add_argument(name, type=float, metavar=unit, help=text)


def add_events_forms(form: argparse._MutuallyExclusiveGroup) -> None:
    """Add the forms that only events have, beside --json and the others."""
    tables = ("audacity", "events as an Audacity label track"), ("raven", "events as a Raven Pro table")
    for name, text in tables:
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=text)


def events_node(args: argparse.Namespace, *, onsets: bool = False) -> _core.Events:
    """Return the node that the options ask for.

    Raises:
        ValueError: an option outside its range.
    """
    lists = {
        "onset": args.onset,
        "offset": args.offset,
        "min_on_s": args.min_on,
        "min_off_s": args.min_off,
        "cool_down_s": args.cool_down,
    }
    chosen = {name: [number] for name, number in lists.items() if number is not None}
    return _core.Events(**chosen, smoothing_s=args.smoothing or 0.0, onsets=onsets)


def gives_events(pipeline: Pipeline) -> bool:
    """Whether what comes out is events, not tags.

    Raises:
        ValueError: both come out.
    """
    units = {spec.kind == "events" for spec in pipeline.output_specs.values()}
    if len(units) > 1:
        raise ValueError(f"{pipeline.name}: expected a model that gives tags or events, got both")
    return units == {True}


def with_events(pipeline: Pipeline, args: argparse.Namespace, *, onsets: bool = False) -> Pipeline:
    """Return a pipeline that gives events if options ask for them, and otherwise the same one.

    Raises:
        ValueError: it has no labels.
    """
    if not all(spec.labels for spec in pipeline.output_specs.values()):
        raise ValueError(
            f"{args.model}: expected a model that gives tags, got features; fastaudio embed writes these"
        )
    numbers = (getattr(args, name.strip("-").replace("-", "_")) for name, _, _ in _NUMBERS)
    chosen = any(number is not None for number in numbers)
    asked = args.events or getattr(args, "form", None) in TABLES
    if chosen or (asked and not gives_events(pipeline)):
        return pipeline >> events_node(args, onsets=onsets)
    return pipeline


def text_line(event: Event) -> str:
    """Return an event as a line of text."""
    end = "..." if event.end_s is None else f"{event.end_s:.2f}"
    return f"  {event.start_s:7.2f} - {end:>7} s  {event.label:<18} {event.peak:4.2f}\n"


def _write_text(out: TextIO) -> Writer:
    def write(events: Events | None) -> None:
        if events is not None:
            out.write(f"{events.path}  ({events.duration_s:.1f} s)\n")
            out.writelines(map(text_line, events))
            out.write("" if len(events) else "  no events\n")
            out.flush()

    return write


def _write_json(out: TextIO) -> Writer:
    all_events: list[dict[str, Any]] = []

    def write(events: Events | None) -> None:
        if events is not None:
            all_events.append(events.to_dict())
        else:
            json.dump(all_events, out, indent=2, ensure_ascii=False)
            out.write("\n")

    return write


def _write_csv(out: TextIO) -> Writer:
    header = True

    def write(events: Events | None) -> None:
        nonlocal header
        if events is not None:
            out.write(events.to_csv(header=header))
            out.flush()
            header = False

    return write


def _writing(form: Callable[[Events], str]) -> Callable[[TextIO], Writer]:
    """Each signal as it comes."""

    def open_writer(out: TextIO) -> Writer:
        def write(events: Events | None) -> None:
            if events is not None:
                out.write(form(events))
                out.flush()

        return write

    return open_writer


EVENT_WRITERS: dict[str | None, Callable[[TextIO], Writer]] = {
    None: _write_text,
    "json": _write_json,
    "jsonl": _writing(lambda events: events.to_jsonl()),
    "csv": _write_csv,
    "audacity": _writing(lambda events: events.to_audacity()),
    "raven": _writing(lambda events: events.to_raven()),
}
