"""Decoding with libsndfile: one part of a file, from its first sample to the last that decodes."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastaudio.decoding.sources import DecodeError, Source
from fastaudio.decoding.views import BLOCK, Buffered, Pieces, View

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray


# libsndfile notes this if a header promises more than the file holds: WAV, then AIFF.
_CUT_SHORT = re.compile(r"^\s*(data|SSND) : .*\(should be", re.MULTILINE)
_SALVAGE_STEPS = (4096, 64, 1)  # samples per read
_UNKNOWN_FRAMES = 2**63 - 1
_IS_WINDOWS = sys.platform == "win32"  # where libsndfile and Python don't share descriptors


@dataclass(frozen=True)
class Part:
    """What libsndfile decodes as one file.

    Attributes:
        view: makes the file to read, or None for the source as it is, from the byte `start` on.
        n_samples: how many samples per channel it has at most, or None for what libsndfile says.
        truncated: whether the container proves that sound is missing, or None for what libsndfile says.
        exact: whether fewer samples than are stated prove it too.
    """

    view: Callable[[], View] | None = None
    n_samples: int | None = None
    truncated: bool | None = None
    exact: bool = True
    start: int = 0


class SndfileDecoder:
    """A part being decoded.

    Attributes:
        sample_rate: samples per second, in Hz.
        channels: number of channels.
        n_samples: samples per channel that the header states, or None.
        truncated: whether sound is missing, as far as is known yet.
    """

    def __init__(self, source: Source, part: Part) -> None:
        """Open it.

        Raises:
            DecodeError: libsndfile refuses it; `refused` is True if its format is none that it knows.
        """
        import soundfile  # noqa: PLC0415  # loads libsndfile, so only when needed

        self._source = source
        self._part = part
        self._error: type[Exception] = soundfile.SoundFileError
        self._file = self._open()
        self.sample_rate = int(self._file.samplerate)
        self.channels = int(self._file.channels)
        frames = int(self._file.frames) if part.n_samples is None else part.n_samples
        # A FLAC may omit its length.
        self.n_samples = frames if 0 <= frames < _UNKNOWN_FRAMES else None
        self.truncated = bool(_CUT_SHORT.search(self._file.extra_info))
        if part.truncated is not None:
            self.truncated = part.truncated
        self._done = 0
        self._broken = False

    def read(self, out: NDArray[np.float32]) -> int:
        """Decode into `out` [n_samples, channels] and return how many samples it got: 0 at the end.

        Raises:
            DecodeError: not even a first sample could be decoded.
        """
        if self._part.n_samples is not None:
            out = out[: self._part.n_samples - self._done]
        if self._broken or not len(out):
            return 0
        try:
            got = len(self._file.read(out=out))
        except self._error as error:
            self._source.raise_pending()
            self._broken = True
            # A FLAC that doesn't state its length ends where nothing more can be read.
            at_end = self.n_samples is None and "psf_fseek" in str(error)
            got = self._salvage(out)
            if self._done + got == 0 and not at_end:
                raise DecodeError(self._source.name, _reason(error)) from error
            self.truncated |= not at_end
        self._source.raise_pending()
        self._done += got
        if got == 0 and self._part.exact and self.n_samples is not None:
            self.truncated |= 0 < self._done < self.n_samples
        return got

    def close(self) -> None:
        """Close what libsndfile opened, not the source."""
        self._file.close()

    def _open(self) -> Any:
        import soundfile  # noqa: PLC0415

        path, source = self._source.path, self._source
        try:
            if self._part.view is None and path is not None and not (self._part.start and _IS_WINDOWS):
                try:
                    return _forward_only(_at(path, self._part.start))
                except OSError:
                    pass  # such as no descriptor left, but we hold one
                except soundfile.LibsndfileError as error:
                    if error.code != _SYSTEM_ERROR:  # the same, as libsndfile says it
                        raise
            view = whole(source, self._part.start) if self._part.view is None else self._part.view()
            file = soundfile.SoundFile(Buffered(view, BLOCK))
        except (soundfile.SoundFileError, TypeError, OSError) as error:
            source.raise_pending()
            raise DecodeError(source.name, _reason(error)) from error
        source.raise_pending()
        return _forward_only(file)

    def _salvage(self, out: NDArray[np.float32]) -> int:
        """Decode the samples before an error again, in ever smaller steps; return how many there were."""
        done = 0
        for step in _SALVAGE_STEPS:
            if done < len(out):
                done += self._salvaged(out[done:], self._done + done, step)
        return done

    def _salvaged(self, out: NDArray[np.float32], n_before: int, step: int) -> int:
        """Decode what comes after `n_before` samples, in steps up to the one that has the error."""
        done = 0
        try:
            self._file.close()
            self._file = self._open()
            left = n_before
            while left > 0:  # a broken file doesn't seek
                self._source.check_left()
                got = len(self._file.read(out=out[: min(left, len(out))]))
                if got == 0:
                    return 0
                left -= got
            while done < len(out):
                self._source.check_left()
                got = len(self._file.read(out=out[done : done + step]))
                if got == 0:
                    break
                done += got
        except (self._error, DecodeError):
            pass
        return done


_SYSTEM_ERROR = 2


def whole(source: Source, start: int = 0) -> View:
    """Return all of a source from a byte on as a file."""
    return Pieces(source, [(start, source.size)])


def _at(path: str, start: int) -> Any:
    """Open a file from a byte on, which libsndfile then reads without a call of Python."""
    import soundfile  # noqa: PLC0415

    if not start:
        # By its path, as libsndfile tells formats without a header by the suffix.
        return soundfile.SoundFile(path if _IS_WINDOWS else os.fsencode(path))
    descriptor = os.open(path, os.O_RDONLY)
    os.lseek(descriptor, start, os.SEEK_SET)
    return soundfile.SoundFile(descriptor, closefd=True)  # libsndfile closes it if it refuses it, too


def _forward_only(file: Any) -> Any:
    """Keep soundfile from seeking after each block: that fails at the end of a FLAC without a length."""
    file.seekable = lambda: False
    return file


def _reason(error: Exception) -> str:
    """Return libsndfile's message without its prefix and the path that it repeats."""
    text = str(error)
    if text.startswith("Error opening"):
        text = text.rpartition(": ")[2]
    text = text.removeprefix("Error : ").rstrip(".")
    if not text or "does not exist" in text:  # mpg123 says so of files in which it finds no frame
        text = "nothing that looks like audio"
    return f"expected audio that libsndfile decodes, got: {text}"
