"""A sound, and a recording of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from fastaudio.cli.record import Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 48_000
START = datetime(2026, 11, 28, 13, 15).astimezone()
SOUND = np.random.default_rng(0).integers(-(2**15), 2**15, 3 * RATE).astype(np.int16)


def record(path: Path, *blocks: NDArray[Any], **options: Any) -> Recorder:
    """Record blocks to the end."""
    recorder = Recorder(str(path), RATE, 1, **options)
    for block in blocks:
        recorder.write(block)
    recorder.close()
    return recorder
