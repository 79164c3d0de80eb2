"""What the benchmarks conclude from times is right; the times themselves are no test's matter."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np
import pytest
from helpers import ROOT


@pytest.fixture(scope="module", autouse=True)
def _benchmarks() -> Any:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield
    sys.path.remove(str(ROOT / "benchmarks"))


@pytest.mark.parametrize(
    ("times", "noise", "verdict"),
    [(1.0, 0.05, ""), (1.1, 0.05, "SLOWER"), (0.9, 0.05, "faster"), (1.1, 0.6, ""), (1.01, 0.001, "")],
)
def test_the_guard_tells_only_what_is_beyond_noise(times: float, noise: float, verdict: str) -> None:
    guard = importlib.import_module("guard")
    drawn = np.random.default_rng(7).lognormal(0, noise, (2, 30))
    case = guard.Compared("made up", list(drawn[0]), list(times * drawn[1]))
    assert case.verdict() == verdict
    ratio, low, high = case.interval()
    assert low <= ratio <= high
    assert (verdict == "SLOWER") == ("slower beyond noise: made up" in guard.table([case]))


def test_a_case_that_one_version_lacks_is_told_and_fails_nothing() -> None:
    guard = importlib.import_module("guard")
    assert "base: no such node" in guard.table([guard.Compared("new", note="base: no such node")])


def test_the_guard_says_that_there_is_no_such_commit(capfd: pytest.CaptureFixture[str]) -> None:
    guard = importlib.import_module("guard")
    with pytest.raises(SystemExit) as ended:
        guard.built("no-such-commit")
    assert ended.value.code == 2
    assert "expected a commit or a folder with fastaudio, got 'no-such-commit'" in capfd.readouterr().err


def test_growth_says_where_a_line_bends() -> None:
    growth, found = importlib.import_module("growth"), importlib.import_module("growth_lines")
    how: dict[str, Any] = {"values": (), "quick": (), "make": lambda _: list, "small": "opening"}
    line = found.Line("labels", "made up", "labels", "us", large="caches", **how)
    level = growth.Measured(line, [1, 10, 100], [30.0, 10.0, 10.5])
    assert level.holds()
    assert level.said() == "10 us from 10 to 100; 3.0 times that at 1: opening"
    rising = growth.Measured(line, [1, 10, 100], [10.0, 11.0, 40.0])
    assert not rising.holds()
    assert "4.0 times that at 100: caches. THIS IS MORE THAN IT NEEDS TO BE" in rising.said()


def test_every_line_of_growth_runs_at_its_smallest(tmp_path: Any) -> None:
    found = importlib.import_module("growth_lines")
    every = found.lines(tmp_path)
    assert len({line.name for line in every}) == len(every) > 10
    for line in every:
        assert list(line.values) == sorted(set(line.values))
        assert set(line.quick) <= set(line.values)
        if line.name not in ("threads", "batch"):  # these are long at any size
            line.make(line.values[0])()
