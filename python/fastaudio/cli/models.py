"""The command `fastaudio models`, which lists the models or shows what the card of one says."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError
from fastaudio._system.text import printable, quoted
from fastaudio.cards import DEFAULT_MODEL, heard_at_once, models, read_card
from fastaudio.cards.named import card_path, model_at
from fastaudio.cli.arguments import OK, Commands, add_command, add_isolate
from fastaudio.cli.get import about_entry, to_fetch
from fastaudio.cli.listing import Listed, table, width
from fastaudio.cli.tensors import networks_of, tensors_text
from fastaudio.cli.terminal import put
from fastaudio.pipeline import Pipeline
from fastaudio.registry import entries

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from fastaudio.cards import Card

_HELP = """\
list the models, or show one

List the models that are here and those that `fastaudio get` fetches, or show what the card of one says. The
list has what each hears, at which rate it takes sound and how much at once, its size, and its licence.

examples:
  fastaudio models                  a list: those that are here, the default one first, and those to fetch
  fastaudio models --json           the same for programs
  fastaudio models musicnn-mtt      its licence, layers, labels and nodes
  fastaudio models mine.onnx        a packed model's
  fastaudio models net.onnx --tensors   its network's tensors: names for OnnxModel(outputs=[...])
"""
_SHOWN = (
    *("name", "version", "task", "description", "hears", "weights", "trained_on", "metrics", "parameters"),
    *("licence", "citation", "source", "fetched"),
)


def add(commands: Commands) -> None:
    """Add the command."""
    listing = add_command(commands, "models", _run, _HELP)
    listing.add_argument("name", metavar="NAME", nargs="?", help="name, or path of a card or a packed model")
    listing.add_argument(
        "--tensors",
        action="store_true",
        help="list name, type and shape of each tensor of its networks; NAME may be a bare .onnx file too",
    )
    listing.add_argument("--json", action="store_true", help="write one JSON list, or an object for NAME")
    add_isolate(listing)


def _run(args: argparse.Namespace) -> int:
    if args.tensors and args.name is None:
        raise ModelError("models --tensors: expected a model's name or a path, got none; add it")
    for option in ("isolate", "json"):
        if args.tensors and getattr(args, option):
            raise ValueError(
                f"models: expected --tensors or --{option}, got both; tensors are text and read in this "
                "process, so leave out one"
            )
    if args.json:
        put(json.dumps(_data(args.name), indent=2, ensure_ascii=False) + "\n")
        return OK
    text = _table() if args.name is None else _shown(args.name, tensors=args.tensors, isolate=args.isolate)
    sys.stdout.write(printable(text, lines=True))  # cards are untrusted
    return OK


def _shown(name: str, *, tensors: bool, isolate: bool) -> str:
    """Return what is known of a model: one that is here, also at a path of that name, or one to fetch."""
    if tensors:
        return tensors_text(name)
    return (None if model_at(name) else about_entry(name)) or _about(name, isolate=isolate)


def _table() -> str:
    here, there = [_listed(name) for name in models()], to_fetch()
    text = f"here\n{table(here, width(0))}"
    if there:
        text += f"\nto fetch: fastaudio get NAME\n{table(there, width(0))}"
    notes = {one.note for one in there if one.hears and one.note}
    return text + "".join(f"  * {note}\n" for note in notes)


def _data(name: str | None) -> Any:
    """Return what JSON says of all models, or of one."""
    if name is None:
        return [one.to_dict() for one in [*map(_listed, models()), *to_fetch()]]
    if not model_at(name) and (there := [one for one in to_fetch() if one.name == name]):
        return there[0].to_dict() | _told(entries()[name].card)
    card = read_card(name)
    return _listed(name).to_dict() | _told(card.data)


def _told(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a card says of its model, beside what every list says."""
    return {key: data[key] for key in (*_SHOWN, "outputs") if key in data and key not in {"name", "hears"}}


def _listed(name: str) -> Listed:
    """Return what is said of a model that is here, whatever became of its card."""
    try:
        card = read_card(name)
        rate, window_s = heard_at_once(card.data) or (None, None)
        return Listed(
            name=str(card.data.get("name", name)) if model_at(name) else name,
            hears=str(card.data.get("task") or card.data.get("description", "")),
            sample_rate=rate,
            window_s=window_s,
            size_bytes=_size_of(card),
            licence=str(card.data.get("licence", "")),
            default=name == DEFAULT_MODEL,
        )
    except ModelError:
        known = entries().get(name)
        remedy = f"run: {known.command}" if known else f"remove {card_path(name).parent}"
        return Listed(name, note=f"damaged; {remedy}")


def _size_of(card: Card) -> int | None:
    """Return how many bytes a model's networks are; None if they aren't all there."""
    try:
        if card.packed:
            return card.path.stat().st_size
        names = {path: beside for path, _, beside in networks_of(card.data["pipeline"])}
        files = [card.path.parent / path for path in names]
        files += [
            (card.path.parent / path).parent / each for path, beside in names.items() for each in beside
        ]
        return sum(file.stat().st_size for file in files)
    except OSError:
        return None


def _about(model: str, *, isolate: bool) -> str:
    data = dict(read_card(model).data)
    with Pipeline.load(model, isolate=isolate) as pipeline:
        return _text(data, pipeline)


def _text(data: dict[str, Any], pipeline: Pipeline) -> str:
    lines = []
    for key in _SHOWN:
        if key in data:
            value = data[key] if isinstance(data[key], str) else json.dumps(data[key], ensure_ascii=False)
            lines.append(f"{key:<12} {value}")
    lines.append("outputs")
    for name, output in data.get("outputs", {}).items():
        shape = " x ".join(str(n) for n in output.get("shape", []))
        lines.append(f"  {name:<14} {shape:<14} {output.get('purpose', '')}")
    labels = [label for spec in pipeline.output_specs.values() for label in spec.labels]
    what = ", ".join(map(quoted, labels)) or "none; fastaudio embed writes what it gives"
    lines += [f"labels       {what}", ""]
    return "\n".join([*map(printable, lines), str(pipeline)]) + "\n"  # a text of the card makes no line
