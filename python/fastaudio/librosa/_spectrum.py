"""Spectra: `stft`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import Spectrogram
from fastaudio.librosa._arguments import dtype_only, framing, only, public
from fastaudio.librosa._nodes import node, transformed

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


@public("stft")
def stft(
    y: NDArray[Any],
    *,
    n_fft: int = 2048,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Any = "hann",
    center: bool = True,
    dtype: DTypeLike | None = None,
    pad_mode: str = "constant",
    out: NDArray[Any] | None = None,
) -> NDArray[np.complex64]:
    """Return the short-time spectrum, complex64 [..., 1 + n_fft // 2, n_frames]."""
    only("out", out, None, "assign what comes out: out[...] = stft(y)")
    dtype_only(np.complex64, np.complex64 if dtype is None else dtype)
    options = framing(n_fft, hop_length, win_length, window, center=center, pad_mode=pad_mode)
    spectrum = node(Spectrogram, power=None, **options)
    pairs = np.ascontiguousarray(transformed(spectrum, y, options, 1))
    return np.swapaxes(pairs.view(np.complex64)[..., 0], -1, -2)
