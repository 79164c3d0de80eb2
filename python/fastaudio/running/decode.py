"""Decoding: files to blocks of samples; no file is ever held whole."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import numpy as np

from fastaudio._core import FastaudioError
from fastaudio.running.read_ahead import buffer_of, read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FileLike: TypeAlias = "str | os.PathLike[str] | BinaryIO"

BLOCK = 131_072
"""Values per decoded block, all channels together."""

# libsndfile notes this if a header promises more than the file holds: WAV and AIFF, then Ogg.
_CUT_SHORT = re.compile(r"^\s*(data|SSND) : .*\(should be|lacks an end-of-stream bit")
# A decoder that runs ahead keeps a third thread busy, so it needs a spare core.
_BLOCKS_AHEAD = 4 if (os.cpu_count() or 1) > 2 else 0  # noqa: PLR2004
_SALVAGE_STEP = 1
_UNKNOWN_FRAMES = 2**63 - 1
_EXTRA_SUFFIXES = {"aif", "oga", "opus", "wave"}


class DecodeError(FastaudioError, OSError):
    """A file can't be read as audio: `path` says which, `reason` why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[DecodeError], tuple[str, str]]:
        return DecodeError, (self.path, self.reason)


def name_of(source: FileLike) -> str:
    """Return a source's name for messages."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<file object>"


def is_file_like(value: object) -> bool:
    """Tell whether a value is a path or looks like a file object; nothing is read."""
    return isinstance(value, str | os.PathLike) or hasattr(value, "read")


def suffixes() -> set[str]:
    """Return the file name suffixes of the formats that libsndfile reads, lower case, without the dot."""
    import soundfile  # noqa: PLC0415  # loads libsndfile, so only when needed

    return {name.lower() for name in soundfile.available_formats()} - {"raw"} | _EXTRA_SUFFIXES


class AudioFile:
    """An open audio file.

    Attributes:
        name: the path, or the file object's own name.
        sample_rate: samples per second, in Hz.
        channels: number of channels.
        duration_s: length that the header states, or None.
        samples_read: samples per channel decoded so far.
        truncated: whether the file ended earlier than its header says, or broke off at an error.
    """

    def __init__(self, source: FileLike) -> None:
        """Open a path or a binary file object.

        Raises:
            DecodeError: there is no such file, or its format is unknown.
            TypeError: the source is neither a path nor a file object.
        """
        import soundfile  # noqa: PLC0415  # loads libsndfile, so only when needed

        self.name = name_of(source)
        self._source = source
        self._error: type[Exception] = soundfile.SoundFileRuntimeError
        if isinstance(source, str | os.PathLike):
            if os.path.isdir(source):  # noqa: PTH112  # soundfile would open a folder
                raise DecodeError(self.name, "expected an audio file, got a folder")
            if not os.path.exists(source):  # noqa: PTH110
                raise DecodeError(self.name, "expected an audio file, got no such file")
        elif not is_file_like(source):
            got = type(source).__name__
            raise TypeError(f"source: expected a path, a binary file object or samples, got {got}")
        try:
            # libsndfile needs a suffix only for formats without a header; "raw" would accept anything.
            self._file: Any = _forward_only(soundfile.SoundFile(source))
        except (soundfile.SoundFileError, TypeError, OSError) as error:
            raise DecodeError(self.name, _reason(error)) from error
        self.sample_rate = int(self._file.samplerate)
        self.channels = int(self._file.channels)
        self._frames = int(self._file.frames)
        known = 0 <= self._frames < _UNKNOWN_FRAMES
        self.duration_s = self._frames / self.sample_rate if known else None
        self.samples_read = 0
        self._broken = False
        self.truncated = any(_CUT_SHORT.search(line) for line in self._file.extra_info.splitlines())

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield float32 arrays [n_samples, channels], each valid until the next one.

        Raises:
            DecodeError: not even a first sample could be decoded.
        """
        if _BLOCKS_AHEAD == 0:
            block = None
            while (block := self._decode(None if block is None else buffer_of(block))) is not None:
                yield block
            return
        with read_ahead(self._decode, _BLOCKS_AHEAD) as take:
            while (item := take()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item

    @contextmanager
    def decode_errors(self) -> Iterator[None]:
        """Raise ValueErrors of what uses this file's sound as DecodeErrors that name the file."""
        try:
            yield
        except ValueError as error:
            raise DecodeError(self.name, str(error)) from error

    def _decode(self, buffer: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
        """Decode one block into `buffer`, or into a new one; return its filled part, None at the end."""
        if buffer is None:
            buffer = np.empty((max(1, BLOCK // self.channels), self.channels), dtype=np.float32)
        if self._broken:
            return None
        try:
            block: NDArray[np.float32] = self._file.read(out=buffer)
        except self._error as error:
            self._broken = True
            block = buffer[: self._salvage(buffer)]
            if self.samples_read + len(block) == 0 and not self._is_end(error):
                raise DecodeError(self.name, _reason(error)) from error
            # A file of unknown length ends where nothing more can be read.
            self.truncated = self.samples_read + len(block) > 0 and not self._is_end(error)
        self.samples_read += len(block)
        if len(block) == 0:
            # A FLAC may omit its length; an Ogg file's length is unknown only if its end is missing.
            told = self._frames < _UNKNOWN_FRAMES or self._file.format == "OGG"
            self.truncated |= told and 0 < self.samples_read < self._frames
            return None
        return block

    def _salvage(self, buffer: NDArray[np.float32]) -> int:
        """Decode the samples before an error again, in small steps; return how many there were."""
        import soundfile  # noqa: PLC0415  # loads libsndfile, so only when needed

        done = 0
        try:
            self._file.close()
            if not isinstance(self._source, str | os.PathLike):
                self._source.seek(0)
            self._file = _forward_only(soundfile.SoundFile(self._source))
            left = self.samples_read
            while left > 0:  # a broken file doesn't seek
                left -= len(self._file.read(out=buffer[: min(left, len(buffer))]))
            while done < len(buffer):
                got = len(self._file.read(out=buffer[done : done + _SALVAGE_STEP]))
                if got == 0:
                    break
                done += got
        except self._error:
            pass
        return done

    def _is_end(self, error: Exception) -> bool:
        """Tell whether libsndfile stumbled over the end of a FLAC that doesn't state its length."""
        return self._frames == _UNKNOWN_FRAMES and "psf_fseek" in str(error)

    def close(self) -> None:
        """Close the file; the caller's file object stays open."""
        self._file.close()

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
    if "does not exist" in text:  # mpg123 says so of files in which it finds no frame
        text = "nothing that looks like audio"
    return f"expected audio that libsndfile decodes, got: {text}"
