"""Intervals over programs: how much an accuracy depends on which programs a method happens to meet."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")

import intervals  # noqa: E402


def record(method: str, seed: int, counts: dict[str, list[int]]) -> intervals.Record:
    return {"method": method, "fraction": 1.0, "seed": seed, "by_program": counts}


def test_each_program_counts_its_notes_and_those_that_are_right() -> None:
    found = intervals.by_program(
        torch.tensor([1, 2, 1, 0]), torch.tensor([1, 1, 1, 2]), torch.tensor([40, 40, 7, 7])
    )
    assert found == {"7": [1, 2], "40": [1, 2]}
    right, program = np.array([True, False, True, False]), np.array(["40", "40", "7", "7"])
    assert intervals.counts(right, program).tolist() == [[1, 2], [1, 2]]


def test_an_interval_is_that_of_programs_drawn_anew() -> None:
    assert intervals.interval(np.array([[3, 4]] * 9)) == (0.75, 0.75), "programs that are all alike"
    low, high = intervals.interval(np.array([[0, 10]] * 10 + [[10, 10]] * 10))
    deviation = 0.5 / np.sqrt(20)
    assert (low, high) == pytest.approx((0.5 - 2 * deviation, 0.5 + 2 * deviation), abs=0.03)


def test_methods_are_compared_on_the_same_draws_with_their_seeds_added_up() -> None:
    hard = {str(n): [n % 5, 5] for n in range(20)}
    easier = {name: [right + 1, 6] for name, (right, _) in hard.items()}
    records = [record("first", seed, hard) for seed in (0, 1)] + [record("second", 0, easier)]
    assert intervals.added(records, "first", 1.0) is not None
    assert intervals.added(records, "first", 1.0).sum(axis=0).tolist() == [80, 200]  # type: ignore[union-attr]
    lines = intervals.over_programs(records, ["first", "second"]).splitlines()
    assert lines[0] == "| interval over programs | 100% | ahead of first, 100% |"
    assert lines[2].endswith("| - |")
    low, high = (float(part) for part in lines[3].split("|")[3].split(" to "))
    assert 0 < low < 0.1 < high < 0.2, "each program is a little easier, so the difference is sure"


def test_records_without_programs_have_no_interval() -> None:
    old = {"method": "first", "fraction": 1.0, "seed": 0}
    assert intervals.over_programs([old], ["first"]) == ""
    assert intervals.added([old, record("first", 1, {"7": [1, 2]})], "first", 1.0) is None
