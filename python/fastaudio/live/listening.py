"""Which source `Pipeline.listen` hears."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio.live.microphone import Microphone
from fastaudio.live.retrying import Retrying
from fastaudio.live.urls import UrlSource, is_url

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastaudio._core import StreamSpec
    from fastaudio.live.sources import Source


def source_for(
    device: int | str | Source | None,
    specs: Iterable[StreamSpec],
    *,
    sample_rate: int | None,
    channels: int,
    block_s: float | None,
    overflow: str,
    retry_s: float | None = None,
) -> Source:
    """Return the source itself, or else the microphone of that name or number; see `Pipeline.listen`.

    Raises:
        DeviceError: no such device, or one that refuses.
        ValueError: the policy makes the source wait, and it is a microphone; or it can't be found again.
    """
    if isinstance(device, os.PathLike) or (isinstance(device, str) and Path(device).is_file()):
        raise ValueError(
            f"listen: expected a microphone's name or number, or a source, got a file; "
            f"use fastaudio.FileSource({os.fspath(device)!r:.200})"
        )
    if is_url(device):
        device = UrlSource(device, endless=retry_s is not None)
    if overflow == "block" and (device is None or isinstance(device, int | str | Microphone)):
        raise ValueError(
            "listen: expected overflow 'drop_oldest' or 'raise', got 'block'; a microphone can't wait"
        )
    if device is None or isinstance(device, int | str):
        block_s = _block_for(specs) if block_s is None else block_s
        device = Microphone(device, sample_rate=sample_rate, channels=channels, block_s=block_s)
    return device if retry_s is None else Retrying(device, retry_s)


def _block_for(specs: Iterable[StreamSpec]) -> float:
    """Return a twentieth of the step between results, from 10 to 100 ms: every block costs some time."""
    steps_s = [1 / spec.rate_hz for spec in specs if spec.rate_hz]
    return min(max(min(steps_s, default=1.0) / 20, 0.01), 0.1)
