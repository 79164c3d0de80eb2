"""Small mel-spectrograms to look at: a byte for each value, on a scale of dB."""

from __future__ import annotations

import base64
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import MelSpectrogram
from fastaudio.drawing.thinning import thinned
from fastaudio.plot.bands import centres_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_COLUMNS, MOST_BANDS = 1200, 96
LOWEST_DB, HIGHEST_DB = -100.0, 0.0
"""What the bytes 0 and 255 stand for: dB relative to the highest band of a sine at full scale."""

_FRAME_S = 0.046
_LEAST_FRAME, _MOST_FRAME = 64, 16_384


@lru_cache(maxsize=64)
def mel_for(sample_rate: int) -> MelSpectrogram:
    """Return the mel-spectrogram for a model's rate: frames of about 46 ms, half as far apart."""
    n_fft = 2 ** round(math.log2(_FRAME_S * sample_rate))
    n_fft = min(max(n_fft, _LEAST_FRAME), _MOST_FRAME)
    n_mels = min(MOST_BANDS, n_fft // 8)
    return MelSpectrogram(sample_rate=sample_rate, n_fft=n_fft, hop_length=n_fft // 2, n_mels=n_mels)


@lru_cache(maxsize=64)
def full_scale(sample_rate: int) -> float:
    """Return the power of the highest band of a sine at full scale."""
    sine = np.sin(np.arange(sample_rate) * (2 * math.pi / 16)).astype(np.float32)
    return float(np.asarray(mel_for(sample_rate)(sine)).max())


def about(sample_rate: int, step: int = 1) -> dict[str, Any]:
    """Return what the rows of a picture mean; each is the highest of `step` spectra."""
    mel = mel_for(sample_rate)
    return {
        "hop_s": mel.hop_length * step / sample_rate,
        "n_bands": mel.n_mels,
        "db_min": LOWEST_DB,
        "db_max": HIGHEST_DB,
        "centres_hz": [round(float(hz), 1) for hz in centres_of(mel)],
    }


def as_text(power: NDArray[np.float32], sample_rate: int) -> str:
    """Return rows of power [n, n_bands] as bytes in base64, row by row, the lowest band first."""
    with np.errstate(divide="ignore", invalid="ignore"):
        level_db = 10 * np.log10(power / full_scale(sample_rate))
    share = (np.nan_to_num(level_db, nan=LOWEST_DB, neginf=LOWEST_DB) - LOWEST_DB) / (HIGHEST_DB - LOWEST_DB)
    return base64.b64encode((np.clip(share, 0, 1) * 255).round().astype(np.uint8).tobytes()).decode("ascii")


def picture(power: NDArray[np.float32], sample_rate: int, step: int) -> dict[str, Any]:
    """Return a whole file's picture of at most 1,200 columns, from rows that are the highest of `step`."""
    columns, more = thinned(power, MOST_COLUMNS)
    return about(sample_rate, step * more) | {"n_rows": len(columns), "rows": as_text(columns, sample_rate)}
