"""The filters of librosa 0.11's `filters`: `mel`."""

from __future__ import annotations

import operator
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.librosa._arguments import Refused, dtype_only, one_of, public, tell
from fastaudio.librosa._handover import open_up
from fastaudio.librosa._nodes import level_of_the_caller
from fastaudio.librosa._scale import hz_of_mel, mel_of_hz

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

__all__ = ["mel"]

MEL_NORMS = {"slaney": "slaney", None: "none", 1: "unit_sum"}
"""MelSpectrogram's names for the values of librosa's `norm`."""

_NAMED = 5


@public("filters.mel")
def mel(
    *,
    sr: float,
    n_fft: int,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | float | None = "slaney",
    dtype: DTypeLike = np.float32,
) -> NDArray[np.float32]:
    """Return mel filters as a new array [n_mels, 1 + n_fft // 2]."""
    dtype_only(np.float32, dtype)
    options = {"n_mels": n_mels, "fmin": fmin, "fmax": fmax, "htk": htk, "norm": norm}
    return np.array(mel_weights(sr, n_fft, options))


def mel_weights(sr: float, n_fft: int, options: dict[str, Any]) -> NDArray[np.float32]:
    """Return the filters for `mel`'s other options; equal ones share an array, which must not be changed."""
    fmax, sr, norm = options["fmax"], float(sr), options["norm"]
    if isinstance(norm, str) and norm != "slaney":
        raise Refused(f"expected norm 'slaney', 1 or None, got {tell(norm)}")
    if operator.index(n_fft) < 1:
        raise ValueError(f"expected n_fft of at least 1, got {n_fft}")
    fmin, fmax = float(options["fmin"]), sr / 2 if fmax is None else float(fmax)
    weights, empty = _weights(
        sr,
        operator.index(n_fft),
        int(options["n_mels"]),
        fmin=fmin,
        fmax=fmax,
        htk=bool(options["htk"]),
        norm=one_of("norm", norm, MEL_NORMS),
    )
    if norm != "slaney" and not np.isfinite(weights).all():
        raise Refused(f"expected fmax above fmin, got fmin={fmin}, fmax={fmax}")
    if empty:
        warnings.warn(
            f"Empty filters detected in mel frequency basis: bands {_listed(empty)} are narrower than a bin; "
            "use a longer n_fft or fewer bands",
            stacklevel=level_of_the_caller(),
        )
    return weights


@lru_cache(maxsize=16)
def _weights(
    sr: float, n_fft: int, n_mels: int, *, fmin: float, fmax: float, htk: bool, norm: str
) -> tuple[NDArray[np.float32], list[int]]:
    """Compute the filters in float64, once per set of arguments, and which of them are empty."""
    bins = np.fft.rfftfreq(n_fft, 1 / sr)
    bottom, top = mel_of_hz(np.array([fmin, fmax]), htk)
    edges = hz_of_mel(np.linspace(bottom, top, n_mels + 2), htk)
    lower, centre, upper = (edges[start : start + n_mels, None] for start in range(3))
    with np.errstate(divide="ignore", invalid="ignore"):  # bands without width
        rise = (bins - lower) / (centre - lower)
        fall = (upper - bins) / (upper - centre)
    weights: NDArray[Any] = np.maximum(0, np.minimum(rise, fall))
    sums = weights.sum(axis=1, keepdims=True)
    empty = np.flatnonzero((sums[:, 0] == 0) & (edges[:n_mels] > 0)).tolist()
    if norm == "slaney":
        weights *= 2 / (upper - lower)
    elif norm == "unit_sum":
        weights /= np.where(sums > 0, sums, 1)
    return weights.astype(np.float32), empty


def _listed(bands: list[int]) -> str:
    """Return the first few numbers."""
    few = ", ".join(map(str, bands[:_NAMED]))
    return f"{few}, ..." if len(bands) > _NAMED else few


open_up(__name__)
