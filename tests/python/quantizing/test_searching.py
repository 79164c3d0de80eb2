"""The search for layers, with clocks and differences that are made up."""

from __future__ import annotations

from fastaudio.quantizing.searching import Measured, search
from fastaudio.quantizing.timing import Timing, compare

RATIO = {"a": 0.7, "b": 0.9, "c": 0.8, "d": 1.3}
HARM = {"a": 0.02, "b": 0.004, "c": 0.004, "d": 0.001}


def measured(asked: list[frozenset[str]], ratios: dict[str, float] = RATIO) -> Measured:
    """Gains and harms that add up."""

    def time(chosen: frozenset[str]) -> Timing:
        ratio = 1 - sum(1 - ratios[name] for name in chosen)
        return Timing(ratio, ratio + 0.01)

    def differ(chosen: frozenset[str]) -> float:
        asked.append(chosen)
        return sum(HARM[name] for name in chosen)

    return Measured(time, differ)


def test_layers_that_harm_most_for_their_gain_are_put_back_until_the_bound_holds() -> None:
    found = search(RATIO, measured([]), 0.01)
    assert found is not None
    assert found.layers == {"b", "c"}  # "d" gains nothing, "a" harms most for its gain
    assert found.difference <= 0.01
    assert found.timing.faster


def test_all_layers_stay_inside_a_wide_bound() -> None:
    found = search(RATIO, measured([]), 1.0)
    assert found is not None
    assert found.layers == set(RATIO)


def test_if_what_is_left_is_not_faster_the_best_so_far_within_the_bound_is_taken() -> None:
    ratios = {"a": 0.5, "b": 0.97, "c": 0.94, "d": 1.0}
    found = search(ratios, measured([], ratios), 0.0075)
    assert found is not None
    assert found.layers == {"c"}


def test_where_nothing_is_faster_no_difference_is_even_measured() -> None:
    asked: list[frozenset[str]] = []
    assert search(RATIO, measured(asked, dict.fromkeys(RATIO, 1.1)), 0.01) is None
    assert not asked


def test_only_layers_that_gain_are_taken_if_all_together_are_slower() -> None:
    found = search(RATIO, measured([], RATIO | {"d": 2.0}), 1.0)
    assert found is not None
    assert found.layers == {"a", "b", "c"}


def test_a_bound_that_no_layer_holds_finds_nothing() -> None:
    assert search(RATIO, measured([]), 1e-4) is None


def test_the_search_is_deterministic_and_measures_each_choice_once() -> None:
    first, second = list[frozenset[str]](), list[frozenset[str]]()
    assert search(RATIO, measured(first), 0.01) == search(RATIO, measured(second), 0.01)
    assert first == second
    assert len(first) == len(set(first))


def test_a_run_that_does_more_is_not_called_faster() -> None:
    def runs(n: int) -> int:
        return sum(range(n))

    assert not compare(lambda: runs(40_000), lambda: runs(10_000), seconds=0.1).faster
    assert compare(lambda: runs(10_000), lambda: runs(40_000), seconds=0.1).ratio < 0.95
