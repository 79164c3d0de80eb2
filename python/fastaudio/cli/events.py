"""The options that ask for events instead of tags; `tag`, `plot` and `listen` share them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastaudio._core import Events
from fastaudio.cards.thresholds import card_onsets
from fastaudio.cards.trained import require_trained
from fastaudio.cli.arguments import number, score
from fastaudio.cli.forms import TABLES

if TYPE_CHECKING:
    import argparse

    from fastaudio.pipeline import Pipeline

# The node's option: the command line's option, unit, help.
_NUMBERS = {
    "onset": ("--onset", "X", "score at which an event begins (what the card says, or 0.5)"),
    "offset": ("--offset", "X", "score below which it ends (as --onset)"),
    "min_on_s": ("--min-on", "S", "drop events shorter than S seconds (0)"),
    "min_off_s": ("--min-off", "S", "bridge dips shorter than S seconds (0)"),
    "cool_down_s": ("--cool-down", "S", "start no other event of a label within S seconds after one (0)"),
    "smoothing_s": ("--smoothing", "S", "take the mean score of S seconds (0)"),
}


def add_events_options(parser: argparse.ArgumentParser) -> None:
    """Add --events and the options that say when an event begins and ends."""
    group = parser.add_argument_group("events", "each of these implies --events")
    group.add_argument("--events", action="store_true", help="show events, with their beginning and end")
    for name, (option, unit, text) in _NUMBERS.items():
        kind = score if unit == "X" else number
        group.add_argument(option, dest=name, type=kind, metavar=unit, help=text)


def gives_events(pipeline: Pipeline) -> bool:
    """Tell whether a pipeline gives events, not tags; ValueError if it gives both."""
    units = {spec.kind == "events" for spec in pipeline.output_specs.values()}
    if len(units) > 1:
        raise ValueError(f"{pipeline.name}: expected a model that gives tags or events, got both")
    return units == {True}


def onsets_of(pipeline: Pipeline) -> dict[str, float]:
    """Return the score at which an event of each label begins, of a pipeline that gives events."""
    onsets: dict[str, float] = {}
    last = pipeline.node.parts()[-1]
    if isinstance(last, Events):
        labels = [label for spec in pipeline.output_specs.values() for label in spec.labels]
        each = last.onset if len(last.onset) == len(labels) else list(last.onset) * len(labels)
        onsets = dict(zip(labels, each, strict=True))
    return onsets


def with_events(pipeline: Pipeline, args: argparse.Namespace, *, onsets: bool = False) -> Pipeline:
    """Return a pipeline that gives events if an option says so, else the same pipeline.

    Raises:
        ModelError: its weights are untrained, and --untrained isn't given.
        ValueError: it gives neither tags nor events, or an option is outside its range.
    """
    require_trained(pipeline.card, pipeline.output_specs.values(), untrained=pipeline.untrained)
    if not all(spec.labels for spec in pipeline.output_specs.values()):
        raise ValueError(
            f"{args.model}: expected a model that gives tags, got features; fastaudio embed writes these"
        )
    chosen = {name: getattr(args, name) for name in _NUMBERS if getattr(args, name) is not None}
    wanted = args.events or args.form in TABLES
    if chosen or (wanted and not gives_events(pipeline)):
        smoothing_s = chosen.pop("smoothing_s", 0.0)
        lists: dict[str, Any] = {name: [number] for name, number in chosen.items()}
        if "onset" not in lists:
            lists["onset"] = card_onsets(pipeline)
        return pipeline >> Events(**lists, smoothing_s=smoothing_s, onsets=onsets)
    return pipeline
