"""Decoding: files to blocks of samples, read ahead in a thread, never whole."""

from __future__ import annotations

import os
import queue
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import numpy as np

from fastaudio._core import FastaudioError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FileLike: TypeAlias = "str | os.PathLike[str] | BinaryIO"

BLOCK = 131_072
"""Values in a decoded block, all channels together."""

# What libsndfile notes where a header promises more than the file holds: WAV and AIFF, then Ogg.
_CUT_SHORT = re.compile(r"^\s*(data|SSND) : .*\(should be|lacks an end-of-stream bit")
# A decoder running ahead is a third busy thread beside the caller's own: only where a core is left.
_BLOCKS_AHEAD = 4 if (os.cpu_count() or 1) > 2 else 0  # noqa: PLR2004
_SALVAGE_STEP = 1
_UNKNOWN_FRAMES = 2**63 - 1
_EXTRA_SUFFIXES = {"aif", "oga", "opus", "wave"}


class DecodeError(FastaudioError, OSError):
    """A file that can't be read as audio: `path` and `reason` tell which and why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[DecodeError], tuple[str, str]]:
        return DecodeError, (self.path, self.reason)


def name_of(source: FileLike) -> str:
    """Return what to call a source in messages."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<file object>"


def is_file_like(value: object) -> bool:
    """Whether a value is a path or a file object, as far as one can tell without reading."""
    return isinstance(value, str | os.PathLike) or hasattr(value, "read")


def suffixes() -> set[str]:
    """File name suffixes of the formats that libsndfile reads, lower case, without the dot."""
    import soundfile  # noqa: PLC0415  # loads libsndfile: only when a file is opened

    return {name.lower() for name in soundfile.available_formats()} - {"raw"} | _EXTRA_SUFFIXES


class AudioFile:
    """An open audio file.

    Attributes:
        name: the path, or what the file object calls itself.
        sample_rate: in Hz.
        channels: how many.
        duration_s: what the header promises, or None if it doesn't say.
        samples_read: samples a channel decoded so far.
        truncated: whether the file ended before its header said, or broke off at an error.
    """

    def __init__(self, source: FileLike) -> None:
        """Open a path or a binary file object.

        Raises:
            DecodeError: it isn't there, or no known format.
        """
        import soundfile  # noqa: PLC0415  # loads libsndfile: only when a file is opened

        self.name = name_of(source)
        self._source = source
        self._error: type[Exception] = soundfile.SoundFileRuntimeError
        if isinstance(source, str | os.PathLike):
            if os.path.isdir(source):  # noqa: PTH112  # soundfile opens a folder without a word
                raise DecodeError(self.name, "expected an audio file, got a folder")
            if not os.path.exists(source):  # noqa: PTH110
                raise DecodeError(self.name, "expected an audio file, got no such file")
        elif not is_file_like(source):
            got = type(source).__name__
            raise TypeError(f"source: expected a path, a binary file object or samples, got {got}")
        try:
            # libsndfile wants a suffix for headerless formats only; "raw" would take anything.
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
            DecodeError: nothing at all could be decoded.
        """
        if _BLOCKS_AHEAD == 0:
            block = None
            while (block := self._decode(None if block is None else _whole(block))) is not None:
                yield block
            return
        with _read_ahead(self._decode) as items:
            while (item := items()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item

    def _decode(self, buffer: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
        """Decode one block into `buffer`, or a new one; None at the end."""
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
            # Of unknown length, the end is where nothing more can be read.
            self.truncated = self.samples_read + len(block) > 0 and not self._is_end(error)
        self.samples_read += len(block)
        if len(block) == 0:
            # A FLAC may leave its length open; an Ogg file's is unknown only if its end is missing.
            told = self._frames < _UNKNOWN_FRAMES or self._file.format == "OGG"
            self.truncated |= told and 0 < self.samples_read < self._frames
            return None
        return block

    def _salvage(self, buffer: NDArray[np.float32]) -> int:
        """Decode again, in small steps, what came before an error; return how many samples."""
        done = 0
        try:
            self._reopen()
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

    def _reopen(self) -> None:
        import soundfile  # noqa: PLC0415  # loads libsndfile: only when a file is opened

        self._file.close()
        if not isinstance(self._source, str | os.PathLike):
            self._source.seek(0)
        self._file = _forward_only(soundfile.SoundFile(self._source))

    def _is_end(self, error: Exception) -> bool:
        """Whether libsndfile stumbled over the end of a FLAC that doesn't state its length."""
        return self._frames == _UNKNOWN_FRAMES and "psf_fseek" in str(error)

    def close(self) -> None:
        """Close the file; a file object of the caller's stays open."""
        self._file.close()

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _forward_only(file: Any) -> Any:
    """Keep soundfile from seeking after each block, which fails at the end of a FLAC of open length."""
    file.seekable = lambda: False
    return file


def _reason(error: Exception) -> str:
    """Return what libsndfile says, without its prefix and the path it repeats."""
    text = str(error)
    if text.startswith("Error opening"):
        text = text.rpartition(": ")[2]
    text = text.removeprefix("Error : ").rstrip(".")
    if "does not exist" in text:  # of files that exist: what mpg123 says where it finds no frame
        text = "nothing that looks like audio"
    return f"expected audio that libsndfile decodes, got: {text}"


def _whole(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the buffer of which a block is the first part."""
    return block.base if isinstance(block.base, np.ndarray) else block


@contextmanager
def _read_ahead(decode: Any) -> Iterator[Any]:
    """Run `decode(buffer)` in a thread, some blocks ahead; gives a function that takes a block.

    The function returns the next block, an exception, or None at the end. Leaving stops the thread.
    """
    ready: queue.Queue[Any] = queue.Queue()
    spare: queue.Queue[NDArray[np.float32] | None] = queue.Queue()
    for _ in range(_BLOCKS_AHEAD):
        spare.put(None)
    stop = threading.Event()

    def work() -> None:
        item: Any = None
        try:
            while True:
                buffer = spare.get()
                if stop.is_set():
                    return
                item = decode(buffer)
                ready.put(item)
                if item is None:
                    return
        except BaseException as error:  # noqa: BLE001  # raised again where the block is taken
            ready.put(error)

    thread = threading.Thread(target=work, name="fastaudio-decode", daemon=True)
    thread.start()
    taken: list[NDArray[np.float32]] = []

    def take() -> Any:
        if taken:
            spare.put(_whole(taken.pop()))
        item = ready.get()
        if isinstance(item, np.ndarray):
            taken.append(item)
        return item

    try:
        yield take
    finally:
        stop.set()
        spare.put(None)
        thread.join()
