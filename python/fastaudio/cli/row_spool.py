"""Rows of a file on disk, since those of a night of sound are more than the memory holds."""

from __future__ import annotations

import errno
import json
import math
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fastaudio._system.writing import OutputError, full_disk
from fastaudio.cli.embedding_files import Clip
from fastaudio.running.times import row_times

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from numpy.typing import NDArray

    from fastaudio._core import StreamSpec
    from fastaudio.decoding.audio_file import AudioFile, FileLike
    from fastaudio.pipeline import Pipeline
    from fastaudio.running.stream import PipelineStream
    from fastaudio.running.whole import Progress

_BLOCK_BYTES = 1 << 22  # of rows that are read at once
_LINE_BYTES = 256  # that say what follows, padded
_SLACK_S = 1.0  # by which rows may go on after the sound, such as those of padding


class Readable(Protocol):
    """What gives its bytes one after the other."""

    def read(self, n_bytes: int = ..., /) -> bytes:
        """Return the next bytes, at most so many."""


@dataclass(frozen=True)
class Spooled:
    """The rows of a file, in a file without a name that begins with what they are.

    Attributes:
        file: a line of JSON, then the rows as float32.
        n_rows: how many there are.
        duration_s: length of the sound.
        truncated: whether the file was cut short.
        finite: whether all of them are numbers.
    """

    file: BinaryIO
    n_rows: int
    duration_s: float
    truncated: bool
    finite: bool

    def close(self) -> None:
        """Remove the rows."""
        self.file.close()


def spool(pipeline: Pipeline, source: FileLike, folder: str | None, *, progress: Progress | None) -> Spooled:
    """Run a pipeline that gives rows over a file, and keep them in a file without a name in `folder`."""
    file = _temporary(folder)
    try:
        with full_disk(folder or tempfile.gettempdir()), pipeline.opened(source) as (audio, stream):
            stream.name = audio.name
            file.write(b" " * _LINE_BYTES)
            n_rows, finite = 0, True
            for rows in _rows(audio, stream, progress):
                file.write(rows.tobytes())
                n_rows, finite = n_rows + len(rows), finite and bool(np.isfinite(rows).all())
            about = {"rows": n_rows, "duration_s": stream.duration_s, "truncated": audio.truncated}
            file.seek(0)
            file.write(json.dumps(about).encode())
            file.seek(0)
            return Spooled(file, n_rows, stream.duration_s, audio.truncated, finite)
    except BaseException:
        with suppress(OSError):  # a full disk is told already
            file.close()
        raise


def _temporary(folder: str | None) -> BinaryIO:
    try:
        folder = folder or tempfile.gettempdir()
    except FileNotFoundError as error:  # it tries to write into each
        told = OutputError(
            "TMPDIR: expected a folder for temporary files with room, got none; free some, or name another"
        )
        told.errno = errno.ENOSPC  # so that the status is that of a full disk
        raise told from error
    with full_disk(folder):
        return tempfile.TemporaryFile(dir=folder)  # whoever takes the rows closes it


def _rows(
    audio: AudioFile, stream: PipelineStream, progress: Progress | None
) -> Iterator[NDArray[np.float32]]:
    """Yield the rows of a file as they come."""
    for block in audio.blocks():
        with audio.decode_errors():
            rows: Any = stream.push(block)
        yield rows
        if progress is not None:
            progress(stream.duration_s, audio.duration_s)
    rows = stream.flush()
    yield rows


def clips_of(path: str, part: Readable, spec: StreamSpec) -> Iterator[Clip]:
    """Yield the rows that `spool` wrote, a block at a time, with their times.

    Raises:
        ValueError: these aren't rows of `spec`, one after the other through their sound.
    """
    n_rows, duration_s, truncated = _about(part.read(_LINE_BYTES), spec)
    n = max(_BLOCK_BYTES // _row_bytes(spec), 1)
    for first in range(0, max(n_rows, 1), n):
        n_here = min(n, n_rows - first)
        content = part.read(n_here * _row_bytes(spec))
        if len(content) != n_here * _row_bytes(spec):
            raise ValueError(f"less than {n_rows} rows")
        rows = np.frombuffer(content, np.float32).reshape(-1, *spec.shape)
        if not np.isfinite(rows).all():
            raise ValueError("rows that aren't numbers")
        times = row_times(spec, n_here, duration_s, first=first)
        yield Clip(path, rows, times, duration_s, truncated, goes_on=first > 0)
    if part.read(1):
        raise ValueError(f"more than {n_rows} rows")


def _about(line: bytes, spec: StreamSpec) -> tuple[int, float, bool]:
    try:
        about = json.loads(line)
        n_rows, duration_s, truncated = about["rows"], about["duration_s"], about["truncated"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("no rows") from error
    numbers = type(n_rows) is int and isinstance(duration_s, int | float) and isinstance(truncated, bool)
    if not numbers or n_rows < 0 or not 0 <= duration_s < math.inf:
        raise ValueError("no rows")
    fit = (
        n_rows <= 1
        if spec.rate_hz == 0
        else n_rows <= (duration_s + spec.span_s + _SLACK_S) * spec.rate_hz + 1
    )
    if not fit:
        raise ValueError(f"{n_rows} rows for {duration_s:.6g} s of sound")
    return n_rows, float(duration_s), truncated


def _row_bytes(spec: StreamSpec) -> int:
    return 4 * math.prod(spec.shape)
