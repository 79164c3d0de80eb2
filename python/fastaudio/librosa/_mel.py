# ruff: noqa: N803  # S is librosa's name
"""Mel-spectrograms, their cepstra and slopes: `melspectrogram`, `mfcc`, `delta`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import MFCC, Delta, MelSpectrogram, Spectrogram
from fastaudio.librosa._arguments import (
    Refused,
    dtype_only,
    framing,
    integral,
    one_of,
    only,
    positive_integer,
    public,
    real,
    spectrum,
    tell,
)
from fastaudio.librosa._decibels import decibels, limited
from fastaudio.librosa._nodes import n_fft_of, node, rows_of, transformed
from fastaudio.librosa.filters import MEL_NORMS, mel_weights

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from fastaudio._core import Node
    from fastaudio.librosa._arguments import Rows

_DCT_NORMS = {"ortho": "ortho", None: "none", "backward": "none"}
_DELTA_MODES = {"interp": "interp", "nearest": "nearest"}
_SAVGOL = ("polyorder", "delta", "cval", "deriv")


@public("feature.melspectrogram")
def melspectrogram(
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
    power: float = 2.0,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | float | None = "slaney",
    dtype: DTypeLike = np.float32,
) -> NDArray[np.float32]:
    """Return the mel-spectrogram of samples y or of a spectrogram S: [..., n_mels, n_frames]."""
    dtype_only(np.float32, dtype)
    filters = {"n_mels": n_mels, "fmin": fmin, "fmax": fmax, "htk": htk, "norm": norm}
    if S is not None:
        return np.swapaxes(_filtered(spectrum("S", S), float(sr), n_fft, filters), -1, -2)
    options = framing(n_fft, hop_length, win_length, window, center=center, pad_mode=pad_mode)
    return np.swapaxes(_mel_rows(y, sr, power, options, filters), -1, -2)


@public("feature.mfcc")
def mfcc(
    *,
    y: NDArray[Any] | None = None,
    sr: float = 22050,
    S: NDArray[Any] | None = None,
    n_mfcc: int = 20,
    dct_type: int = 2,
    norm: str | None = "ortho",
    lifter: float = 0,
    mel_norm: str | float | None = "slaney",
    n_fft: int = 2048,
    hop_length: int = 512,
    win_length: int | None = None,
    window: Any = "hann",
    center: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    dtype: DTypeLike = np.float32,
) -> NDArray[np.float32]:
    """Return cepstral coefficients [..., n_mfcc, n_frames] of samples y, or of a log-mel-spectrogram S."""
    only("dct_type", dct_type, 2, "take scipy.fft.dct of the log-mel-spectrogram")
    dtype_only(np.float32, dtype)
    if lifter < 0:
        raise Refused(f"expected lifter of at least 0, got {tell(lifter)}")
    kind = one_of("norm", norm, _DCT_NORMS)
    if S is not None:
        rows = spectrum("S", S)
    else:
        if mel_norm not in tuple(MEL_NORMS):
            raise NotImplementedError(f"expected mel_norm 'slaney', 1 or None, got {tell(mel_norm)}")
        filters = {"n_mels": n_mels, "fmin": fmin, "fmax": fmax, "htk": htk, "norm": mel_norm}
        options = framing(n_fft, hop_length, win_length, window, center=center, pad_mode=pad_mode)
        rows = limited(decibels(_mel_rows(y, sr, power, options, filters)), 80)
    if rows.shape[-1] == 0:
        raise ValueError(f"expected n_mels of at least 1, got {n_mels}")
    coefficients = min(n_mfcc, rows.shape[-1]) if lifter == 0 else n_mfcc  # librosa cuts off the missing ones
    cepstra = node(MFCC, n_mfcc=coefficients, norm=kind, lifter=float(lifter))
    return np.swapaxes(rows_of(cepstra, rows, 1), -1, -2)


@public("feature.delta", rows="data")
def delta(
    data: NDArray[Any], *, width: int = 9, order: int = 1, axis: int = -1, mode: str = "interp", **kwargs: Any
) -> NDArray[np.float32]:
    """Return slopes along `axis`, from polynomials fitted to `width` values, in the shape of data."""
    for name, value in kwargs.items():
        if name not in _SAVGOL:
            raise TypeError(f"delta() got an unexpected keyword argument {name!r}")
        raise NotImplementedError(f"expected no {name}, got {tell(value)}; call scipy.signal.savgol_filter")
    if not (isinstance(width, int | np.integer) and width >= 3 and width % 2 == 1):  # noqa: PLR2004
        raise Refused(f"expected width as an odd number of at least 3, got {tell(width)}")
    positive_integer("order", order)
    kind = node(Delta, width=width, order=order, mode=one_of("mode", mode, _DELTA_MODES))
    values = np.moveaxis(np.atleast_1d(real("data", data)), axis, 0)
    if mode == "interp" and len(values) < width:
        raise Refused(
            f"expected data of width={width} values or more along its axis, got {len(values)}; "
            "use a smaller width or mode='nearest'"
        )
    slopes = rows_of(kind, values.reshape(len(values), -1), 1)
    return np.moveaxis(slopes.reshape(values.shape), 0, axis)


def _mel_rows(y: Any, sr: float, power: float, options: dict[str, Any], filters: dict[str, Any]) -> Rows:
    """Return mel rows [..., n_frames, n_mels]."""
    fmax = filters["fmax"]
    mel: Node | None = None
    if fmax is None or 2 * fmax <= sr:
        try:
            mel = node(
                MelSpectrogram,
                sample_rate=integral("sr", sr),
                n_mels=filters["n_mels"],
                f_min=float(filters["fmin"]),
                f_max=None if fmax is None else float(fmax),
                mel_scale="htk" if filters["htk"] else "slaney",
                norm=one_of("norm", filters["norm"], MEL_NORMS),
                power=float(power),
                **options,
            )
        except ValueError:  # filters that only librosa has: most often some without a bin
            mel = None
    if mel is not None:
        return transformed(mel, y, options, power)
    spectra = node(Spectrogram, power=float(power), **options)
    return _filtered(transformed(spectra, y, options, power), float(sr), options["n_fft"], filters)


def _filtered(rows: Rows, sr: float, n_fft: int | None, filters: dict[str, Any]) -> Rows:
    """Return mel rows of a spectrum's rows; if n_fft doesn't fit their length, the length gives n_fft."""
    out: Rows = rows @ mel_weights(sr, n_fft_of(n_fft, rows), filters).T
    return out
