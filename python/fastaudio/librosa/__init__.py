"""librosa's names, with its most called functions computed by fastaudio's nodes.

Names, arguments, defaults, shapes and orientation are those of librosa 0.11, so a program changes one import:

>>> import numpy as np
>>> import fastaudio.librosa as librosa
>>> tone = np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050).astype(np.float32)
>>> librosa.feature.mfcc(y=tone, sr=22_050, n_mfcc=13).shape
(13, 44)

`__all__` here, in `feature` and in `filters` lists what is covered. It needs no librosa, and its numbers are
float32 and complex64, even if librosa's are float64. They differ by at most 1e-4 of librosa's largest. The
nodes transform in float32, librosa in float64: bins more than about 120 dB below their frame's largest
differ, and with them decibels without `top_db`, and PCEN of near silence. Flatness and contrast of samples
depend on such bins, so they use NumPy's transform in float64. `load` and `resample` have another filter:
lengths are librosa's, levels agree within 1e-3.

What isn't covered is librosa's own where it is installed: every other name, such as `beat` or `effects.trim`,
and the whole call if an argument, or a value of one, isn't covered. Numbers are then librosa's, in its types
and at its speed; the logger `fastaudio.librosa` tells why, at level DEBUG. Without librosa, the name is an
AttributeError or ImportError, and the call a NotImplementedError that names the argument. librosa is imported
when it is first needed.

What librosa refuses raises `ParameterError`, a ValueError, which is one of librosa's as well where that is
installed. librosa's other functions raise their own: to catch both, name `util.exceptions.ParameterError`.

librosa 1.0 limits decibels channel by channel where 0.11 takes all channels together. This package follows
0.11 whichever is installed; `axes="auto"` of `power_to_db` and `amplitude_to_db` is 1.0's way.
"""

from typing import TYPE_CHECKING

from fastaudio.librosa import feature, filters
from fastaudio.librosa._audio import load, resample
from fastaudio.librosa._decibels import amplitude_to_db, power_to_db
from fastaudio.librosa._handover import open_up
from fastaudio.librosa._pcen import pcen
from fastaudio.librosa._spectrum import stft

if TYPE_CHECKING:

    class ParameterError(ValueError):
        """An argument has a value that librosa refuses as well."""


__all__ = [
    "ParameterError",
    "amplitude_to_db",
    "feature",
    "filters",
    "load",
    "pcen",
    "power_to_db",
    "resample",
    "stft",
]

open_up(__name__)
