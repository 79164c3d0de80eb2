"""Exit statuses, argument types, and options that several commands share."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, TypeAlias

from fastaudio.cards import DEFAULT_MODEL
from fastaudio.cli.help_text import Help
from fastaudio.cli.terminal import complain

if TYPE_CHECKING:
    from collections.abc import Callable

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  # it has no other name

Options: TypeAlias = "argparse.ArgumentParser | argparse._ArgumentGroup"  # noqa: SLF001

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
RAW = Help

RESULTS = "write the results to a file, not to stdout"


def add_command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    """Add a command and return its parser.

    `run` takes the parsed arguments and returns the exit status. `text` is a line for `fastaudio --help`, the
    command's description and its examples, with empty lines in between.
    """
    summary, description, examples = text.split("\n\n", 2)
    parser = commands.add_parser(
        name, help=summary, description=description, epilog=examples, formatter_class=RAW
    )
    parser.set_defaults(run=run)
    return parser


def add_model(parser: Options) -> None:
    """Add the option that chooses the model."""
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help=f"name, or path of a card or a packed model ({DEFAULT_MODEL})"
    )


def add_layer(parser: Options) -> None:
    """Add the option that chooses the output of the network that gives rows."""
    parser.add_argument(
        "--layer",
        metavar="NAME",
        help="output of the network, or any tensor of it that fastaudio models MODEL --tensors lists (the "
        "first output that its card calls an embedding, or else the first)",
    )


def add_hop(parser: Options, whose: str = "the model's") -> None:
    """Add the option that chooses how far windows step."""
    parser.add_argument("--hop", type=seconds, metavar="S", help=f"step between windows in seconds ({whose})")


def add_tags(parser: Options, *, top: int = 5) -> None:
    """Add the options of commands that show tags."""
    parser.add_argument(
        "--untrained", action="store_true", help="run untrained weights too, although their tags mean nothing"
    )
    parser.add_argument("--top", type=positive, default=top, metavar="K", help="tags to show (%(default)s)")
    parser.add_argument(
        "--min-score",
        type=number,
        metavar="X",
        help="leave out tags with scores, and events with peaks, below X (what the card says of each label)",
    )


def add_output(
    parser: Options, text: str = RESULTS, *, metavar: str = "FILE", required: bool = False
) -> None:
    """Add the options that say where results go, and whether they may replace what is there."""
    parser.add_argument("-o", "--output", required=required, metavar=metavar, help=text)
    add_force(parser)


def add_force(parser: Options) -> None:
    """Add the option that lets outputs replace what is there."""
    parser.add_argument("--force", action="store_true", help="replace files that are there, once all is done")


def add_resume(parser: Options) -> None:
    """Add the option that goes on with an unfinished run."""
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with a run that broke off: give the same options and --output",
    )


def add_jobs(parser: Options) -> None:
    """Add the options of commands that run over files."""
    parser.add_argument("--jobs", type=positive, metavar="N", help="files to run at once (one per core)")
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")


def add_channel(parser: argparse.ArgumentParser) -> None:
    """Add the option that takes one channel."""
    parser.add_argument(
        "--channel",
        type=natural,
        metavar="C",
        help="take channel C, counted from 0, instead of the mean of all",
    )


def add_isolate(parser: argparse.ArgumentParser) -> None:
    """Add the option that runs in processes of their own."""
    parser.add_argument(
        "--isolate",
        action="store_true",
        help="decode and run in processes that can do nothing else, for files and models of strangers",
    )


def add_verbose(parser: argparse.ArgumentParser) -> None:
    """Add the option that logs more."""
    parser.add_argument("-v", "--verbose", action="store_true", help="say more on stderr")


def positive(text: str) -> int:
    """Return a whole number of at least 1."""
    return _whole(text, 1)


def natural(text: str) -> int:
    """Return a whole number of at least 0."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got {text}")
    return value


def number(text: str) -> float:
    """Return a number that is finite."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a number, got {text}")
    return value


def score(text: str) -> float:
    """Return a number from 0 to 1."""
    value = number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a score in [0, 1], got {text}")
    return value


def seconds(text: str) -> float:
    """Return a number above 0."""
    return _above_zero(text, "seconds")


def hertz(text: str) -> float:
    """Return a number above 0."""
    return _above_zero(text, "hertz")


def _above_zero(text: str, unit: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected {unit} above 0, got {text}")
    return value


def status_of(n_failed: int, n_files: int) -> int:
    """Return the exit status of a run over files, after saying on stderr how many failed, if any."""
    if n_failed:
        complain(f"{n_failed} of {n_files} files failed")
    return FAILED if n_failed else OK


def refuse_idle(args: argparse.Namespace, why: str, *names: str) -> None:
    """Refuse options that would do nothing; `why` ends the message, such as "with --label; leave it out".

    Raises:
        ValueError: one of them is given.
    """
    for name in names:
        if getattr(args, name):
            raise ValueError(f"--{name.replace('_', '-')}: expected none {why}")
