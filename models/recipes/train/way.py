"""How runs are carried out, whatever they train: where, in which precision, and what is kept on disk."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device import NAMES, chosen
from output_paths import output_folder


@dataclass(frozen=True)
class Way:
    """How runs are carried out; the defaults give the tables' numbers.

    Attributes:
        device: where networks are trained.
        mixed: whether products of matrices are in bfloat16.
        every: steps from one checkpoint, and one look at the held-out notes, to the next.
        checkpoints: folder in which runs keep their state; None for none.
        select: whether one training program of each family is held out, and the weights kept that are best on
            these.
        curves: folder for the numbers of loss curves; None for none.
    """

    device: str = "cpu"
    mixed: bool = False
    every: int = 20
    checkpoints: Path | None = None
    select: bool = False
    curves: Path | None = None

    def changes(self) -> dict[str, Any]:
        """Return what of it changes numbers, unless that is the default."""
        own = {"device": self.device, "mixed": self.mixed, "select": self.select}
        own = {name: value for name, value in own.items() if value != getattr(Way, name)}
        return own | ({"every": self.every} if self.select else {})


PLAINLY = Way()


def add_way(parser: argparse.ArgumentParser) -> None:
    """Add the options that all trainers have."""
    parser.add_argument("--device", default="cpu", help=f"{', '.join(NAMES)}, or cuda:1 (%(default)s)")
    parser.add_argument("--mixed", action="store_true", help="products of matrices in bfloat16")
    parser.add_argument(
        "--checkpoints", type=output_folder, metavar="FOLDER", help="go on in the midst of a run, too"
    )
    parser.add_argument(
        "--curves", type=output_folder, metavar="FOLDER", help="numbers and a plot of loss curves"
    )


def way_of(options: argparse.Namespace) -> Way:
    """Return how runs are carried out, from the options that a command has.

    Raises:
        ValueError: there is no such device.
    """
    device = str(chosen(options.device))
    own = {name: getattr(options, name, getattr(Way, name)) for name in ("every", "select")}
    return Way(device, options.mixed, checkpoints=options.checkpoints, curves=options.curves, **own)
