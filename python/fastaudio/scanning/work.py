"""One file of a scan: decoded, run, and turned into rows; a long file's rows wait on the disk."""

from __future__ import annotations

import math
import os
import stat
import tempfile
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastaudio._core import Cancelled, FastaudioError, ModelError, TimedOut
from fastaudio._system.writing import OutputError, full_disk
from fastaudio.decoding.audio_file import DecodeError
from fastaudio.running.times import row_times
from fastaudio.scanning import remote
from fastaudio.scanning.rows import FileRows, failed, text_bytes
from fastaudio.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from fastaudio.pipeline import Pipeline
    from fastaudio.scanning.entries import Entry

    Parts: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]

LONG_BYTES = 16_000_000
"""Rows of one file that are held in memory; more wait in a file without a name."""


class Work:
    """Runs a pipeline over files; threads may share one."""

    def __init__(self, pipeline: Pipeline, folder: Path, *, by_window: bool, half: bool = False) -> None:
        """Take a pipeline with one output of scores or rows, and the folder where long files' rows wait.

        With `half`, numbers that float16 doesn't hold are an error.
        """
        self._largest = float(np.finfo(np.float16 if half else np.float32).max)
        self._pipeline = pipeline
        self._folder = folder
        (self._spec,) = pipeline.output_specs.values()
        self.labels = list(self._spec.labels)
        self.width = len(self.labels) or int(np.prod(self._spec.shape))
        self._by_window = by_window

    def __call__(self, entry: Entry) -> FileRows | LongRows:
        """Return what a file gives. Whatever a decoder or a network raises becomes its error.

        Raises:
            Cancelled: the scan is to end.
            OutputError: there is no room for what waits on the disk.
        """
        if not remote.is_url(entry.path) and is_special(entry.path):
            return failed(entry, self.width, "expected a file, got a pipe or a device")
        try:
            with self._source(entry) as source:
                return self._rows(entry, source) if self._by_window else self._whole(entry, source)
        except (Cancelled, TimedOut, OutputError, MemoryError):
            raise
        except DecodeError as error:
            return failed(entry, self.width, error.reason)
        except FastaudioError as error:
            return failed(entry, self.width, str(error))
        except Exception as error:  # noqa: BLE001  # one file never ends the rest
            return failed(entry, self.width, f"{type(error).__name__}: {error}")

    @contextmanager
    def _source(self, entry: Entry) -> Iterator[Any]:
        with remote.opened(entry.path) if remote.is_url(entry.path) else nullcontext(entry.path) as source:
            yield source

    def _whole(self, entry: Entry, source: Any) -> FileRows:
        """Run over a file that gives one row: its mean scores, or its mean embedding."""
        with self._pipeline.opened(source) as (file, stream):
            for block in file.blocks():
                with file.decode_errors():
                    stream.feed(block)
            result = stream.finish(path=file.path, truncated=file.truncated)
            duration_s, truncated = stream.duration_s, file.truncated
        if isinstance(result, Tags):
            n_rows = min(1, len(result))
            values, silent = result.mean()[np.newaxis][:n_rows], np.array([result.silent.all()])[:n_rows]
        else:
            values = np.asarray(result).reshape(len(result), self.width)
            silent = np.zeros(len(values), np.bool_)
        _require_numbers(values, silent, self._largest)
        times = np.full((len(values), 2), (0.0, duration_s))
        return FileRows(entry, times, values, silent, duration_s, truncated)

    def _rows(self, entry: Entry, source: Any) -> FileRows | LongRows:
        """Run over a file window by window."""
        with self._pipeline.opened(source) as (file, stream), ExitStack() as stack:
            held = LongRows(entry, self._folder, self.width, self._largest)
            stack.callback(held.close)
            for block in file.blocks():
                with file.decode_errors():
                    batch = stream.push(block)
                held.add(*self.parts(batch, held.n_rows))
            held.add(*self.parts(stream.flush(), held.n_rows))
            held.duration_s, held.truncated = stream.duration_s, file.truncated
            if held.is_long:
                stack.pop_all()
                return held
            return next(iter(held))

    def parts(self, batch: Any, first: int) -> Parts:
        """Return times, values and silence of what a block completes; `first` is its first row's number."""
        if self.labels:
            times = np.array([(window.start_s, window.end_s) for window in batch], np.float64).reshape(-1, 2)
            values = np.array([window.scores for window in batch], np.float32).reshape(-1, self.width)
            return times, values, np.array([window.silent for window in batch], np.bool_)
        rows = np.asarray(batch).reshape(len(batch), self.width)
        return row_times(self._spec, len(rows), np.inf, first=first), rows, np.zeros(len(rows), np.bool_)


def is_special(path: str) -> bool:
    """Tell whether something is there that is neither a file nor a folder, and may never end."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


class LongRows:
    """Rows of one file, piece by piece; all but the last pieces are in a file that nobody else can open.

    Attributes:
        n_rows: how many there are so far.
        duration_s, truncated: as in `FileRows`, to be set at the end.
    """

    def __init__(self, entry: Entry, folder: Path, width: int, largest: float) -> None:
        """Start without rows, of `width` numbers up to `largest`; `folder` is where they wait."""
        self._largest = largest
        self.entry, self.n_rows, self.duration_s, self.truncated = entry, 0, 0.0, False
        self._folder, self._width = folder, width
        self._file: Any = None
        self._kept: list[list[tuple[np.dtype[Any], tuple[int, ...]]]] = []  # of each piece on the disk
        self._parts: list[Parts] = []
        self._n_bytes = 0

    @property
    def is_long(self) -> bool:
        """Whether some rows wait on the disk."""
        return bool(self._kept)

    def add(self, times: NDArray[Any], values: NDArray[Any], silent: NDArray[Any]) -> None:
        """Add rows.

        Raises:
            ModelError: some are no numbers.
            OutputError: the disk is full.
        """
        if not len(values):
            return
        _require_numbers(values, silent, self._largest)
        self._parts.append((times, values, silent))
        self.n_rows += len(values)
        self._n_bytes += values.nbytes + times.nbytes + len(values) * text_bytes(self.entry)
        if self._n_bytes > LONG_BYTES:
            self._put_away()

    def __iter__(self) -> Iterator[FileRows]:
        """Yield the rows in pieces; a file without rows has one empty piece."""
        if self._file is not None:
            self._file.seek(0)
            for kinds in self._kept:
                yield self._piece(*(self._read(dtype, shape) for dtype, shape in kinds))
        if self._parts or not self._kept:
            yield self._piece(*self._joined())

    def written(self) -> FileRows:
        """Return what stands for the file once its rows are in a table."""
        return replace(self._piece(*self._joined()), written=True)

    def close(self) -> None:
        """Drop the rows."""
        self._parts.clear()
        if self._file is not None:
            with suppress(OSError):  # a full disk was told already
                self._file.close()

    def _put_away(self) -> None:
        with full_disk(str(self._folder)):
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, prefix=".fastaudio-")  # noqa: SIM115
            joined = self._joined()
            for array in joined:
                self._file.write(array.tobytes())
        self._kept.append([(array.dtype, array.shape) for array in joined])
        self._parts.clear()
        self._n_bytes = 0

    def _read(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        values: NDArray[Any] = np.fromfile(self._file, dtype, math.prod(shape)).reshape(shape)
        return values

    def _joined(self) -> Parts:
        if not self._parts:
            return np.zeros((0, 2)), np.zeros((0, self._width), np.float32), np.zeros(0, np.bool_)
        times, values, silent = zip(*self._parts, strict=True)
        return np.concatenate(times), np.concatenate(values), np.concatenate(silent)

    def _piece(self, times: NDArray[Any], values: NDArray[Any], silent: NDArray[Any]) -> FileRows:
        times = np.minimum(times, self.duration_s)
        return FileRows(self.entry, times, values, silent, self.duration_s, self.truncated)


def _require_numbers(values: NDArray[Any], silent: NDArray[Any], largest: float) -> None:
    heard = values[~silent]
    if not np.isfinite(heard).all():
        raise ModelError("expected rows of numbers, got NaN or infinity from the network")
    if len(heard) and np.abs(heard).max() > largest:
        raise ModelError(
            f"expected numbers up to {largest:g} for float16, got larger ones; scan without --half"
        )
