"""A number that C++ can't hold is a TypeError or ValueError, or counts as infinite, but no OverflowError."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HUGE = 10**400
SOUND = np.zeros(16_000, np.float32)
PIPELINE = fa.Pipeline(fa.MelSpectrogram(sample_rate=16_000) >> fa.Mean())
CALLS: dict[str, Callable[[Any], Any]] = {
    "timeout_s": lambda value: PIPELINE(SOUND, sample_rate=16_000, timeout_s=value),
    "timeout_s of map": lambda value: list(PIPELINE.map([], timeout_s=value)),
    "timeout_s of load": lambda value: fa.Pipeline.load(timeout_s=value),
    "result_mb": lambda value: PIPELINE(SOUND, sample_rate=16_000, result_mb=value),
    "sample_rate": lambda value: PIPELINE(SOUND, sample_rate=value),
    "sample_rate of open": lambda value: PIPELINE.open(sample_rate=value),
    "channels of open": lambda value: PIPELINE.open(sample_rate=16_000, channels=value),
    "sample_rate of live": PIPELINE.live,
    "channel": lambda value: fa.Pipeline(PIPELINE.node, channel=value),
    "silence_db": lambda value: fa.Pipeline(PIPELINE.node, silence_db=value),
    "jobs": lambda value: list(PIPELINE.map([], jobs=value)),
    "memory_mb": lambda value: fa.Limits(memory_mb=value),
    "answer_s": lambda value: fa.Limits(answer_s=value),
    "nodes": lambda value: fa.Budget(nodes=value),
    "build_s": lambda value: fa.Budget(build_s=value),
}


@pytest.mark.parametrize("value", [HUGE, -HUGE, 10**5000, math.inf, -math.inf, math.nan], ids=range(6))
@pytest.mark.parametrize("call", CALLS)
def test_it_is_refused_by_its_name_or_taken(call: str, value: Any) -> None:
    try:
        CALLS[call](value)
    except (TypeError, ValueError) as error:
        assert len(str(error)) < 1000  # noqa: PT017


def test_a_time_limit_that_no_float_holds_is_none() -> None:
    assert PIPELINE(SOUND, sample_rate=16_000, timeout_s=HUGE).shape == (1, 128)  # type: ignore[union-attr]
    with PIPELINE.live(16_000) as stream:
        assert stream.get(timeout_s=-HUGE) is None


@pytest.mark.parametrize("rate", [10**12, 2**31, -(10**12)])
def test_a_rate_is_told_as_it_was_given(rate: int) -> None:
    for call in (PIPELINE.open, lambda sample_rate: PIPELINE(SOUND, sample_rate=sample_rate)):
        with pytest.raises(ValueError, match=rf"sample_rate below 2\*\*31, got {rate}$"):
            call(sample_rate=rate)
