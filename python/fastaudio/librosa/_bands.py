# ruff: noqa: N803  # S is librosa's name
"""Features of a spectrum's bands: `spectral_contrast`, `chroma_stft`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import Chroma, SpectralContrast
from fastaudio.librosa._arguments import (
    Refused,
    dtype_only,
    floating,
    framing,
    one_of,
    only,
    positive_integer,
    public,
    spectrum,
    tell,
)
from fastaudio.librosa._decibels import decibels, limited
from fastaudio.librosa._exact import magnitudes
from fastaudio.librosa._nodes import bin_hz, node, rows_of, spectra
from fastaudio.librosa._tuning import estimate_tuning

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from fastaudio.librosa._arguments import Rows

_NORMS = {np.inf: "inf", 1: "l1", 2: "l2", None: "none"}


@public("feature.spectral_contrast")
def spectral_contrast(
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
    fmin: float = 200.0,
    n_bands: int = 6,
    quantile: float = 0.02,
    linear: bool = False,
) -> NDArray[np.float32]:
    """Return the peaks over the valleys of octave bands, in dB or linear: [..., n_bands + 1, n_frames]."""
    only("freq", freq, None, "bins are assumed at k * sr / n_fft")
    positive_integer("n_bands", n_bands)
    if not 0 < quantile < 1:
        raise Refused(f"expected quantile in (0, 1), got {tell(quantile)}")
    if fmin <= 0:
        raise Refused(f"expected fmin above 0 Hz, got {tell(fmin)}")
    if n_bands > 0 and fmin * 2.0 ** (n_bands - 1) >= sr / 2:
        raise Refused(f"expected the top band below sr / 2, got fmin={fmin}, n_bands={n_bands}, sr={sr}")
    bands = {"f_min": float(fmin), "n_bands": n_bands, "quantile": float(quantile), "linear": True}
    parts = [node(SpectralContrast, part=part, **bands) for part in ("peak", "valley")]
    if S is None:
        options = framing(n_fft, hop_length, win_length, window, center=center, pad_mode=pad_mode)
        rows = magnitudes(y, sr, options)
    else:
        rows = _not_negative(spectrum("S", S))
    width = bin_hz(sr, n_fft, rows)
    if width > fmin:
        raise NotImplementedError(f"expected bins at most fmin={fmin} Hz apart, got sr={sr}, n_fft={n_fft}")
    peak, valley = (rows_of(part, rows, 1, bin_hz=width) for part in parts)
    if not linear:  # like librosa, limit both to 80 dB below their largest value in the clip
        peak, valley = (limited(decibels(part), 80) for part in (peak, valley))
    return np.swapaxes(peak - valley, -1, -2)


@public("feature.chroma_stft")
def chroma_stft(
    *,
    y: NDArray[Any] | None = None,
    sr: float = 22050,
    S: NDArray[Any] | None = None,
    norm: float | None = np.inf,
    n_fft: int = 2048,
    hop_length: int = 512,
    win_length: int | None = None,
    window: Any = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    tuning: float | None = None,
    n_chroma: int = 12,
    ctroct: float = 5.0,
    octwidth: float | None = 2,
    base_c: bool = True,
    dtype: DTypeLike = np.float32,
) -> NDArray[np.float32]:
    """Return the power of pitch classes, [..., n_chroma, n_frames]; a tuning of None is estimated."""
    dtype_only(np.float32, dtype)
    kind = one_of("norm", norm, _NORMS)
    if S is None:
        options = framing(n_fft, hop_length, win_length, window, center=center, pad_mode=pad_mode)
        rows = spectra(y, None, sr, 2, options)
    else:
        rows = _not_negative(spectrum("S", floating(S)))
    if rows.shape[-1] <= 2:  # noqa: PLR2004
        raise NotImplementedError(f"expected n_fft of at least 3, got {n_fft}")
    width = bin_hz(sr, n_fft, rows)
    if tuning is None:
        tuning = estimate_tuning(rows, float(sr), width, n_chroma)
    chroma = node(
        Chroma,
        n_chroma=n_chroma,
        tuning=float(tuning),
        ctroct=float(ctroct),
        octwidth=None if octwidth is None else float(octwidth),
        norm=kind,
        base_c=bool(base_c),
    )
    return np.swapaxes(rows_of(chroma, rows, 1 if norm is None else 0, bin_hz=width), -1, -2)


def _not_negative(rows: Rows) -> Rows:
    """Take no magnitudes below 0, for which only librosa has a meaning."""
    if np.any(rows < 0):
        raise NotImplementedError(f"expected S without values below 0, got {rows.min()}; take np.abs(S)")
    return rows
