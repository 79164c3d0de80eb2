"""Recording what a live stream hears."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastaudio.live import Tap

# So that nothing is rounded away: floats as they come, or what 24 bits hold.
_SUBTYPES = {".wav": "FLOAT", ".flac": "PCM_24"}
_SILENCE = 1 << 16


class Recorder:
    """Writes a tap's samples to a file: lost ones as silence, so that times stay right."""

    def __init__(self, path: str, sample_rate: int, channels: int, limit: int | None) -> None:
        """Create a .wav or .flac file, for `limit` samples a channel at most.

        Raises:
            ValueError: another suffix, or a place that can't be written to.
        """
        import soundfile  # noqa: PLC0415  # loads libsndfile: only where something is recorded

        subtype = _SUBTYPES.get(Path(path).suffix.lower())
        if subtype is None:
            raise ValueError(f"--record: expected the name of a .wav or .flac file, got {path}")
        try:
            self._file: Any = soundfile.SoundFile(path, "w", sample_rate, channels, subtype=subtype)
        except soundfile.SoundFileError as error:
            reason = str(error).rpartition(": ")[2]
            raise ValueError(
                f"--record: expected a file that can be written, got {path}: {reason}"
            ) from error
        self._rate = sample_rate
        self._left = limit
        self._n_written = 0
        self._path = path

    def write(self, tap: Tap, say: Callable[[str], None]) -> None:
        """Write what the tap has; `say` is told of lost sound."""
        samples, n_lost = tap.read()
        if n_lost and self._left != 0:
            at_s = self._n_written / self._rate
            lost_s = n_lost / self._rate
            say(f"fastaudio: {self._path}: {lost_s:.3f} s of sound lost at {at_s:.3f} s: silence there")
        while n_lost > 0 and self._left != 0:
            n = min(n_lost, _SILENCE)
            self._append(np.zeros((n, self._file.channels), np.float32))
            n_lost -= n
        self._append(samples)

    def _append(self, samples: Any) -> None:
        samples = samples[: self._left]
        self._file.write(samples)
        self._n_written += len(samples)
        if self._left is not None:
            self._left -= len(samples)

    def close(self) -> None:
        """Write the header's final lengths."""
        self._file.close()
