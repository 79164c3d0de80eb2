"""Writing embeddings: .npz for NumPy, .parquet for tables."""

from __future__ import annotations

import io
import json
import math
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import numpy as np

from fastaudio._system.arrays import ArraysError, Expected, arrays
from fastaudio._system.text import spelled
from fastaudio._system.writing import is_stream
from fastaudio.running.times import row_times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from fastaudio._core import StreamSpec

    RowWriter: TypeAlias = Callable[[BinaryIO, Iterable["Clip"], Mapping[str, Any]], None]

SCHEMA = "fastaudio.embeddings/1"
"""Name and version of the format; a change of meaning raises the number."""

_SLACK_S = 1.0  # by which rows may go on after the sound, such as those of padding
_GROUP_BYTES = 32_000_000  # per row group of a Parquet file; so much is held in memory


@dataclass(frozen=True)
class Clip:
    """Rows of one file, float32 [n_rows, ...], and their start and end in seconds, [n_rows, 2]."""

    path: str
    rows: NDArray[np.float32]
    times: NDArray[np.float64]
    duration_s: float
    truncated: bool


def _write_npz(file: BinaryIO, clips: Iterable[Clip], about: Mapping[str, Any]) -> None:
    held = list(clips)
    if not held:
        return
    times = np.concatenate([clip.times for clip in held])
    n_rows = [len(clip.rows) for clip in held]
    arrays: dict[str, Any] = {
        "embeddings": np.concatenate([clip.rows for clip in held]),
        "start_s": times[:, 0],
        "end_s": times[:, 1],
        "paths": np.array([spelled(clip.path) for clip in held]),
        "path": np.repeat(np.arange(len(n_rows), dtype=np.int64), n_rows),
    }
    np.savez(file, **arrays, **about)


def _write_parquet(file: BinaryIO, clips: Iterable[Clip], about: Mapping[str, Any]) -> None:
    """Write a table, group by group; `about` goes into its metadata."""
    import pyarrow as pa  # noqa: PLC0415  # an extra
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415

    with ExitStack() as stack:
        writer: Any = None
        for group in _groups(clips):
            table = pa.concat_tables([_table(pa, clip, about) for clip in group])
            writer = writer or stack.enter_context(ParquetWriter(file, table.schema))
            writer.write_table(table)


def _groups(clips: Iterable[Clip]) -> Iterator[list[Clip]]:
    group: list[Clip] = []
    n_bytes = 0
    for clip in clips:
        group.append(clip)
        n_bytes += clip.rows.nbytes
        if n_bytes >= _GROUP_BYTES:
            yield group
            group, n_bytes = [], 0
    if group:
        yield group


def _table(pa: Any, clip: Clip, about: Mapping[str, Any]) -> Any:
    shape = clip.rows.shape[1:]
    columns = {
        "path": pa.array([spelled(clip.path)] * len(clip.rows), pa.string()),
        "start_s": clip.times[:, 0].copy(),
        "end_s": clip.times[:, 1].copy(),
        "embedding": pa.FixedSizeListArray.from_arrays(pa.array(clip.rows.ravel()), int(np.prod(shape))),
    }
    texts = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in {**about, "shape": shape}.items()
    }
    return pa.table(columns, metadata=texts)


def row_writer(path: str) -> RowWriter:
    """Return what writes files with this suffix; it leaves the file empty if there are no clips."""
    suffix = Path(path).suffix.lower()
    if suffix == ".npz" or (is_stream(path) and suffix != ".parquet"):
        return _write_npz
    if suffix != ".parquet":
        raise ValueError(f"--output: expected a file that ends in .npz or .parquet, got {path!r}")
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415
    except ImportError as error:
        remedy = "pip install 'fastaudio-toolkit[parquet]', or write .npz"
        raise ValueError(f"--output {path}: expected pyarrow, got {error}; {remedy}") from error
    return _write_parquet


def packed(clip: Clip) -> bytes:
    """Return a clip as bytes, to keep it."""
    file = io.BytesIO()
    np.savez(file, rows=clip.rows, times=clip.times, duration_s=clip.duration_s, truncated=clip.truncated)
    return file.getvalue()


def unpacked(path: str, content: bytes, spec: StreamSpec) -> Clip:
    """Return the clip that `packed` made bytes of; `spec` is the rows'.

    Raises:
        ArraysError: it isn't a clip with such rows, one after the other through its sound.
    """
    most = len(content)  # it isn't packed
    with arrays(io.BytesIO(content)) as held:
        rows = held.read("rows", Expected((None, *spec.shape), dtype=np.float32, largest=most))
        times = held.read("times", Expected((len(rows), 2), dtype=np.float64, largest=most))
        duration_s = float(held.read("duration_s", Expected(dtype=np.float64)))
        truncated = bool(held.read("truncated", Expected(kinds="b")))
    longest_s = duration_s + spec.span_s + _SLACK_S
    fit = len(rows) <= 1 if spec.rate_hz == 0 else len(rows) <= longest_s * spec.rate_hz + 1
    if not 0 <= duration_s < math.inf or not fit:
        raise ArraysError(f"{len(rows)} rows for {duration_s:.6g} s of sound")
    if not np.array_equal(times, row_times(spec, len(rows), duration_s)) or not np.isfinite(rows).all():
        raise ArraysError("rows or times that this model doesn't give")
    return Clip(path, rows, times, duration_s, truncated)
