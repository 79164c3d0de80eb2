"""The axis of time: ticks as on a clock, and where windows stand."""

from __future__ import annotations

import numpy as np
import pytest
from fastaudio.drawing.clock import clock_text, edges_of, limits_of, step_of


@pytest.mark.parametrize(
    ("span_s", "most", "step_s"),
    [
        (9.97, 10, 1),
        (10, 9, 2),
        (0.3, 10, 0.05),
        (59, 10, 10),
        (600, 10, 60),
        (3600, 10, 600),
        (36_000, 10, 3600),
        (86_400, 10, 10_800),
        (400_000, 10, 43_200),
        (2_000_000, 10, 259_200),
    ],
)
def test_ticks_are_whole_on_a_clock(span_s: float, most: int, step_s: float) -> None:
    assert step_of(span_s, most) == pytest.approx(step_s)


@pytest.mark.parametrize("span_s", np.geomspace(1e-4, 1e7, 200).tolist())
def test_there_are_neither_many_ticks_nor_none(span_s: float) -> None:
    n = span_s / step_of(span_s, 10)
    assert 1.9 <= n <= 10 + 1e-9


@pytest.mark.parametrize(
    ("seconds", "longest_s", "step_s", "text"),
    [
        (0, 9, 1, "0"),
        (7.5, 9, 0.5, "7.5"),
        (0.25, 1, 0.05, "0.25"),
        (127, 600, 1, "2:07"),
        (59.999, 600, 1, "1:00"),
        (127.25, 600, 0.05, "2:07.25"),
        (3727, 36_000, 60, "1:02:07"),
        (0, 36_000, 3600, "0:00:00"),
        (-1, 60, 1, "-0:01"),
    ],
)
def test_a_time_has_the_parts_that_the_longest_has(
    seconds: float, longest_s: float, step_s: float, text: str
) -> None:
    assert clock_text(seconds, longest_s, step_s) == text


def test_windows_that_touch_keep_their_edges() -> None:
    times = np.array([[0, 3], [3, 6], [6, 7.5]])
    assert edges_of(times).tolist() == [0, 3, 6, 7.5]


def test_windows_that_overlap_stand_around_their_middles_and_reach_the_ends() -> None:
    times = np.array([[0, 3], [1, 4], [2, 5]])
    assert edges_of(times).tolist() == [0, 2, 3, 5]
    assert edges_of(times[:1]).tolist() == [0, 3]


@pytest.mark.parametrize(
    ("part", "limits"),
    [(slice(None), (0, 10)), (slice(1, 2), (3, 6)), (slice(1, None), (3, 10)), (slice(0, 0), (0, 10))],
)
def test_a_part_of_the_windows_shows_its_own_stretch(part: slice, limits: tuple[float, float]) -> None:
    times = np.array([[0, 3], [3, 6], [6, 9.0]])
    assert limits_of(times[part], 10.0) == limits
