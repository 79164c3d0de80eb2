"""Waveforms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.drawing.clock import time_axis
from fastaudio.drawing.figures import accent, note

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROOM = 1.08  # of the highest peak
_LEAST = 1e-3  # height of the axis, so that silence is a line


def envelope_rows(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Return -lowest and highest of each sample's channels, [n, 2], of samples [n] or [n, channels]."""
    if samples.ndim == 1:
        return np.stack([-samples, samples], axis=1)
    return np.stack([-samples.min(axis=1), samples.max(axis=1)], axis=1)


def waveform(ax: Any, envelope: NDArray[np.float32], step_s: float, duration_s: float) -> None:
    """Draw the lowest and highest value of each `step_s` seconds, from rows as of `envelope_rows`."""
    time_axis(ax, 0, duration_s)
    ax.set_ylabel("amplitude")
    if not len(envelope):
        ax.set_ylim(-1, 1)
        note(ax, "no sound")
        return
    low, high = -envelope[:, 0], envelope[:, 1]
    starts = np.arange(len(envelope)) * step_s
    peak = max(float(np.nanmax(np.abs(envelope))), _LEAST)
    ax.fill_between(starts, low, high, color=accent(ax), linewidth=0.6)
    ax.set_ylim(-_ROOM * peak, _ROOM * peak)
