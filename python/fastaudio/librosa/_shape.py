# ruff: noqa: N803  # S is librosa's name
"""The shape of a spectrum: `spectral_centroid`, `spectral_rolloff`, `spectral_flatness`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import SpectralCentroid, SpectralFlatness, SpectralRolloff
from fastaudio.librosa._arguments import framing, only, public
from fastaudio.librosa._exact import magnitudes
from fastaudio.librosa._nodes import node, rows_of, spectra, spectral

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FREQ = "bins are assumed at k * sr / n_fft"


@public("feature.spectral_centroid")
def spectral_centroid(
    *,
    y: NDArray[Any] | None = None,
    sr: float = 22050,
    S: NDArray[Any] | None = None,
    n_fft: int = 2048,
    hop_length: int = 512,
    freq: NDArray[Any] | None = None,
    win_length: int | None = None,
    window: Any = "hann",
    center: bool = True,
    pad_mode: str = "constant",
) -> NDArray[np.float32]:
    """Return the mean frequency in Hz, weighted by magnitude: [..., 1, n_frames]."""
    only("freq", freq, None, _FREQ)
    options = framing(n_fft, hop_length, win_length, window, center=center, pad_mode=pad_mode)
    return np.swapaxes(spectral(node(SpectralCentroid), y, S, sr, options), -1, -2)


@public("feature.spectral_rolloff")
def spectral_rolloff(
    *,
    y: NDArray[Any] | None = None,
    sr: float = 22050,
    S: NDArray[Any] | None = None,
    n_fft: int = 2048,
    hop_length: int = 512,
    win_length: int | None = None,
    window: Any = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    freq: NDArray[Any] | None = None,
    roll_percent: float = 0.85,
) -> NDArray[np.float32]:
    """Return the frequency in Hz below which `roll_percent` of the magnitude lies: [..., 1, n_frames]."""
    only("freq", freq, None, _FREQ)
    options = framing(n_fft, hop_length, win_length, window, center=center, pad_mode=pad_mode)
    kind = node(SpectralRolloff, roll_percent=float(roll_percent))
    return np.swapaxes(spectral(kind, y, S, sr, options), -1, -2)


@public("feature.spectral_flatness")
def spectral_flatness(
    *,
    y: NDArray[Any] | None = None,
    S: NDArray[Any] | None = None,
    n_fft: int = 2048,
    hop_length: int = 512,
    win_length: int | None = None,
    window: Any = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    amin: float = 1e-10,
    power: float = 2.0,
) -> NDArray[np.float32]:
    """Return the power's geometric over its arithmetic mean, from 0 for a tone to 1: [..., 1, n_frames]."""
    options = framing(n_fft, hop_length, win_length, window, center=center, pad_mode=pad_mode)
    kind = node(SpectralFlatness, amin=float(amin), power=float(power))
    rows = magnitudes(y, 22050, options) if S is None else spectra(y, S, 22050, 1, options)
    return np.swapaxes(rows_of(kind, rows), -1, -2)
