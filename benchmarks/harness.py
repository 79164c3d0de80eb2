"""Defines what every benchmark shares: a case, its target, and how time is taken.

A subject (`bench_<subject>.py`) has a function `groups(context)`, which returns groups of cases
that are compared with each other. `rounds.py` measures them, `show.py` shows the results.
"""

from __future__ import annotations

import gc
import importlib
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

Values: TypeAlias = dict[str, float]
"""Values that this round measured so far, by the case's name."""

Measure: TypeAlias = Callable[[Values], float]
Statistic: TypeAlias = Literal["min", "median"]


@dataclass(frozen=True)
class Context:
    """The file and settings that a subject works with.

    Attributes:
        audio: the file to measure with.
        temp: a folder that is deleted afterwards.
        quick: whether to measure little and roughly.
        repeat: rounds asked for, or None for each group's own number.
        librosa: another Python, whose librosa is measured too.
        wake_word: the folder with openWakeWord's networks.
    """

    audio: Path
    temp: Path
    quick: bool = False
    repeat: int | None = None
    librosa: Path | None = None
    wake_word: Path | None = None


@dataclass(frozen=True)
class Target:
    """A target: the limits for a case's ratio to its baseline, or for its value."""

    at_most: float
    at_least: float | None = None
    of: Literal["ratio", "value"] = "ratio"

    def __str__(self) -> str:
        start = "<=" if self.at_least is None else f"{self.at_least:.3g} to"
        return f"{start} {self.at_most:.3g}" + (" x" if self.of == "ratio" else "")

    def holds(self, got: float) -> bool:
        """Return whether a value or ratio is within the limits."""
        return (self.at_least is None or got >= self.at_least) and got <= self.at_most


@dataclass(frozen=True)
class Case:
    """One thing to measure.

    Attributes:
        name: what the table calls it.
        measure: returns one measurement; it sees what this round measured before it, so a case
            can be a sum or a difference of others. None means that the peer isn't there.
        baseline: name of the case that it is divided by.
        absent: why it can't be measured, if it can't.
    """

    name: str
    measure: Measure | None
    baseline: str | None = None
    target: Target | None = None
    absent: str = "not installed"


@dataclass(frozen=True)
class Group:
    """Cases of one unit that are measured in turns, `rounds` times."""

    title: str
    unit: str
    cases: list[Case]
    rounds: int = 9
    warm_up: bool = True


@dataclass
class Result:
    """A case and its values, one per round; no values, but a note, if it couldn't be measured.

    Attributes:
        ratios: to the baseline, as a ratio of both minima and as the median of each round's ratio. Other
            work on the machine disturbs the two in different ways.
        limit: where the target lies, in the unit.
        verdict: on the target: "yes" or "NO" if minimum and median agree, else "unclear"; "?"
            without the baseline.
    """

    subject: str
    group: str
    name: str
    unit: str
    baseline: str | None
    target: str | None
    values: list[float] = field(default_factory=list)
    ratios: dict[Statistic, float] = field(default_factory=dict)
    limit: float | None = None
    verdict: Literal["", "yes", "NO", "unclear", "?"] = ""
    note: str = ""

    def statistic(self, which: Statistic) -> float:
        """Return the minimum or the median of the values."""
        return min(self.values) if which == "min" else statistics.median(self.values)


class Timed:
    """A measurement of how long a call takes, in seconds times `scale`, by the wall or of all threads.

    A call shorter than `at_least_s` is repeated until that much time has passed; the warm-up tells
    how often. `cpu_s` is the processor time of the last measurement, of all threads.
    """

    def __init__(
        self,
        call: Callable[[], Any],
        *,
        scale: float = 1.0,
        at_least_s: float = 0.0,
        clock: Literal["wall", "cpu"] = "wall",
    ) -> None:
        self.cpu_s = math.nan
        self._clock = clock
        self._call = call
        self._scale = scale
        self._at_least_s = at_least_s
        self._number = 1

    def __call__(self, _values: Values) -> float:
        """Return the time of one call."""
        call, number = self._call, self._number
        gc.collect()
        gc.disable()
        cpu_s, start = time.process_time(), time.perf_counter()
        for _ in range(number):
            call()
        each_s = (time.perf_counter() - start) / number
        self.cpu_s = (time.process_time() - cpu_s) / number
        gc.enable()
        self._number = max(1, math.ceil(self._at_least_s / max(each_s, 1e-9)))
        return (each_s if self._clock == "wall" else self.cpu_s) * self._scale


def optional(name: str) -> ModuleType | None:
    """Import a peer's module; None if it isn't installed or doesn't load."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError):
        return None
