# ruff: noqa: N803  # S is librosa's name
"""A spectrum's shape: `spectral_centroid`, `spectral_bandwidth`, `spectral_rolloff`, `spectral_flatness`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import SpectralBandwidth, SpectralCentroid, SpectralFlatness, SpectralRolloff
from fastaudio.librosa._arguments import Refused, energies, floating, framing, only, public, spectrum, tell
from fastaudio.librosa._exact import magnitudes
from fastaudio.librosa._nodes import node, rows_of, spectral

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio.librosa._arguments import Rows

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
    options = _options(S, n_fft, hop_length, win_length, window, center=center, pad_mode=pad_mode)
    S = S if S is None else floating(S)  # noqa: N806
    return np.swapaxes(spectral(node(SpectralCentroid), y, S, sr, options), -1, -2)


@public("feature.spectral_bandwidth")
def spectral_bandwidth(
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
    centroid: NDArray[Any] | None = None,
    norm: bool = True,
    p: float = 2,
) -> NDArray[np.float32]:
    """Return how far magnitudes spread around their mean frequency, in Hz if `norm`: [..., 1, n_frames]."""
    only("freq", freq, None, _FREQ)
    only("centroid", centroid, None, "the spectrum's own is taken")
    options = _options(S, n_fft, hop_length, win_length, window, center=center, pad_mode=pad_mode)
    S = S if S is None else floating(S)  # noqa: N806
    kind = node(SpectralBandwidth, p=float(p), norm=bool(norm))
    return np.swapaxes(spectral(kind, y, S, sr, options, degree=0 if norm else 1 / p), -1, -2)


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
    if not 0 < roll_percent < 1:
        raise Refused(f"expected roll_percent in (0, 1), got {tell(roll_percent)}")
    only("freq", freq, None, _FREQ)
    options = _options(S, n_fft, hop_length, win_length, window, center=center, pad_mode=pad_mode)
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
    if amin <= 0:
        raise Refused(f"expected amin above 0, got {tell(amin)}")
    options = _options(S, n_fft, hop_length, win_length, window, center=center, pad_mode=pad_mode)
    rows = magnitudes(y, 22050, options) if S is None else spectrum("S", S)
    try:
        found = rows_of(node(SpectralFlatness, amin=float(amin), power=float(power)), rows, None)
    except ValueError:  # an option or a value that the node doesn't take
        found = _flatness_in_float64(rows, amin, power)
    return np.swapaxes(found, -1, -2)


def _flatness_in_float64(rows: Rows, amin: float, power: float) -> Rows:
    with np.errstate(all="ignore"):
        raised = np.maximum(amin, rows.astype(np.float64) ** power)
        geometric = np.exp(np.log(raised).mean(axis=-1, keepdims=True))
        return np.asarray(geometric / raised.mean(axis=-1, keepdims=True), np.float32)


def _options(
    S: Any,
    n_fft: int,
    hop_length: int,
    win_length: int | None,
    window: Any,
    *,
    center: bool,
    pad_mode: Any,
) -> dict[str, Any]:
    """Check S, or return the options by which samples become one; librosa ignores them with S."""
    if S is not None:
        energies(S)
        return {"n_fft": n_fft}
    return framing(n_fft, hop_length, win_length, window, center=center, pad_mode=pad_mode)
