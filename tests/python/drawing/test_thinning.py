"""Long rows become short ones in which nothing brief is lost."""

from __future__ import annotations

import numpy as np
import pytest
from fastaudio.drawing.thinning import Highest, thinned


def test_few_rows_stay_as_they_are() -> None:
    rows = np.arange(8.0).reshape(4, 2)
    kept, step = thinned(rows, 4)
    assert kept is rows
    assert step == 1


def test_each_kept_row_is_the_highest_of_its_neighbours() -> None:
    rows = np.array([[1, 9], [2, 8], [7, 0], [np.nan, 1], [3, 3]], dtype=np.float32)
    kept, step = thinned(rows, 3)
    assert step == 2
    assert kept.tolist() == [[2, 9], [7, 1], [3, 3]]


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 31, 64, 1000, 4097])
@pytest.mark.parametrize("block", [1, 3, 64, 5000])
def test_rows_that_come_in_blocks_are_thinned_as_all_at_once(n: int, block: int) -> None:
    rows = np.random.default_rng(n).normal(size=(n, 2)).astype(np.float32)
    highest = Highest(2, most=8)
    for start in range(0, n, block):
        highest.push(rows[start : start + block])
    columns = highest.columns()
    assert len(columns) <= 8
    assert len(columns) >= min(n, 4)
    assert len(columns) == -(-n // highest.step)
    expected = [rows[k : k + highest.step].max(axis=0) for k in range(0, n, highest.step)]
    assert np.array_equal(columns, np.array(expected, dtype=np.float32).reshape(-1, 2))
