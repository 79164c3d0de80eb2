"""The mel scales of Slaney and of HTK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Slaney's scale: linear below 1 kHz, 27 bands per factor of 6.4 above.
_BREAK_HZ = 1000.0
_HZ_PER_MEL = 200 / 3
_LOG_STEP = np.log(6.4) / 27


def mel_of_hz(hz: NDArray[Any], htk: bool) -> NDArray[Any]:
    """Return frequencies on Slaney's mel scale, or on HTK's."""
    if htk:
        return 2595 * np.log10(1 + hz / 700)
    above = _BREAK_HZ / _HZ_PER_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz >= _BREAK_HZ, above, hz / _HZ_PER_MEL)


def hz_of_mel(mels: NDArray[Any], htk: bool) -> NDArray[Any]:
    """Return the frequencies in Hz of values on Slaney's mel scale, or on HTK's."""
    if htk:
        return 700 * (10 ** (mels / 2595) - 1)
    above = _BREAK_HZ * np.exp(_LOG_STEP * (mels - _BREAK_HZ / _HZ_PER_MEL))
    return np.where(mels >= _BREAK_HZ / _HZ_PER_MEL, above, mels * _HZ_PER_MEL)
