"""Tap: the sound itself, read beside the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fastaudio import _core


class Tap:
    """Reads what a live stream captures, beside the network; made by `LiveStream.tap`.

    Attributes:
        position: number of the next sample to read; set it back to read what the buffer still holds.
    """

    def __init__(self, stream: _core.LiveStream) -> None:
        self._core = stream
        self.position = stream.position

    def read(self) -> tuple[NDArray[np.float32], int]:
        """Return the samples since the last call, float32 [n, channels], and how many before them are lost.

        They end where a source was lost and found again; the next call gives those behind that gap. The
        buffer holds `buffer_s`: if you read less often, some are lost.
        """
        samples, n_lost, self.position = self._core.read(self.position)
        return samples, n_lost
