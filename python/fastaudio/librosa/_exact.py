"""Magnitudes by NumPy's transform in float64, like librosa's, for features that float32 would change.

Flatness is a mean of logarithms, and contrast one of the quietest bins: both depend on values that a float32
transform rounds away, 140 dB below the loudest bin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import Spectrogram
from fastaudio.librosa._arguments import audio, fills_a_frame, integral, refuse_if_not_finite
from fastaudio.librosa._nodes import node, warn_of_a_short_signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio.librosa._arguments import Rows

_FRAMES_AT_ONCE = 512


def magnitudes(y: Any, sr: float, options: dict[str, Any]) -> Rows:
    """Return float32 rows [..., n_frames, n_bins] of samples [..., n_samples]."""
    y = audio(y)
    refuse_if_not_finite(y)
    warn_of_a_short_signal(y, options)
    n_fft, hop = options["n_fft"], options["hop_length"]
    node(Spectrogram, sample_rate=integral("sr", sr), power=1.0, **options)  # checks the options
    fills_a_frame(y, n_fft, options["center"])
    if options["center"]:
        around = [(0, 0)] * (y.ndim - 1) + [(n_fft // 2, n_fft // 2)]
        y = np.pad(y, around, mode="reflect" if options["pad_mode"] == "reflect" else "constant")
    frames = np.lib.stride_tricks.sliding_window_view(y, n_fft, axis=-1)[..., ::hop, :]
    taper = _window(options)
    rows = np.empty((*frames.shape[:-1], n_fft // 2 + 1), np.float32)
    for start in range(0, frames.shape[-2], _FRAMES_AT_ONCE):
        part = slice(start, start + _FRAMES_AT_ONCE)
        spectrum = np.fft.rfft(frames[..., part, :] * taper, axis=-1)
        rows[..., part, :] = np.abs(spectrum.astype(np.complex64))
    return rows


def _window(options: dict[str, Any]) -> NDArray[np.float64]:
    """Return the periodic window in float64, padded with zeros to n_fft."""
    n_fft = options["n_fft"]
    length = options["win_length"] or n_fft
    shapes: dict[str, Any] = {
        "hann": np.hanning,
        "hamming": np.hamming,
        "blackman": np.blackman,
        "kaiser": lambda n: np.kaiser(n, options["window_beta"]),
        "rectangular": np.ones,
    }
    taper = shapes[options["window"]](length + 1)[:-1]
    left = (n_fft - length) // 2
    return np.pad(taper, (left, n_fft - length - left))
