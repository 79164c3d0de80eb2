"""One run of a pipeline over blocks of sound."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np

from fastaudio import events
from fastaudio._core import StateError, Stream, StreamSpec, check_interrupt, scale_warning
from fastaudio._system.warning import warn
from fastaudio.running.limits import ResultTooLarge, as_float
from fastaudio.running.marks import without_marks
from fastaudio.running.times import row_times
from fastaudio.tags import Tags, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

_array = np.ndarray
_PIECE_BYTES = 1 << 26  # of rows that are made before they are counted

Samples: TypeAlias = "NDArray[np.float32] | NDArray[np.int16]"
OneResult: TypeAlias = "Tags | events.Events | NDArray[np.float32]"
Result: TypeAlias = "OneResult | dict[str, OneResult]"
"""Result of a whole signal; a dict by output name if the pipeline has several."""

OneBatch: TypeAlias = "list[Window] | list[events.Event] | NDArray[np.float32]"
Batch: TypeAlias = "OneBatch | dict[str, OneBatch]"
"""What a block completes; a dict by output name if the pipeline has several."""


def without_channel_axis(samples: Samples) -> Samples:
    """Return [n_samples, 1], as sound cards give one channel, as [n_samples]; all else unchanged."""
    column = isinstance(samples, np.ndarray) and samples.ndim == 2 and samples.shape[1] == 1  # noqa: PLR2004
    return samples[:, 0] if column else samples


def _joined(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Concatenate along the first axis, one part at a time, so that signals are heard in between.

    `parts` is empty afterwards, so that few rows are there twice.
    """
    whole = np.empty((sum(map(len, parts)), *parts[0].shape[1:]), np.float32)
    end = 0
    parts.reverse()
    while parts:
        part = parts.pop()
        whole[end : end + len(part)] = part
        end += len(part)
        check_interrupt()
    return whole


def _refuse_closed(*_: object) -> NoReturn:
    raise StateError("stream: expected an open stream, got a closed one; open a new one")


class PipelineStream:
    """One run of a pipeline over a stream of blocks; one thread at a time.

    `push` and `flush` return a list of `Window` for tags, of `Event` for events, rows [n_rows, ...]
    for features, or a dict of these by output name. However the signal is cut into blocks, the numbers
    are those of the whole signal at once.

    Attributes:
        sample_rate: the blocks' rate, in Hz.
        samples_pushed: samples taken so far, per channel.
        name: what warnings call the signal.
        result_mb: MB of 10**6 bytes that `feed` may keep for `finish`; None for any number.

    Samples whose scale is wrong (floats beyond +-4) get one warning per stream.
    """

    def __init__(
        self, stream: Stream, specs: dict[str, StreamSpec], sample_rate: int, model: str | None
    ) -> None:
        """Use `Pipeline.open` instead."""
        self.name = "samples"
        self._model = model
        self._stream: Stream | None = stream
        self._push: Callable[[Samples], Any] = stream.push  # looked up once, since each block calls it
        self._specs = specs
        self._gives_rows = [spec.kind in ("events", "scores") for spec in specs.values()] == [False]
        self.sample_rate = sample_rate
        self.result_mb: float | None = None
        self._look_at = 0  # how many samples are pushed when their scale is looked at again
        self._interrupted = False
        self._start()

    def _start(self) -> None:
        self._rows_out = dict.fromkeys(self._specs, 0)
        self._kept: dict[str, list[NDArray[np.float32]]] = {name: [] for name in self._specs}
        self._kept_bytes = 0
        self.samples_pushed = 0

    @property
    def duration_s(self) -> float:
        """Seconds of sound taken so far."""
        return self.samples_pushed / self.sample_rate

    def push(self, samples: Samples) -> Batch:
        """Take a block of any length and return what it completes.

        Raises:
            TypeError, ValueError: a wrong type, shape or value; nothing was taken then.
            StateError: after flush or close, or after an interrupted call, whose results are lost.
        """
        # A block of 10 ms takes 2 us: nothing is called, looked up or made here that needn't be.
        if self._interrupted:
            self._refuse()
        self._interrupted = True
        try:
            if type(samples) is not _array or samples.ndim != 1:
                samples = without_channel_axis(samples)
            batch = self._push(samples)
        except Exception:
            self._interrupted = False  # the core knows whether rows were lost
            raise
        self.samples_pushed += len(samples)
        if self.samples_pushed >= self._look_at:
            self._look_at_scale()
        if not self._gives_rows or type(batch) is dict:  # an isolated one gives dicts
            batch = self._results(self._by_name(batch), duration_s=None)
        self._interrupted = False
        return batch  # type: ignore[no-any-return]

    def flush(self) -> Batch:
        """End the signal and return what was still due.

        Raises:
            StateError: called twice, or after close.
        """
        batch = self._results(self._flushed(), duration_s=self.duration_s)
        self._interrupted = False
        return batch

    def feed(self, samples: Samples) -> None:
        """Take a block and keep what it completes for `finish`.

        Raises:
            ResultTooLarge: that is more than `result_mb`; what was kept is dropped.
        """
        for piece in self._pieces(samples):
            self._keep(self._by_name(self._fed(piece)))
            self._interrupted = False

    def finish(self, *, path: str | None = None, truncated: bool = False) -> Result:
        """End a signal that was fed, and return its whole result as `Pipeline.__call__` does."""
        self._keep(self._flushed())
        self._interrupted = False
        whole = {name: _joined(self._kept[name]) for name in self._specs}
        if truncated and not all(spec.labels for spec in self._specs.values()):
            warn(f"{self.name}: the file is cut short, got {self.duration_s:.2f} s")
        results = {name: self._result(name, whole[name], path, truncated) for name in whole}
        return results if len(results) > 1 else next(iter(results.values()))

    def reset(self) -> None:
        """Go back to the beginning, like a newly opened stream; also after flush, or an error.

        Raises:
            StateError: after close.
        """
        stream = self._open()
        self._look_at_scale()
        stream.reset()
        self._start()
        if self._look_at < sys.maxsize:
            self._look_at = 0
        self._interrupted = False

    def close(self) -> None:
        """Drop the stream's state; what was not flushed is lost."""
        self._look_at_scale()
        self._stream = None
        self._push = _refuse_closed

    def __enter__(self) -> PipelineStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> Stream:
        if self._stream is None:
            _refuse_closed()
        return self._stream

    def _fed(self, samples: Samples) -> Any:
        """Return the core's rows for a block. They may be lost until the caller resets `_interrupted`."""
        if self._interrupted:
            self._refuse()
        stream = self._open()
        self._interrupted = True
        try:
            rows = stream.push(without_channel_axis(samples), wait=False)
        except Exception:
            self._interrupted = False
            raise
        self.samples_pushed += len(samples)
        if self.samples_pushed >= self._look_at:
            self._look_at_scale()
        return rows

    def _look_at_scale(self) -> None:
        """Warn once of samples that are far too loud; asking takes as long as a tenth of a short block."""
        if self._look_at == sys.maxsize:
            return
        self._look_at = self.samples_pushed + self.sample_rate // 10
        if self._stream is not None and self._stream.too_loud:
            self._look_at = sys.maxsize
            warn(scale_warning(self.name))

    def _flushed(self) -> dict[str, NDArray[np.float32]]:
        """Return the last rows, as `_fed` does."""
        if self._interrupted:
            self._refuse()
        stream = self._open()
        self._interrupted = True
        try:
            rows = stream.flush()
        except Exception:
            self._interrupted = False
            raise
        self._look_at_scale()
        return self._by_name(rows)

    def _refuse(self) -> NoReturn:
        """Refuse a call after one that was interrupted, since what that completed is lost."""
        got = "got one; reset it, or open a new stream"
        raise StateError(f"stream: expected no call after one that was interrupted, {got}")

    def _by_name(self, rows: Any) -> dict[str, NDArray[np.float32]]:
        return rows if isinstance(rows, dict) else {next(iter(self._specs)): rows}

    def _keep(self, found: dict[str, NDArray[np.float32]]) -> None:
        for name, rows in found.items():
            self._kept[name].append(rows)
            self._kept_bytes += rows.nbytes
        if self._kept_bytes > self._most_bytes:
            for parts in self._kept.values():  # the error's traceback would hold them
                parts.clear()
            raise ResultTooLarge(
                f"{self.name}: expected at most {self.result_mb:g} MB of results, got more from the first "
                f"{self.duration_s:.6g} s of sound; raise result_mb= if the sound may be that long"
            )

    @property
    def _most_bytes(self) -> float:
        return math.inf if self.result_mb is None else as_float(self.result_mb) * 1e6

    def _pieces(self, samples: Samples) -> Iterator[Samples]:
        """Cut a block where it would give too many rows at once, as one at a low rate does."""
        bytes_per_s = sum(4 * spec.rate_hz * math.prod(spec.shape) for spec in self._specs.values())
        most = self.sample_rate * min(_PIECE_BYTES, self._most_bytes / 4) / max(bytes_per_s, 1e-9)
        if self.result_mb is None or not isinstance(samples, np.ndarray) or samples.size <= most:
            yield samples  # as it is, also if it is wrong
            return
        length = max(1, int(most))
        for start in range(0, len(samples), length):
            yield samples[start : start + length]

    def _results(self, rows: dict[str, NDArray[np.float32]], duration_s: float | None) -> Batch:
        results = {name: self._items(name, rows[name], duration_s) for name in rows}
        return results if len(results) > 1 else next(iter(results.values()))

    def _items(self, name: str, rows: NDArray[np.float32], duration_s: float | None) -> OneBatch:
        spec = self._specs[name]
        if spec.kind == "events":
            return events.decode(rows, spec, duration_s=duration_s)
        first = self._rows_out[name]
        self._rows_out[name] += len(rows)
        if spec.kind != "scores":
            return rows
        times, labels = row_times(spec, len(rows), self.duration_s, first=first), spec.labels
        scores, silent = without_marks(rows, len(labels))
        return [
            Window(start_s, end_s, row, labels, silent=is_silent)
            for (start_s, end_s), row, is_silent in zip(times.tolist(), scores, silent.tolist(), strict=True)
        ]

    def _result(self, name: str, rows: NDArray[np.float32], path: str | None, truncated: bool) -> OneResult:
        spec = self._specs[name]
        about = truncated, path, self._model
        if spec.kind == "events":
            found = events.decode(rows, spec, duration_s=self.duration_s)
            ended = events.in_order(found, spec.labels)
            summary = events.summary_of(rows, spec)
            return events.Events(ended, spec.labels, self.duration_s, self.sample_rate, *about, summary)
        if spec.kind != "scores":
            return rows
        times = row_times(spec, len(rows), self.duration_s)
        scores, silent = without_marks(rows, len(spec.labels))
        return Tags(spec.labels, scores, times, self.duration_s, *about, silent)
