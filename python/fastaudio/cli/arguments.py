"""What the commands share: exit statuses, types of arguments."""

from __future__ import annotations

import argparse
import math
from typing import TypeAlias

from fastaudio.cards import DEFAULT_MODEL

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  # it has no other name

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
RAW = argparse.RawDescriptionHelpFormatter


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add what says which model runs."""
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help="name, or path of a card or a packed model (%(default)s)"
    )


def add_untrained(parser: argparse.ArgumentParser) -> None:
    """Add what lets untrained weights give tags."""
    parser.add_argument(
        "--untrained", action="store_true", help="run untrained weights too: their tags mean nothing"
    )


def positive(text: str) -> int:
    """Return a whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {text}")
    return value


def seconds(text: str) -> float:
    """Return a number above 0."""
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected seconds above 0, got {text}")
    return value
