"""The command `fastaudio quantize`: 8-bit layers, within a bound on the scores and if they are faster."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from fastaudio._system.text import printable
from fastaudio.cli.arguments import FAILED, OK, Commands, add_command, add_force, number
from fastaudio.cli.progress import stages
from fastaudio.cli.terminal import complain
from fastaudio.importing.saving import check_place
from fastaudio.pipeline import Pipeline
from fastaudio.quantizing import NothingWon, QuantizeError, quantize

if TYPE_CHECKING:
    from collections.abc import Mapping

_HELP = """\
write a model with 8-bit layers, if that is faster here and within a bound

Search layer by layer for what can take 8-bit numbers, until no clip's score moves by more than the bound and
a run is faster on this processor. Every second sound of the folder calibrates, the others are held out: the
bound holds for them. The card says what was done and measured. Where nothing is both within the bound and
faster, nothing is written. Whether 8 bits are faster depends on the processor: measure where it will run.
Needs pip install 'fastaudio-toolkit[quantize]'.

examples:
  fastaudio quantize musicnn-mtt --calibrate songs -o quick              within 0.01
  fastaudio quantize musicnn-mtt --calibrate songs --bound 0.03 -o quick.onnx
  fastaudio tag song.mp3 --model quick/card.json

exit status: 0 written, 1 nothing was within the bound and faster, or sounds were left out (stderr says why),
2 it couldn't be searched
"""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "quantize", _run, _HELP)
    parser.add_argument("model", metavar="MODEL", help="name of a model, or path of a card or a packed model")
    parser.add_argument(
        "--calibrate", required=True, metavar="FOLDER", help="sounds like those that the model is for"
    )
    parser.add_argument(
        "--bound",
        type=_bound,
        default=0.01,
        metavar="D",
        help="largest difference of a clip's scores (%(default)s)",
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="FOLDER", help="where to write the model, or a FILE.onnx"
    )
    add_force(parser)
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")


def _bound(text: str) -> float:
    """Return a number above 0, at most 1."""
    value = number(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"expected a difference of scores above 0, at most 1, got {text}")
    return value


def _complain_of(failed: Mapping[str, str]) -> None:
    for path, reason in failed.items():
        complain(reason if reason.startswith(path) else f"{path}: {reason}")


def _run(args: argparse.Namespace) -> int:
    check_place(args.output, force=args.force)
    pipeline = Pipeline.load(args.model)
    try:
        with stages(quiet=args.quiet) as progress:
            made = quantize(
                pipeline,
                args.calibrate,
                args.output,
                bound=args.bound,
                force=args.force,
                progress=progress,
            )
    except QuantizeError as error:
        _complain_of(error.failed)
        if not isinstance(error, NothingWon):
            raise
        complain(str(error))
        return FAILED
    _complain_of(made.failed)
    about = made.about
    sys.stdout.write(
        f"{printable(str(made.path))}  ({about['method']}, {len(about['layers'])} layers)\n"
        f"takes {about['time_ratio']:.2f} of the time; largest difference of a clip's scores "
        f"{about['largest_difference']:.2g} over {about['sounds']['held_out']} sounds held out\n"
    )
    return FAILED if made.failed else OK
