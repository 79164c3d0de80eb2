"""Sources of a live stream: raw PCM from a pipe, or an audio file at the pace of a microphone."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol, TypeAlias

import numpy as np

from fastaudio._core import StateError
from fastaudio.decoding.audio_file import AudioFile, DecodeError, name_of
from fastaudio.decoding.sources import said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

Encoding: TypeAlias = Literal["s16le", "f32le"]

ENCODINGS: dict[str, np.dtype[Any]] = {"s16le": np.dtype("<i2"), "f32le": np.dtype("<f4")}
"""Encodings of raw PCM: 16-bit integers or 32-bit floats, little-endian, interleaved."""

_READ_BYTES = 1 << 16
_STOP_S = 0.3
_LONGEST_S = 1e9
_POLL_S = 0.01

log = logging.getLogger("fastaudio")


class Sink(Protocol):
    """What a source needs of the live stream that it feeds."""

    def push(self, samples: NDArray[Any]) -> object:
        """Take a block, [n_samples] or [n_samples, channels]."""

    def finish(self) -> None:
        """End the signal."""


class Source(Protocol):
    """What feeds a live stream.

    With `retry_s` it also needs `again()`, which returns a new source of the same sound, or raises while
    it isn't there.

    Attributes:
        sample_rate: its sound's rate, in Hz.
        channels: how many channels its sound has.
        name: its name in messages.
    """

    sample_rate: int
    channels: int
    name: str

    def start(self, stream: Any) -> None:
        """Begin to feed `stream` from another thread, and return at once."""

    def stop(self) -> None:
        """Stop feeding. It may be called twice, returns within a second, and never raises."""

    def check(self) -> None:
        """Raise the error that made it stop feeding, if there was one."""


class Reader:
    """A source that reads blocks in a thread and pushes them.

    At the end, and after an error, it finishes the stream: the sound so far is still run, and `check` raises
    the error.

    Attributes:
        can_wait: whether it may be given sound later than it comes, so that none has to be dropped.
        failure: what made it stop feeding, as it was raised; None if nothing did.
    """

    can_wait = True

    def __init__(self, name: str, sample_rate: int, channels: int, duration_s: float | None) -> None:
        number = isinstance(duration_s, int | float)
        if duration_s is not None and not (number and 0 < duration_s <= _LONGEST_S):
            raise ValueError(f"{name}: expected duration_s in (0, 1e9] seconds, got {duration_s!r:.80}")
        self.name = name
        self.sample_rate = sample_rate
        self.channels = channels
        self._left = None if duration_s is None else max(1, round(duration_s * sample_rate))
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.failure: BaseException | None = None

    def _blocks(self) -> Iterator[NDArray[Any]]:
        raise NotImplementedError

    def start(self, stream: Sink) -> None:
        """Begin to feed `stream`, and return at once.

        Raises:
            StateError: it was started before.
        """
        if self._thread is not None or self._stopped.is_set():
            raise StateError(f"{self.name}: expected a new source, got one that was started; make another")
        # It is a daemon, so that a read that blocks doesn't keep the program from ending.
        self._thread = threading.Thread(
            target=self._run, args=(stream,), name="fastaudio-source", daemon=True
        )
        self._thread.start()  # it owns what it reads from now on, and closes it

    def stop(self) -> None:
        """Stop feeding. A read that blocks goes on, and what it returns is dropped."""
        self._stopped.set()
        thread = self._thread
        # One that couldn't be started can't be joined either.
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            thread.join(_STOP_S)

    def check(self) -> None:
        """Raise the error that ended reading, if there was one.

        What a file object raised comes back as it is.

        Raises:
            DecodeError: the sound can't be read, or has values that aren't finite.
        """
        if self.failure is not None:
            raise self.failure

    def _run(self, stream: Sink) -> None:
        ends = True
        try:
            ends = self._feed(stream)
        except (StopIteration, StopAsyncIteration) as error:  # would end a loop over results silently
            self.failure = RuntimeError(f"{self.name}: expected to read on, got {type(error).__name__}")
            self.failure.__cause__ = error
        except BaseException as error:  # noqa: BLE001  # check() raises it
            self.failure = error
        finally:
            if ends:
                with suppress(StateError):  # ended before
                    stream.finish()

    def _feed(self, stream: Sink) -> bool:
        """Push all blocks; return False if the source was stopped, or its stream has ended."""
        self._sink = stream
        for block in self._blocks():
            if self._stopped.is_set():
                return False
            try:
                stream.push(block[: self._left])
            except StateError:  # the stream was closed, or finished by the caller
                return False
            except (TypeError, ValueError) as error:  # of its values
                got = f"{type(error).__name__}: {error}"
                raise DecodeError(self.name, f"expected to read on, got {got}") from error
            if self._left is not None:
                self._left -= len(block)
                if self._left <= 0:
                    break
        return not self._stopped.is_set()


class PcmSource(Reader):
    """Raw PCM from a file, a FIFO or stdin, as fast as it can be read.

    >>> import io
    >>> source = PcmSource(io.BytesIO(bytes(32_000)), sample_rate=16_000)
    >>> source.sample_rate, source.channels
    (16000, 1)
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        *,
        sample_rate: int,
        channels: int = 1,
        encoding: Encoding = "s16le",
        duration_s: float | None = None,
    ) -> None:
        """Choose what to read. A FIFO is opened by `start`, since opening it waits for its writer.

        Args:
            source: a path, or a binary file object.
            sample_rate: in Hz.
            channels: how many are interleaved.
            encoding: "s16le" or "f32le".
            duration_s: seconds after which to end; None for all of it.

        Raises:
            DecodeError: no such file.
        """
        for what, value in (("sample_rate", sample_rate), ("channels", channels)):
            if type(value) is not int or value < 1:
                raise ValueError(f"PcmSource: expected {what} as an int of at least 1, got {value!r:.80}")
        if encoding not in ENCODINGS:
            raise ValueError(f"PcmSource: expected encoding of {', '.join(ENCODINGS)}, got {encoding!r:.80}")
        if isinstance(source, str | os.PathLike):
            if not os.path.exists(source):  # noqa: PTH110
                raise DecodeError(os.fspath(source), "expected raw PCM, got no such file")
        elif not hasattr(source, "read"):
            got = type(source).__name__
            raise TypeError(f"PcmSource: expected a path or a binary file object, got {got}")
        super().__init__(name_of(source), sample_rate, channels, duration_s)
        self._source = source
        self._dtype = ENCODINGS[encoding]

    def _blocks(self) -> Iterator[NDArray[Any]]:
        frame_bytes = self.channels * self._dtype.itemsize
        left = b""
        for data in self._reads():
            left += data
            whole = len(left) - len(left) % frame_bytes
            if whole:
                block = np.frombuffer(left[:whole], self._dtype).astype(self._dtype.newbyteorder("="))
                yield block if self.channels == 1 else block.reshape(-1, self.channels)
            left = left[whole:]
        if left and not self._stopped.is_set():
            log.warning(
                "%s: expected samples of %d bytes, got %d bytes more at the end; check channels and encoding",
                self.name,
                frame_bytes,
                len(left),
            )

    def _reads(self) -> Iterator[bytes]:
        """Yield what has come, without waiting until a block is full."""
        source: Any = self._source
        stdin: Any = getattr(sys.stdin, "buffer", None)
        try:
            if isinstance(source, str | os.PathLike):
                with open(source, "rb", buffering=0) as file:  # noqa: PTH123
                    yield from self._until_end(file.read)
                return
            if stdin is not None and source is stdin:
                # A blocking read of the buffer would hold its lock, which breaks Python's shutdown.
                raw: Any = getattr(stdin, "raw", stdin)
                yield from self._until_end(raw.read)
                return
        except OSError as error:  # it has no caller who would know its name
            raise DecodeError(self.name, f"expected to read on, got {said(error)}") from error
        yield from self._until_end(_read_of(source))

    def _until_end(self, read: Callable[[int], bytes | None]) -> Iterator[bytes]:
        """Yield what `read` gives; None isn't the end, but says that nothing has come yet."""
        while not self._stopped.is_set():
            data = read(_READ_BYTES)
            if data is None:
                self._stopped.wait(_POLL_S)
            elif data:
                yield data
            else:
                return


def _read_of(source: Any) -> Callable[[int], bytes | None]:
    """Return what reads as much of a file object as has come."""
    read1 = getattr(source, "read1", None)
    if read1 is None:
        return source.read  # type: ignore[no-any-return]
    if not isinstance(source, io.BufferedIOBase):
        return read1  # type: ignore[no-any-return]

    def read(n_bytes: int) -> bytes | None:
        # `read1` gives nothing both at the end and if nothing has come; `read` tells these apart.
        return read1(n_bytes) or source.read(1)

    return read


class FileSource(Reader):
    """An audio file as if it were a microphone: in real time, or as fast as it can be read."""

    def __init__(
        self,
        path: str | os.PathLike[str] | BinaryIO,
        *,
        real_time: bool = True,
        block_s: float = 0.01,
        duration_s: float | None = None,
    ) -> None:
        """Open a file.

        Args:
            path: a file of any format that `Pipeline` reads, or a file object.
            real_time: whether to give each block when a microphone would; if not, as soon as it is read.
            block_s: length of a block, in seconds.
            duration_s: seconds after which to end; None for all of it.

        Raises:
            DecodeError: it doesn't exist, or its format isn't known.
        """
        if not isinstance(block_s, int | float) or not 0 < block_s <= 60:  # noqa: PLR2004
            raise ValueError(f"FileSource: expected block_s in (0, 60] seconds, got {block_s!r:.80}")
        self._file = AudioFile(path)
        super().__init__(self._file.name, self._file.sample_rate, self._file.channels, duration_s)
        self._real_time = real_time
        self.can_wait = not real_time
        self._block = max(1, round(block_s * self.sample_rate))

    @property
    def truncated(self) -> bool:
        """Whether the file is known to be cut short, as it may be only at its end."""
        return self._file.truncated

    def stop(self) -> None:
        """Stop feeding, and close the file."""
        super().stop()
        if self._thread is None:
            self._file.close()

    def _blocks(self) -> Iterator[NDArray[Any]]:
        with self._file:
            decoded = (block[:, 0] if self.channels == 1 else block for block in self._file.blocks())
            if not self._real_time:
                yield from decoded
            else:
                yield from self._paced(decoded)
            if self._file.truncated:
                got_s = self._file.samples_read / self.sample_rate
                log.warning("%s: the file is cut short, got %.1f s", self.name, got_s)

    def _paced(self, decoded: Iterator[NDArray[Any]]) -> Iterator[NDArray[Any]]:
        """Yield small blocks, each at the time of its last sample. Delays don't add up."""
        started_s = time.monotonic()
        n_given = 0
        for large in decoded:
            for first in range(0, len(large), self._block):
                block = large[first : first + self._block]
                n_given += len(block)
                due_s = started_s + n_given / self.sample_rate
                if self._stopped.wait(max(0.0, due_s - time.monotonic())):
                    return
                yield block
