"""The options that ask for events instead of tags; `tag` and `listen` share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio import _core
from fastaudio.cards.trained import require_trained

if TYPE_CHECKING:
    import argparse

    from fastaudio.pipeline import Pipeline

# Option, unit, help.
_NUMBERS = (
    ("--onset", "X", "score at which an event begins (0.5)"),
    ("--offset", "X", "score below which it ends (as --onset)"),
    ("--min-on", "S", "drop events shorter than S seconds (0)"),
    ("--min-off", "S", "bridge dips shorter than S seconds (0)"),
    ("--cool-down", "S", "start no other event of a label within S seconds after one (0)"),
    ("--smoothing", "S", "take the mean score of S seconds (0)"),
)

TABLES = ("audacity", "raven")
"""Forms that hold the events of a single signal."""


def add_events_options(parser: argparse.ArgumentParser) -> None:
    """Add --events and the options that say when an event begins and ends."""
    group = parser.add_argument_group("events", "each of these implies --events")
    group.add_argument("--events", action="store_true", help="show events, with their beginning and end")
    for name, unit, text in _NUMBERS:
        group.add_argument(name, type=float, metavar=unit, help=text)


def events_node(args: argparse.Namespace, *, onsets: bool = False) -> _core.Events:
    """Return the node that the options describe.

    Raises:
        ValueError: an option is outside its range.
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
    """Tell whether a pipeline gives events, not tags.

    Raises:
        ValueError: it gives both.
    """
    units = {spec.kind == "events" for spec in pipeline.output_specs.values()}
    if len(units) > 1:
        raise ValueError(f"{pipeline.name}: expected a model that gives tags or events, got both")
    return units == {True}


def with_events(pipeline: Pipeline, args: argparse.Namespace, *, onsets: bool = False) -> Pipeline:
    """Return a pipeline that gives events if an option says so, else the same pipeline.

    Raises:
        ModelError: its weights are untrained, and --untrained isn't given.
        ValueError: it gives neither tags nor events.
    """
    require_trained(pipeline.card, pipeline.output_specs.values(), untrained=pipeline.untrained)
    if not all(spec.labels for spec in pipeline.output_specs.values()):
        raise ValueError(
            f"{args.model}: expected a model that gives tags, got features; fastaudio embed writes these"
        )
    numbers = (getattr(args, name.strip("-").replace("-", "_")) for name, _, _ in _NUMBERS)
    chosen = any(number is not None for number in numbers)
    wanted = args.events or args.form in TABLES
    if chosen or (wanted and not gives_events(pipeline)):
        return pipeline >> events_node(args, onsets=onsets)
    return pipeline
