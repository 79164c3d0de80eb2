"""Recording the sound of a live stream to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import FastaudioError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastaudio.live import Tap
    from fastaudio.live.sources import Sink, Source

# WAV keeps floats; FLAC keeps integers of 24 bits at most.
_SUBTYPES = {".wav": "FLOAT", ".flac": "PCM_24"}
_SILENCE = 1 << 16
_FULL_SCALE = np.float32(1 / 32768)


class RecordError(FastaudioError, OSError):
    """A recording can't go on, for example because the disk is full."""


class Recorder:
    """Writes samples to a file, and silence for lost ones, so that times stay right."""

    def __init__(self, path: str, sample_rate: int, channels: int, limit: int | None) -> None:
        """Create a .wav or .flac file for at most `limit` samples per channel; None for no limit.

        Raises:
            ValueError: the file has another suffix.
            RecordError: the file can't be written.
        """
        import soundfile  # noqa: PLC0415  # loads libsndfile, so only when recording

        subtype = _SUBTYPES.get(Path(path).suffix.lower())
        if subtype is None:
            raise ValueError(f"--record: expected the name of a .wav or .flac file, got {path}")
        try:
            self._file: Any = soundfile.SoundFile(path, "w", sample_rate, channels, subtype=subtype)
        except soundfile.SoundFileError as error:
            raise _refused(path, error) from error
        self._error = soundfile.SoundFileError
        self._path = path
        self._rate = sample_rate
        self._left = limit
        self._n_written = 0

    def write(self, samples: NDArray[Any]) -> None:
        """Write a block like those that `LiveStream.push` takes.

        Raises:
            RecordError: the disk is full.
        """
        if samples.dtype == np.int16:
            samples = samples * _FULL_SCALE
        samples = samples[: self._left]
        try:
            self._file.write(samples)
        except (self._error, AssertionError) as error:  # soundfile asserts that all was written
            raise _refused(self._path, error) from error
        self._n_written += len(samples)
        if self._left is not None:
            self._left -= len(samples)

    def write_from(self, tap: Tap, say: Callable[[str], None]) -> None:
        """Write the samples that a tap holds; report lost sound by `say`."""
        samples, n_lost = tap.read()
        if n_lost and self._left != 0:
            at_s, lost_s = self._n_written / self._rate, n_lost / self._rate
            say(f"fastaudio: {self._path}: {lost_s:.3f} s of sound lost at {at_s:.3f} s: silence there")
        while n_lost > 0 and self._left != 0:
            n = min(n_lost, _SILENCE)
            self.write(np.zeros((n, self._file.channels), np.float32))
            n_lost -= n
        self.write(samples)

    def close(self) -> None:
        """Complete the header and close the file."""
        self._file.close()


def _refused(path: str, error: Exception) -> RecordError:
    reason = str(error).rpartition(": ")[2].rstrip(".") or "no room"
    return RecordError(f"--record: expected a file that can be written, got {path} ({reason})")


class Recorded:
    """A source that records its samples on their way, since a pipe may be faster than a tap is read."""

    def __init__(self, source: Source, recorder: Recorder) -> None:
        self.sample_rate, self.channels, self.name = source.sample_rate, source.channels, source.name
        self.stop, self.check = source.stop, source.check
        self._start = source.start
        self._write = recorder.write

    def start(self, stream: Sink) -> None:
        """Begin to feed `stream` and the recorder, and return at once."""
        self._push, self.finish = stream.push, stream.finish
        self._start(self)

    def push(self, samples: NDArray[Any]) -> None:
        """Pass a block on to the stream and to the recorder."""
        self._push(samples)
        self._write(samples)
