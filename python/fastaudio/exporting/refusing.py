"""What a graph can't hold, in words."""

from __future__ import annotations

from typing import NoReturn

from fastaudio._core import FastaudioError


class ExportError(FastaudioError, ValueError):
    """A pipeline that a graph can't hold, or one whose graph gives other numbers."""


class BlockError(ExportError):
    """A block that gives no whole number of rows.

    Attributes:
        n: how many rows a node got of it.
        hop: of how many they have to be a multiple.
        least: how many there have to be.
    """

    n: int = 1
    hop: int = 1
    least: int = 0


def refuse(who: str, expected: str, got: str, remedy: str) -> NoReturn:
    """Raise ExportError."""
    raise ExportError(f"{who}: expected {expected}, got {got}; {remedy}")


def refuse_stream(who: str, got: str) -> NoReturn:
    """Raise ExportError for what needs the whole signal."""
    refuse(who, "a node that can run on blocks in a graph", got, "export without streaming")


def refuse_block(who: str, hop: int, n: int | None, least: int = 0) -> NoReturn:
    """Raise ExportError for a block that gives no whole number of rows."""
    wanted = f"blocks of a multiple of {hop} of its input rows" + (f", at least {least}" if least else "")
    error = BlockError(f"{who}: expected {wanted}, got {n}; choose another block, or leave block out")
    error.n, error.hop, error.least = n or 1, hop, least
    raise error
