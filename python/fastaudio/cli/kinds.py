"""The option that leaves out what kind of sound it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio.kinds import (
    KIND,
    NEAR_S,
    UNKNOWN,
    Ahead,
    Heard,
    Judge,
    Judged,
    Kind,
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


def ahead_of(args: argparse.Namespace) -> Ahead | None:
    """Begin to load what `judge_for` needs; None if it needs nothing."""
    return None if args.no_kind or getattr(args, "isolate", False) else Ahead(args.model)


def judge_for(pipeline: Pipeline, args: argparse.Namespace, ahead: Ahead | None = None) -> Judge | None:
    """Return what tells kinds beside a pipeline's results; none with --no-kind, or for stdin with --isolate.

    See `judge_of`.
    """
    apart = getattr(args, "isolate", False)
    none = args.no_kind or (apart and "-" in args.paths)
    return None if none else judge_of(pipeline, apart=apart, ahead=ahead)
