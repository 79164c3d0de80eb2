"""Writing embeddings: .npz for NumPy, .parquet for tables."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

SCHEMA = "fastaudio.embeddings/1"
"""Name and version of the format; a change of meaning raises the number."""

_GROUP_BYTES = 32_000_000  # per row group of a Parquet file; so much is held in memory


@dataclass(frozen=True)
class Clip:
    """Rows of one file, float32 [n_rows, ...], and their start and end in seconds, [n_rows, 2]."""

    path: str
    rows: NDArray[np.float32]
    times: NDArray[np.float64]
    duration_s: float
    truncated: bool


class RowWriter(Protocol):
    """Writes clips one after another."""

    def __init__(self, file: BinaryIO, about: Mapping[str, Any]) -> None: ...

    def write(self, clip: Clip) -> None:
        """Write a clip, now or when closing."""

    def close(self) -> None:
        """Write what is left; without any clip the file stays empty."""


class _Npz:
    """Writes arrays by name, all at the end."""

    def __init__(self, file: BinaryIO, about: Mapping[str, Any]) -> None:
        self._file = file
        self._about = about
        self._clips: list[Clip] = []

    def write(self, clip: Clip) -> None:
        self._clips.append(clip)

    def close(self) -> None:
        if not self._clips:
            return
        times = np.concatenate([clip.times for clip in self._clips])
        n_rows = [len(clip.rows) for clip in self._clips]
        arrays: dict[str, Any] = {
            "embeddings": np.concatenate([clip.rows for clip in self._clips]),
            "start_s": times[:, 0],
            "end_s": times[:, 1],
            "paths": np.array([clip.path for clip in self._clips]),
            "path": np.repeat(np.arange(len(n_rows), dtype=np.int64), n_rows),
        }
        np.savez(self._file, **arrays, **self._about)


class _Parquet:
    """Writes a table, group by group; `about` goes into its metadata."""

    def __init__(self, file: BinaryIO, about: Mapping[str, Any]) -> None:
        self._file = file
        self._about = about
        self._tables: list[Any] = []
        self._n_bytes = 0
        self._writer: Any = None

    def write(self, clip: Clip) -> None:
        import pyarrow as pa  # noqa: PLC0415  # an extra

        shape = clip.rows.shape[1:]
        rows = pa.FixedSizeListArray.from_arrays(pa.array(clip.rows.ravel()), int(np.prod(shape)))
        path = clip.path.encode("utf-8", "backslashreplace").decode()  # Parquet's text is UTF-8
        columns = {
            "path": pa.array([path] * len(clip.rows), pa.string()),
            "start_s": clip.times[:, 0].copy(),
            "end_s": clip.times[:, 1].copy(),
            "embedding": rows,
        }
        about = {**self._about, "shape": shape}
        said = {key: value if isinstance(value, str) else json.dumps(value) for key, value in about.items()}
        self._tables.append(pa.table(columns, metadata=said))
        self._n_bytes += clip.rows.nbytes
        if self._n_bytes >= _GROUP_BYTES:
            self._write_group()

    def _write_group(self) -> None:
        import pyarrow as pa  # noqa: PLC0415
        from pyarrow.parquet import ParquetWriter  # noqa: PLC0415

        table = pa.concat_tables(self._tables)
        if self._writer is None:
            self._writer = ParquetWriter(self._file, table.schema)
        self._writer.write_table(table)
        self._tables, self._n_bytes = [], 0

    def close(self) -> None:
        if self._tables:
            self._write_group()
        if self._writer is not None:
            self._writer.close()


def row_writer(path: str) -> type[RowWriter]:
    """Return the class that writes files with this suffix.

    Raises:
        ValueError: the suffix is unknown, or pyarrow is needed but isn't installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".npz":
        return _Npz
    if suffix != ".parquet":
        raise ValueError(f"--output: expected a file that ends in .npz or .parquet, got {path!r}")
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415
    except ImportError as error:
        remedy = "pip install 'fastaudio-toolkit[parquet]', or write .npz"
        raise ValueError(f"--output {path}: expected pyarrow, got {error}; {remedy}") from error
    return _Parquet


@contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """Give a temporary file, which replaces `path` at the end unless it is empty or there was an error."""
    part = Path(path + ".part")
    try:
        with part.open("wb") as file:
            yield file
            written = file.tell() > 0
        if written:
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)
