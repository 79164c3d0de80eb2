"""The command `fastaudio models`, which lists the models or shows what the card of one says."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError
from fastaudio._system.text import printable, quoted
from fastaudio.cards import DEFAULT_MODEL, models, read_card
from fastaudio.cards.named import card_path, model_at
from fastaudio.cli.arguments import OK, Commands, add_command, add_isolate
from fastaudio.cli.get import about_entry, to_fetch
from fastaudio.cli.listing import descriptions
from fastaudio.cli.tensors import tensors_text
from fastaudio.pipeline import Pipeline
from fastaudio.registry import entries

if TYPE_CHECKING:
    import argparse

_HELP = """\
list the models, or show one

List the models that are here and those that `fastaudio get` fetches, or show what the card of one says.

examples:
  fastaudio models                  a list: those that are here, the default one first, and those to fetch
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
    add_isolate(listing)


def _run(args: argparse.Namespace) -> int:
    if args.tensors and args.name is None:
        raise ModelError("models --tensors: expected a model's name or a path, got none; add it")
    if args.tensors and args.isolate:
        raise ValueError(
            "models: expected --tensors or --isolate, got both; tensors are read in this process only, "
            "so leave out --tensors for a model of a stranger"
        )
    text = _table() if args.name is None else _shown(args.name, tensors=args.tensors, isolate=args.isolate)
    sys.stdout.write(printable(text, lines=True))  # cards are untrusted
    return OK


def _shown(name: str, *, tensors: bool, isolate: bool) -> str:
    """Return what is known of a model: one that is here, also at a path of that name, or one to fetch."""
    if tensors:
        return tensors_text(name)
    return (None if model_at(name) else about_entry(name)) or _about(name, isolate=isolate)


def _table() -> str:
    here = descriptions((name, *_described(name)) for name in models())
    there = to_fetch()
    return f"here\n{here}" + (f"\nto fetch: fastaudio get NAME\n{there}" if there else "")


def _described(name: str) -> tuple[str, str]:
    """Return what is said of a model that is here, whatever became of its card, and a note on it."""
    try:
        description = str(read_card(name).data.get("description", ""))
    except ModelError:
        known = entries().get(name)
        remedy = f"run: {known.command}" if known else f"remove {card_path(name).parent}"
        return "", f"damaged; {remedy}"
    return description, "default" if name == DEFAULT_MODEL else ""


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
