"""The frequencies that rows of a pipeline belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastaudio._core import (
    PCEN,
    L2Normalize,
    Log,
    MelSpectrogram,
    MinMaxScale,
    Normalize,
    Quantize,
    Standardize,
    TopDb,
)
from fastaudio.librosa._scale import hz_of_mel, mel_of_hz

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio._core import Node

_KEEP_BANDS = (L2Normalize, Log, MinMaxScale, Normalize, PCEN, Quantize, Standardize, TopDb)


def centres_of(mel: MelSpectrogram) -> NDArray[np.float64]:
    """Return the middle of each band in Hz [n_mels]."""
    top_hz = mel.sample_rate / 2 if mel.f_max is None else mel.f_max
    htk = mel.mel_scale == "htk"
    bottom, top = mel_of_hz(np.array([mel.f_min, top_hz]), htk)
    return np.asarray(hz_of_mel(np.linspace(bottom, top, mel.n_mels + 2), htk)[1:-1], dtype=np.float64)


def centres_behind(node: Node) -> NDArray[np.float64] | None:
    """Return the frequencies in Hz of the values that come out of `node`; None if they aren't mel bands.

    What comes behind a mel-spectrogram may scale its bands, but must keep them.
    """
    for part in reversed(node.parts()):
        if isinstance(part, MelSpectrogram):
            return centres_of(part)
        if not isinstance(part, _KEEP_BANDS):
            return None
    return None
