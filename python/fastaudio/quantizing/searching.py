"""The search for the layers to quantize: all that gain time, less those that harm most for what they gain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fastaudio.quantizing.timing import Timing

_LEAST_GAIN = 1e-3  # of time; a layer that gains less is the first to go


@dataclass(frozen=True)
class Trial:
    """What a choice of layers gave.

    Attributes:
        layers: names of the layers that were quantized.
        difference: the largest difference of a clip's scores.
        timing: its time, as part of the time without.
    """

    layers: frozenset[str]
    difference: float
    timing: Timing


@dataclass
class Measured:
    """What was measured of choices of layers, each once, and only what is asked for.

    Attributes:
        time: times a choice.
        differ: finds the largest difference of a clip's scores with a choice.
        timings: all times so far.
        differences: all differences so far.
    """

    time: Callable[[frozenset[str]], Timing]
    differ: Callable[[frozenset[str]], float]
    timings: dict[frozenset[str], Timing] = field(default_factory=dict)
    differences: dict[frozenset[str], float] = field(default_factory=dict)

    def timing(self, chosen: frozenset[str]) -> Timing:
        """Return the time of a choice."""
        if chosen not in self.timings:
            self.timings[chosen] = self.time(chosen)
        return self.timings[chosen]

    def difference(self, chosen: frozenset[str]) -> float:
        """Return the largest difference of a clip's scores with a choice."""
        if chosen not in self.differences:
            self.differences[chosen] = self.differ(chosen)
        return self.differences[chosen]


def search(layers: Iterable[str], measured: Measured, bound: float) -> Trial | None:
    """Choose layers whose quantization stays inside a bound and is faster; None if there are none.

    It starts with all layers if they are faster together, or else with those that are faster alone. While the
    difference is above the bound, the layer that harms most for the time that it gains is put back. If what
    is left isn't faster, the fastest choice so far that is within the bound is taken.
    """
    names = list(layers)
    alone = {name: measured.timing(frozenset([name])) for name in names}
    together = measured.timing(frozenset(names))
    chosen = frozenset(names if together.faster else [name for name in names if alone[name].faster])

    def harm(name: str) -> float:
        gain = max(1 - alone[name].ratio, _LEAST_GAIN)
        return measured.difference(frozenset([name])) / gain

    while chosen and measured.timing(chosen).faster:
        difference = measured.difference(chosen)
        if difference <= bound:
            return Trial(chosen, difference, measured.timing(chosen))
        chosen -= {max((name for name in names if name in chosen), key=harm)}
    faster = [chosen for chosen, timing in measured.timings.items() if timing.faster]
    for chosen in sorted(faster, key=lambda each: measured.timings[each].ratio):
        difference = measured.difference(chosen)
        if difference <= bound:
            return Trial(chosen, difference, measured.timings[chosen])
    return None
