"""The functions of librosa 0.11 that most programs call, computed by fastaudio's nodes.

Names, arguments, defaults, shapes and orientation are librosa's; a program changes one import:

>>> import numpy as np
>>> import fastaudio.librosa as librosa
>>> tone = np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050).astype(np.float32)
>>> librosa.feature.mfcc(y=tone, sr=22_050, n_mfcc=13).shape
(13, 44)

Numbers are float32 and complex64, also where librosa's are float64, and within 1e-4 of librosa's
largest. The nodes transform in float32, librosa in float64: bins more than about 120 dB below their frame's
largest differ, and with them decibels without `top_db`, and PCEN of near silence. Flatness and contrast of
samples, which lean on such bins, take NumPy's transform in float64.
`load` and `resample` have a filter of their own: lengths are librosa's, levels within 1e-3.

What librosa takes and this doesn't, an argument or a value of one, raises NotImplementedError with
the argument's name; what librosa wouldn't take either raises ValueError or TypeError.
"""

from fastaudio.librosa import feature, filters
from fastaudio.librosa._audio import load, resample
from fastaudio.librosa._spectrum import amplitude_to_db, pcen, power_to_db, stft

__all__ = [
    "amplitude_to_db",
    "feature",
    "filters",
    "load",
    "pcen",
    "power_to_db",
    "resample",
    "stft",
]
