"""MusiCNN's short convolutions are the long one, at every number of phases, with fewer multiplications."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")


import split_convolution as split  # noqa: E402
from musicnn_layers import BANDS  # noqa: E402
from torch.nn import functional  # noqa: E402

WAYS = [(), (2,), (3,), (2, 2), (3, 2), (2, 3), (2, 2, 3)]


@pytest.mark.parametrize("ways", WAYS, ids=str)
@pytest.mark.parametrize("taps", [38, 67, 12, 95])
def test_phases_are_the_positions_of_the_long_convolution(taps: int, ways: tuple[int, ...]) -> None:
    torch.manual_seed(taps)
    kernel = torch.randn(5, 1, taps, 3, dtype=torch.float64)
    x, bias = torch.randn(2, 1, BANDS, 9, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
    positions, step = BANDS - taps + 1, math.prod(ways)
    filled = positions + -positions % step
    short = split.SplitConv(5, taps, 3, ways).double()
    with torch.no_grad():
        short.load(kernel, bias)
        more = functional.pad(x, (0, 0, 0, split.samples_needed(taps, filled, ways) - BANDS), value=7.0)
        phases = short(split.split_signal(more, taps, filled, ways))
        want = functional.conv2d(x, kernel, bias, padding=(0, 1))
    assert len(phases) == step
    got = torch.stack(phases, dim=3).flatten(2, 3)[:, :, :positions]
    assert torch.allclose(got, want, rtol=0, atol=1e-11)


@pytest.mark.parametrize(("ways", "share"), [((2,), 3 / 4), ((3,), 2 / 3), ((2, 2), 9 / 16), ((3, 2), 1 / 2)])
def test_what_is_multiplied_falls_as_the_docstring_says(ways: tuple[int, ...], share: float) -> None:
    taps = 36  # a multiple of all: nothing is filled up
    assert sum(split.part_taps(taps, ways)) == share * taps * math.prod(ways)


@pytest.mark.parametrize("at_once", [16, 48, 80, 208])
def test_groups_are_whole_lanes_and_all_filters(at_once: int) -> None:
    sizes = split.groups(208, at_once)
    assert sum(sizes) == 208
    assert all(size % 16 == 0 and size <= at_once for size in sizes)
