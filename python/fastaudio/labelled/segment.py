"""A stretch of a recording, and what was found of labelled sound."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypeAlias

LARGEST_S = 1e7
"""No recording is that long."""


@dataclass(frozen=True, order=True)
class Segment:
    """A stretch of a recording.

    Attributes:
        path: the recording.
        start_s, end_s: the stretch, in seconds from the recording's start.
    """

    path: str
    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if (why := why_no_stretch(self.start_s, self.end_s)) is not None:
            raise ValueError(f"Segment: {why}")

    @property
    def duration_s(self) -> float:
        """Its length."""
        return self.end_s - self.start_s

    def __str__(self) -> str:
        return f"{self.path} [{self.start_s:.2f}-{self.end_s:.2f} s]"


File: TypeAlias = "str | Segment"
"""A labelled example: a whole file, or a stretch of one."""


def why_no_stretch(start_s: float, end_s: float) -> str | None:
    """Return why these are no start and end of a stretch of sound; None if they are."""
    if not (math.isfinite(start_s) and math.isfinite(end_s) and start_s >= 0 and end_s <= LARGEST_S):
        return f"expected a start and an end from 0 to {LARGEST_S:g} s, got {start_s:g} to {end_s:g} s"
    if not start_s < end_s:
        return f"expected an end after its start, got {start_s:g} to {end_s:g} s; give the label a length"
    return None


def path_of(file: File) -> str:
    """Return the path of the recording that an example is, or lies in."""
    return file.path if isinstance(file, Segment) else file


@dataclass
class Found:
    """Labelled sound that was found.

    Attributes:
        what: the form that it was found in, for a message.
        files: whole files, or stretches of recordings.
        labels: each one's label, or its list of labels if `several`.
        several: whether each has a list of labels.
        groups: each one's group, or None if nothing says it.
        folds: each one's fold, or None if nothing says it.
        left_out: where something is that should have been labelled sound, and why it isn't.
        skipped: a line that says what else was left out and why, or None.
    """

    what: str
    files: list[File] = field(default_factory=list)
    labels: list[list[str]] = field(default_factory=list)
    several: bool = False
    groups: list[str] | None = None
    folds: list[str] | None = None
    left_out: list[tuple[str, str]] = field(default_factory=list)
    skipped: str | None = None

    def add(self, file: File, labels: list[str]) -> None:
        """Take an example."""
        self.files.append(file)
        self.labels.append(labels)

    def leave_out(self, place: str, why: str) -> None:
        """Take note of something that is no example."""
        self.left_out.append((place, why))
