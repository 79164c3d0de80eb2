"""The commands `fastaudio pack` and `unpack`: a model as one file, or as a card with files beside it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio._system.text import printable
from fastaudio.cards import read_card
from fastaudio.cards.pack import pack, unpack
from fastaudio.cli.arguments import OK, Commands, add_command, add_force

if TYPE_CHECKING:
    import argparse

_PACK_HELP = """\
write a model as one file

Write a card and its networks as one .onnx file, which --model takes.

examples:
  fastaudio pack musicnn-mtt -o tagger.onnx      a model that comes with the package
  fastaudio pack mine/card.json -o mine.onnx     your own model, with all its networks
  fastaudio tag song.mp3 --model mine.onnx       nothing else is needed
  fastaudio models mine.onnx                     what its card says

The file is still an ONNX model, with the card in its metadata. Loading it refuses damage and changed parts;
that doesn't prove who made it.
"""

_UNPACK_HELP = """\
write a packed model as separate files

Write a packed model's card.json and networks into a folder. Nothing else is written but its LICENSE: the
networks' names end in .onnx, and none leads out of the folder.

examples:
  fastaudio unpack mine.onnx -o mine             mine/card.json, and each network as it was
"""


def add(commands: Commands) -> None:
    """Add the commands."""
    pack = add_command(commands, "pack", _pack, _PACK_HELP)
    pack.add_argument("card", metavar="CARD", help="name of a model, or path of a card")
    pack.add_argument("-o", "--output", metavar="FILE", required=True, help="the .onnx file to write")
    add_force(pack)

    unpack = add_command(commands, "unpack", _unpack, _UNPACK_HELP)
    unpack.add_argument("model", metavar="FILE", help="a packed model")
    unpack.add_argument("-o", "--output", metavar="FOLDER", required=True, help="the folder to write into")
    add_force(unpack)


def _pack(args: argparse.Namespace) -> int:
    target = Path(args.output)
    if target.suffix != ".onnx":
        raise ValueError(f"pack: expected -o as a file that ends in .onnx, got {args.output!r}")
    pack(read_card(args.card), target, force=args.force)
    _say([target])
    return OK


def _unpack(args: argparse.Namespace) -> int:
    _say(unpack(read_card(args.model), Path(args.output), force=args.force))
    return OK


def _say(paths: list[Path]) -> None:
    for path in paths:
        sys.stdout.write(f"{printable(str(path))}  ({path.stat().st_size:,} bytes)\n")
