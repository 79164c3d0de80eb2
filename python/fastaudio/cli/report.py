"""fastaudio models and info: what there is."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from fastaudio._system.versions import format_versions
from fastaudio.cards import DEFAULT_MODEL, models, read_card
from fastaudio.cli.arguments import OK, Commands
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    import argparse


def add(commands: Commands) -> None:
    """Add the commands."""
    listing = commands.add_parser("models", help="list the models, or show one")
    listing.add_argument("name", nargs="?", help="name, or path of a card or a packed model")
    listing.set_defaults(run=_models)

    info = commands.add_parser("info", help="show versions, instruction set and ONNX Runtime")
    info.set_defaults(run=_info)


def _info(_: argparse.Namespace) -> int:
    sys.stdout.write(format_versions())
    return OK


def _models(args: argparse.Namespace) -> int:
    if args.name is None:
        rows = [(name, read_card(name).data) for name in models()]
        width = max(map(len, models()), default=0)
        for name, data in rows:
            default = "  (default)" if name == DEFAULT_MODEL else ""
            sys.stdout.write(f"{name:<{width}}  {data.get('description', '')}{default}\n")
        return OK
    data = dict(read_card(args.name).data)
    pipeline = Pipeline.load(args.name)
    for key in ("name", "version", "task", "description", "weights", "trained_on", "metrics", "parameters"):
        if key in data:
            sys.stdout.write(f"{key:<12} {_short(data[key])}\n")
    for key in ("licence", "citation", "source"):
        if key in data:
            sys.stdout.write(f"{key:<12} {_short(data[key])}\n")
    sys.stdout.write("outputs\n")
    for name, output in data.get("outputs", {}).items():
        shape = " x ".join(str(n) for n in output.get("shape", []))
        sys.stdout.write(f"  {name:<14} {shape:<14} {output.get('purpose', '')}\n")
    labels = [label for spec in pipeline.output_specs.values() for label in spec.labels]
    what = ", ".join(labels) or "none; fastaudio embed writes what it gives"
    sys.stdout.write(f"labels       {what}\n\n{pipeline}\n")
    return OK


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
