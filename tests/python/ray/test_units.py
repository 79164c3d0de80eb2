"""Files are dealt out each once, the largest first, and in smaller units toward the end."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from fastaudio.ray.units import UNIT_S, Units, weight
from fastaudio.scanning.entries import Entry


def dealt(entries: list[Entry], n_workers: int, bytes_per_s: float | None) -> list[list[Entry]]:
    units = Units(entries, n_workers)
    found = []
    while (unit := units.next(bytes_per_s)) is not None:
        found.append(list(unit.entries))
    return found


def test_each_file_is_dealt_out_once_the_largest_first() -> None:
    rng = np.random.default_rng(1)
    entries = [Entry(f"{i}.wav", int(size)) for i, size in enumerate(rng.integers(1, 5_000_000, 3000))]
    entries.append(Entry("unknown"))
    for bytes_per_s in (None, 1e5, 1e8):
        units = dealt(entries, 4, bytes_per_s)
        files = [entry for unit in units for entry in unit]
        assert sorted(entry.path for entry in files) == sorted(entry.path for entry in entries)
        weights = [weight(entry) for entry in files]
        assert weights == sorted(weights, reverse=True)


def test_a_unit_is_half_a_minute_of_work_and_less_at_the_end() -> None:
    entries = [Entry(f"{i}.wav", 100_000) for i in range(20_000)]
    sizes = [sum(map(weight, unit)) / 1e6 for unit in dealt(entries, 4, 1e6)]
    assert sizes[0] == UNIT_S
    assert sizes[-1] <= 2.1
    assert all(later <= earlier + 0.2 for earlier, later in pairwise(sizes))


def test_a_file_longer_than_a_unit_is_one_alone() -> None:
    units = dealt([Entry("long", 10**9), Entry("a", 10**5), Entry("b", 10**5)], 2, 1e6)
    assert [entry.path for entry in units[0]] == ["long"]


def test_what_comes_back_is_dealt_out_next() -> None:
    units = Units([Entry(f"{i}", 10**6) for i in range(10)], 1)
    first = units.next(1e5)
    assert first is not None
    halves = first.halves()
    units.back(*halves)
    assert [units.next(1e5), units.next(1e5)] == halves
    assert [entry for half in halves for entry in half.entries] == list(first.entries)
