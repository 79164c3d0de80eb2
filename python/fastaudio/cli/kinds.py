"""The option that leaves out what kind of sound it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio.cli.ahead import judge_beside, tellers_for
from fastaudio.kinds import (
    KIND,
    NEAR_S,
    UNKNOWN,
    Ahead,
    Heard,
    Judge,
    Judged,
    Kind,
    Tellers,
    apart,
    judge_of,
    kind_at,
    split,
    whole_of,
)

if TYPE_CHECKING:
    import argparse

    from fastaudio.pipeline import Pipeline

__all__ = [
    "KIND",
    "NEAR_S",
    "UNKNOWN",
    "Heard",
    "Judge",
    "Judged",
    "Kind",
    "add_kind",
    "ahead_of",
    "apart",
    "judge_for",
    "kind_at",
    "split",
    "whole_of",
]


def add_kind(parser: argparse.ArgumentParser) -> None:
    """Add the option that leaves kinds out."""
    parser.add_argument(
        "--no-kind",
        action="store_true",
        help="don't say what kind of sound it is, nor mark tags of sound that the model doesn't hear",
    )


def ahead_of(args: argparse.Namespace) -> Ahead | Tellers | None:
    """Return what `judge_for` needs, or begin to load it; None if it needs nothing."""
    if args.no_kind or getattr(args, "isolate", False):
        return None
    return tellers_for(args.model) or Ahead(args.model)


def judge_for(
    pipeline: Pipeline, args: argparse.Namespace, ahead: Ahead | Tellers | None = None
) -> Judge | None:
    """Return what tells kinds beside a pipeline's results; none with --no-kind, or for stdin with --isolate.

    See `judge_of`.
    """
    apart = getattr(args, "isolate", False)
    none = args.no_kind or (apart and "-" in args.paths)
    return None if none else judge_beside(pipeline) or judge_of(pipeline, apart=apart, ahead=ahead)
