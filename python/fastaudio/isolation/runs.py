"""One run of an isolated pipeline over a file or a stream, in the form of what runs in this process."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import Mono, Resample, StateError, StreamSpec
from fastaudio.decoding.audio_file import BLOCK
from fastaudio.decoding.sources import NAMELESS
from fastaudio.isolation import answers
from fastaudio.isolation.wire import IsolationError
from fastaudio.running.adapt import checked_signal
from fastaudio.running.stream import PipelineStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from fastaudio.isolation.answers import RowSpec
    from fastaudio.isolation.children import Children
    from fastaudio.isolation.process import Process
    from fastaudio.isolation.reading import Reader
    from fastaudio.isolation.wire import Message

    Rows = dict[str, NDArray[np.float32]]

_MOST_RATE, _MOST_CHANNELS = 1 << 31, 1024
_READ_BYTES, _READ_COSTS = 1 << 20, 1 << 12


class _Results:
    """Takes the rows of one run, and counts them against what a run may give."""

    def __init__(self, process: Process, outputs: dict[str, RowSpec], most_bytes: int) -> None:
        self._process = process
        self._outputs = outputs
        self._left = most_bytes

    def rows_of(self, message: Message) -> Rows:
        with self._process.checked():
            answers.check_rows(message, self._outputs, self._left)
        arrays = self._process.arrays_of(message)
        rows: Rows = dict(zip(self._outputs, arrays, strict=True))
        with self._process.checked():
            answers.check_values(rows, self._outputs)
        self._left -= message.n_bytes
        return rows


class Decoded:
    """A block of a file that a process has decoded and run: how many samples it had, and its rows."""

    def __init__(self, n_samples: int, rows: Rows, *, loud: bool) -> None:
        self.rows = rows
        self.loud = loud
        self._n_samples = n_samples

    def __len__(self) -> int:
        return self._n_samples


class IsolatedFile:
    """A file being decoded and run in a process; its attributes are those of `AudioFile`.

    Attributes:
        outputs: what rows come out.
    """

    def __init__(self, reader: Reader, process: Process, most_bytes: int) -> None:
        """Begin with a source, which this process reads.

        Raises:
            DecodeError: it can't be decoded.
            Exception: what the file object raises.
        """
        self.name = reader.name
        self.path = None if self.name in NAMELESS else self.name
        self._reader = reader
        self._process = process
        self._may_read = 100 * reader.size + (1 << 28)  # far more than any decoder reads again
        process.send("file", {"name": self.name, "size": reader.size})
        message = self._next("opened")
        fields = message.fields
        with process.checked():
            self.sample_rate = answers.whole(fields.get("sample_rate"), "sample_rate", 1, _MOST_RATE)
            self.channels = answers.whole(fields.get("channels"), "channels", 1, _MOST_CHANNELS)
            duration_s = fields.get("duration_s")
            self.duration_s = None if duration_s is None else answers.number(duration_s, "duration_s")
            self.outputs = answers.specs(fields.get("outputs"))
        self.truncated = False
        self._results = _Results(process, self.outputs, most_bytes)
        self._last: Decoded | None = None

    def blocks(self) -> Iterator[Any]:
        """Yield the blocks, decoded and run."""
        while (message := self._next("rows", "end")).kind == "rows":
            with self._process.checked():
                n_samples = answers.whole(message.fields.get("samples"), "samples", 1, BLOCK)
                loud = answers.truth(message.fields.get("loud"), "loud")
            yield Decoded(n_samples, self._results.rows_of(message), loud=loud)
        with self._process.checked():
            self.truncated = answers.truth(message.fields.get("truncated"), "truncated")
        self._last = Decoded(0, self._results.rows_of(message), loud=False)
        self._process.idle()

    def decode_errors(self) -> AbstractContextManager[None]:
        """Return a context that changes nothing: the process has done it."""
        return nullcontext()

    def _next(self, *kinds: str) -> Message:
        """Return the next message, after reading for the process what it asks for."""
        while True:
            message = self._process.receive("read", *kinds, path=self.name)
            if message.kind != "read":
                return message
            with self._process.checked():
                position = answers.whole(message.fields.get("position"), "position")
                n_bytes = answers.whole(message.fields.get("n_bytes"), "n_bytes", 0, _READ_BYTES)
                self._may_read -= n_bytes + _READ_COSTS
                if self._may_read < 0:
                    answers.wrong("an end of reading")
            data = self._reader.read(position, n_bytes)
            self._process.send("data", {}, [np.frombuffer(data, np.uint8)])

    @property
    def stream(self) -> Any:
        """What takes the blocks and gives their rows, as a core's stream does."""
        return _FileStream(lambda: self._last)


class _FileStream:
    def __init__(self, last: Callable[[], Decoded | None]) -> None:
        self._last = last
        self.too_loud = False

    def push(self, block: Decoded, *, wait: bool) -> Rows:
        del wait
        self.too_loud = block.loud
        return block.rows

    def flush(self) -> Rows:
        last = self._last()
        assert last is not None
        return last.rows


class IsolatedStream:
    """A core's stream that runs in a process; its methods are those of `_core.Stream`."""

    def __init__(self, children: Children, sample_rate: int, channels: int) -> None:
        """Open it in a process of its own.

        Raises:
            TypeError, ValueError, ModelError: as `Pipeline.open` does.
            IsolationError: there is no such process, or it gave no answer.
        """
        self._children = children
        rate, n_channels = checked_signal(sample_rate, channels)
        self._how = {"sample_rate": rate, "channels": n_channels}
        self._process: Process | None = None
        self._open()

    def _open(self) -> None:
        process = self._children.take()
        try:
            message = process.ask("open", self._how, gives="opened")
            with process.checked():
                self.outputs = answers.specs(message.fields.get("outputs"))
            process.idle()
        except BaseException:
            self._children.give(process)
            raise
        self._process = process
        self._results = _Results(process, self.outputs, int(self._children.limits.result_mb * 1e6))
        self.too_loud = False

    def push(self, rows: Any, *, wait: bool = True) -> Rows:
        """Take a block and return the rows that it completes."""
        if not isinstance(rows, np.ndarray) or rows.dtype not in (np.float32, np.int16):
            _checker(self._how["channels"])(rows)
        return self._asked("push", {"wait": wait}, [np.ascontiguousarray(rows)])

    def flush(self) -> Rows:
        """End the signal and return the last rows."""
        return self._asked("flush", {}, [])

    def reset(self) -> None:
        """Go back to the beginning; in a new process, if the old one has ended."""
        if self._process is not None and not self._process.ended:
            with suppress(IsolationError):  # it has ended
                self._process.ask("reset", {}, gives="done")
                self._process.idle()
                most = int(self._children.limits.result_mb * 1e6)
                self._results = _Results(self._process, self.outputs, most)
                self.too_loud = False
                return
        self.close()
        self._open()

    def close(self) -> None:
        """Give the process back for other work."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.busy:  # in another thread, which then closes its connection
            process.kill()
        else:
            self._children.give(process)

    def __del__(self) -> None:
        if getattr(self, "_process", None) is not None:
            self.close()

    def _asked(self, kind: str, fields: dict[str, Any], arrays: list[NDArray[Any]]) -> Rows:
        if self._process is None or self._process.ended:  # one that ended by itself says why when it is asked
            raise StateError(
                "stream: expected its process to run, got one that ended; call reset, and begin again"
            )
        process = self._process
        try:
            message = process.ask(kind, fields, arrays, gives="rows")
            with process.checked():
                self.too_loud = answers.truth(message.fields.get("loud"), "loud")
            rows = self._results.rows_of(message)
            process.idle()
        finally:
            if process.busy:  # whatever interrupted it: what it would send next belongs to nobody
                process.end()
        return rows


def _checker(channels: int) -> Callable[[Any], Any]:
    """Return what raises for samples of a wrong type, as a stream in this process does."""
    if channels == 1:
        stream = Resample(input_rate=16_000, output_rate=16_000).open(StreamSpec(rate_hz=16_000))
    else:
        stream = Mono(channels=channels).open(StreamSpec(rate_hz=16_000, shape=[channels]))
    return stream.push


class IsolatedPipelineStream(PipelineStream):
    """A `PipelineStream` whose network runs in a process of its own."""

    def close(self) -> None:
        """Drop the stream's state, and give its process back; what was not flushed is lost."""
        stream: Any = self._stream
        super().close()
        if stream is not None:
            stream.close()
