"""The functions of librosa 0.11 that most programs call, computed by fastaudio's nodes.

Names, arguments, defaults, shapes and orientation are librosa's, so a program changes one import:

>>> import numpy as np
>>> import fastaudio.librosa as librosa
>>> tone = np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050).astype(np.float32)
>>> librosa.feature.mfcc(y=tone, sr=22_050, n_mfcc=13).shape
(13, 44)

Numbers are float32 and complex64, even if librosa's are float64, and differ by at most 1e-4 of librosa's
largest. The nodes transform in float32, librosa in float64: bins more than about 120 dB below their frame's
largest differ, and with them decibels without `top_db`, and PCEN of near silence. Flatness and contrast of
samples depend on such bins, so they use NumPy's transform in float64. `load` and `resample` have another
filter: lengths are librosa's, levels agree within 1e-3. `feature` and `filters` are librosa's modules.

An argument, or a value of one, that librosa accepts and this doesn't raises NotImplementedError with the
argument's name; what librosa refuses too raises ValueError or TypeError.
"""

from fastaudio.librosa import feature, filters
from fastaudio.librosa._audio import load, resample
from fastaudio.librosa._spectrum import amplitude_to_db, pcen, power_to_db, stft

__all__ = ["amplitude_to_db", "feature", "filters", "load", "pcen", "power_to_db", "resample", "stft"]
