"""Writing rows: .npz for NumPy, .parquet and .csv for tables."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import tempfile
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import numpy as np
from numpy.lib.format import write_array, write_array_header_1_0

from fastaudio._system.arrays import ArraysError, Expected, arrays
from fastaudio._system.commas import csv_text
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
    """Rows of one file, float32 [n_rows, ...], and their start and end in seconds, [n_rows, 2].

    Attributes:
        goes_on: whether the rows follow those of the clip before, of the same file.
    """

    path: str
    rows: NDArray[np.float32]
    times: NDArray[np.float64]
    duration_s: float
    truncated: bool
    goes_on: bool = False


def _write_npz(
    file: BinaryIO, clips: Iterable[Clip], about: Mapping[str, Any], *, kind: str, folder: str | None
) -> None:
    """Write arrays of NumPy; the rows wait in a file without a name, so that any number of them may come."""
    paths: list[str] = []
    n_rows: list[int] = []
    times: list[NDArray[np.float64]] = []
    with tempfile.TemporaryFile(dir=folder) as rows:
        shape: tuple[int, ...] = ()
        for clip in clips:
            if not clip.goes_on:
                paths.append(spelled(clip.path))
                n_rows.append(0)
            n_rows[-1] += len(clip.rows)
            times.append(clip.times)
            shape = clip.rows.shape[1:]
            rows.write(clip.rows.astype("<f4", copy=False).tobytes())
        if not paths:
            return
        rows.seek(0)
        whole = np.concatenate(times)
        arrays = {
            "start_s": whole[:, 0],
            "end_s": whole[:, 1],
            "paths": np.array(paths),
            "path": np.repeat(np.arange(len(n_rows), dtype=np.int64), n_rows),
        }
        header = {"descr": "<f4", "fortran_order": False, "shape": (sum(n_rows), *shape)}
        with zipfile.ZipFile(file, "w") as archive:
            with archive.open(f"{kind}s.npy", "w", force_zip64=True) as member:
                write_array_header_1_0(member, header)
                shutil.copyfileobj(rows, member, _GROUP_BYTES)
            for name, array in (arrays | dict(about)).items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    write_array(member, np.asanyarray(array), allow_pickle=False)


def _write_csv(file: BinaryIO, clips: Iterable[Clip], _about: Mapping[str, Any]) -> None:
    """Write a table: path, start, end, and a column for each number of a row, with the digits of float32."""
    head = False
    for clip in clips:
        shape = clip.rows.shape[1:]
        if not head:
            head = True
            names = ["_".join(map(str, index)) for index in np.ndindex(*shape)]
            file.write(
                ",".join(["path", "start_s", "end_s", *(f"x{name}" for name in names)]).encode() + b"\n"
            )
        path = csv_text([[spelled(clip.path)]])[:-1]
        for (start_s, end_s), row in zip(clip.times.tolist(), clip.rows, strict=True):
            numbers = ",".join([f"{value:.9g}" for value in row.ravel().tolist()])
            file.write(f"{path},{start_s:.6f},{end_s:.6f},{numbers}\n".encode())


def _write_parquet(file: BinaryIO, clips: Iterable[Clip], about: Mapping[str, Any], *, kind: str) -> None:
    """Write a table, group by group; `about` goes into its metadata."""
    import pyarrow as pa  # noqa: PLC0415  # an extra
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415

    with ExitStack() as stack:
        writer: Any = None
        for group in _groups(clips):
            table = pa.concat_tables([_table(pa, clip, about, kind) for clip in group])
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


def _table(pa: Any, clip: Clip, about: Mapping[str, Any], kind: str) -> Any:
    shape = clip.rows.shape[1:]
    columns = {
        "path": pa.array([spelled(clip.path)] * len(clip.rows), pa.string()),
        "start_s": clip.times[:, 0].copy(),
        "end_s": clip.times[:, 1].copy(),
        kind: pa.FixedSizeListArray.from_arrays(pa.array(clip.rows.ravel()), int(np.prod(shape))),
    }
    texts = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in {**about, "shape": shape}.items()
    }
    return pa.table(columns, metadata=texts)


def row_writer(path: str, kind: str = "embedding") -> RowWriter:
    """Return what writes files with this suffix; it leaves the file empty if there are no clips.

    `kind` is what a row is called: the column of a table, and with an s the array of an .npz.
    """
    suffix = Path(path).suffix.lower()
    folder = None if is_stream(path) else str(Path(os.path.realpath(path)).parent)
    if suffix == ".npz" or (is_stream(path) and suffix not in (".parquet", ".csv")):
        return partial(_write_npz, kind=kind, folder=folder)
    if suffix == ".csv":
        return _write_csv
    if suffix != ".parquet":
        raise ValueError(
            f"--output: expected a file that ends in .npz, .parquet or .csv, got {path!r}; name one"
        )
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415
    except ImportError as error:
        remedy = "pip install 'fastaudio-toolkit[parquet]', or write .npz or .csv"
        raise ValueError(f"--output {path}: expected pyarrow, got {error}; {remedy}") from error
    return partial(_write_parquet, kind=kind)


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
