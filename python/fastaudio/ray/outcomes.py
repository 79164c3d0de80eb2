"""What a worker says of the files that it was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Done(NamedTuple):
    """A file that is done.

    Attributes:
        path: as the tables hold it.
        size: its bytes, -1 if that isn't known.
        duration_s: length of its sound, NaN if that isn't known.
        error: why it couldn't be run over, or None.
    """

    path: str
    size: int
    duration_s: float
    error: str | None


@dataclass
class Outcome:
    """What came of some files.

    Attributes:
        done: those that are done and in a table.
        followed: whether another run had begun, so that nothing was written.
        refused: why nothing could be written, or None.
    """

    done: list[Done] = field(default_factory=list)
    followed: bool = False
    refused: str | None = None
