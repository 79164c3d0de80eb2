"""Sound of any rate and number of channels, made what a pipeline takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from fastaudio._core import Mono, Resample, Sequential, StreamSpec

if TYPE_CHECKING:
    from fastaudio._core import Node

Quality: TypeAlias = Literal["fast", "high", "best"]


def require_whole(**values: int) -> None:
    """Refuse values that are no integers.

    Raises:
        TypeError: one isn't.
    """
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            got = f"{value!r} ({type(value).__name__})"
            raise TypeError(f"Pipeline: expected {name} as an int, got {got}")


def with_head(
    node: Node,
    node_rate: int,
    *,
    quality: Quality,
    channel: int | None,
    sample_rate: int,
    channels: int,
) -> tuple[Node, StreamSpec]:
    """Return `node` behind what makes its input mono and resamples it, and the input's spec."""
    parts: list[Node] = []
    resample = Resample(input_rate=sample_rate, output_rate=node_rate, quality=quality)
    if channels != 1 or channel:
        parts.append(Mono(channels=channels, channel=channel))
    if sample_rate != node_rate:
        parts.append(resample)
    shape = [channels] if channels != 1 or channel else []
    return Sequential([*parts, node]), StreamSpec(rate_hz=float(sample_rate), shape=shape)
