"""Estimating how far a clip is tuned from A = 440 Hz, like librosa 0.11's `estimate_tuning`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.librosa._nodes import level_of_the_caller

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio.librosa._arguments import Rows

# The range of pitches, and the least height of a peak relative to its frame's largest bin.
_F_MIN_HZ, _F_MAX_HZ = 150.0, 4000.0
_THRESHOLD = 0.1
_RESOLUTION = 0.01
_A0_HZ = 27.5


def estimate_tuning(rows: Rows, sr: float, bin_hz: float, bins_per_octave: int) -> float:
    """Return the most common deviation of the louder peaks, in pitch classes, from -0.5 to 0.5."""
    pitches, heights = peaks(rows, sr, bin_hz)
    if len(pitches):
        pitches = pitches[heights >= np.median(heights)]
    if not len(pitches):
        warnings.warn(
            "Trying to estimate tuning from empty frequency set: no pitch is loud enough; 0 is used",
            stacklevel=level_of_the_caller(),
        )
        return 0.0
    residual = np.mod(bins_per_octave * np.log2(pitches / _A0_HZ), 1.0)
    residual[residual >= 0.5] -= 1  # noqa: PLR2004  # nearer to the next class
    counts, edges = np.histogram(residual, np.linspace(-0.5, 0.5, round(1 / _RESOLUTION) + 1))
    return float(edges[np.argmax(counts)])


def peaks(rows: Rows, sr: float, bin_hz: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the frequency in Hz and the height of spectral peaks, from parabolas through three bins."""
    hz = np.arange(rows.shape[-1]) * bin_hz
    inside = np.flatnonzero((hz >= _F_MIN_HZ) & (hz < min(_F_MAX_HZ, sr / 2)))
    inside = inside[(inside > 0) & (inside < rows.shape[-1] - 1)]
    if not len(inside):
        return np.empty(0), np.empty(0)
    flat = rows.reshape(-1, rows.shape[-1])
    first, last = inside[0], inside[-1] + 1
    left, here, right = (flat[:, first + step : last + step] for step in (-1, 0, 1))
    floor = _THRESHOLD * flat.max(axis=-1, keepdims=True)
    frame, index = np.nonzero((here > floor) & (here > left) & (here >= right))
    a, b, c = (part[frame, index].astype(np.float64) for part in (left, here, right))
    slope, curve = (c - a) / 2, a + c - 2 * b
    shift = np.where(np.abs(slope) >= np.abs(curve), 0, -slope / np.where(curve == 0, 1, curve))
    pitches = (first + index + shift) * bin_hz
    return pitches[pitches > 0], (b + slope * shift / 2)[pitches > 0]
