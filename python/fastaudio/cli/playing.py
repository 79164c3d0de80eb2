"""Playing a stretch of a file through the default output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastaudio._system.extras import require
from fastaudio.labelled.cutting import Samples, run_stretches
from fastaudio.labelled.segment import Segment
from fastaudio.live.devices import DeviceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_S = 60.0


def play(path: str, start_s: float, end_s: float) -> None:
    """Play a stretch to its end, at most a minute of it.

    Raises:
        MissingExtra: sounddevice isn't installed.
        DecodeError: the file can't be read.
        DeviceError: there is no output.
    """
    device = require("sounddevice", extra="mic", what="playing")
    samples, rate_hz = excerpt(path, start_s, min(end_s, start_s + _MOST_S))
    try:
        device.play(samples, rate_hz, blocking=True)
    except (device.PortAudioError, ValueError, OSError) as error:
        raise DeviceError(
            f"playing: expected an output for sound, got: {error!s:.200}; connect one"
        ) from error


def excerpt(path: str, start_s: float, end_s: float) -> tuple[NDArray[np.float32], int]:
    """Return the sound of a stretch, float32 [n_samples, channels], and its rate in Hz.

    Raises:
        DecodeError: the file can't be read, or ends before.
    """
    segment = Segment(path, start_s, end_s)

    def opened(one: Segment, rate_hz: int, channels: int) -> Samples:
        return Samples(rate_hz, channels, int(np.ceil(one.duration_s * rate_hz)))

    (found,) = run_stretches(opened, [segment])
    if isinstance(found, Exception):
        raise found
    return found.values, found.sample_rate
