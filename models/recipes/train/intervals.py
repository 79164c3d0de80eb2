"""Says how much a method's accuracy depends on which programs it is scored on, which seeds don't show."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

DRAWS = 2000
Record = dict[str, Any]


def by_program(predicted: Tensor, target: Tensor, program: Tensor) -> dict[str, list[int]]:
    """Return how many notes of each program were given their family, and how many there are."""
    right = predicted == target
    return {
        str(int(number)): [int(right[program == number].sum()), int((program == number).sum())]
        for number in program.unique()
    }


def counts(right: NDArray[np.bool_], program: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return how many notes of each program are right, and how many there are [n, (right, all)]."""
    names = np.unique(program)
    return np.array([[right[program == name].sum(), (program == name).sum()] for name in names], np.int64)


def interval(counted: NDArray[np.int64]) -> tuple[float, float]:
    """Return where accuracy lies in 95 of 100 draws of the programs [n, (right, all)]."""
    low, high = np.percentile(again(counted), [2.5, 97.5])
    return float(low), float(high)


def again(counted: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the accuracy of each draw; the draws are the same for all methods."""
    drawn = np.random.default_rng(0).integers(0, len(counted), (DRAWS, len(counted)))
    right, n = np.moveaxis(counted[drawn].sum(axis=1), -1, 0)
    return np.asarray(right / n, np.float64)


def over_programs(records: Sequence[Record], methods: Sequence[str]) -> str:
    """Return a table in markdown: accuracy's interval over programs, and that of how far a method is ahead.

    Seeds are added up. Methods and shares whose records don't have the programs are left out; "" if all are.
    """
    found = {
        (method, fraction): counted
        for method in methods
        for fraction in sorted({record["fraction"] for record in records})
        if (counted := added(records, method, fraction)) is not None
    }
    if not found:
        return ""
    fractions = sorted({fraction for _, fraction in found})
    first = methods[0]
    head = ["interval over programs", *(f"{fraction:.0%}" for fraction in fractions)]
    head += [f"ahead of {first}, {fraction:.0%}" for fraction in fractions]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for method in methods:
        own = [found.get((method, fraction)) for fraction in fractions]
        base = [None if method == first else found.get((first, fraction)) for fraction in fractions]
        cells = ["-" if one is None else "{:.3f} to {:.3f}".format(*interval(one)) for one in own]
        cells += [ahead(one, other) for one, other in zip(own, base, strict=True)]
        lines.append([method, *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def added(records: Sequence[Record], method: str, fraction: float) -> NDArray[np.int64] | None:
    """Return counts of a method's programs [n, (right, all)] over its seeds, None if they aren't known."""
    own = [r for r in records if (r["method"], r["fraction"]) == (method, fraction)]
    if not own or not all(record.get("by_program") for record in own):
        return None
    programs = sorted({name for record in own for name in record["by_program"]}, key=int)
    counts = [[record["by_program"].get(name, [0, 0]) for name in programs] for record in own]
    return np.array(counts, np.int64).sum(axis=0)


def ahead(own: NDArray[np.int64] | None, base: NDArray[np.int64] | None) -> str:
    """Return the interval of how far one is ahead of another on the same programs, or a dash."""
    if own is None or base is None or len(own) != len(base):
        return "-"
    low, high = np.percentile(again(own) - again(base), [2.5, 97.5])
    return f"{low:+.3f} to {high:+.3f}"
