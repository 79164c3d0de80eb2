"""The features of librosa 0.11's `feature`, with bands along axis -2 and frames along axis -1."""

from fastaudio.librosa._bands import chroma_stft, spectral_contrast
from fastaudio.librosa._handover import open_up
from fastaudio.librosa._levels import rms, zero_crossing_rate
from fastaudio.librosa._mel import delta, melspectrogram, mfcc
from fastaudio.librosa._shape import (
    spectral_bandwidth,
    spectral_centroid,
    spectral_flatness,
    spectral_rolloff,
)

__all__ = [
    "chroma_stft",
    "delta",
    "melspectrogram",
    "mfcc",
    "rms",
    "spectral_bandwidth",
    "spectral_centroid",
    "spectral_contrast",
    "spectral_flatness",
    "spectral_rolloff",
    "zero_crossing_rate",
]

__path__: list[str] = []  # so that librosa.feature's own modules can be imported from it
open_up(__name__)
