"""What one file gives, and many of them as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._system.text import spelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fastaudio.scanning.entries import Entry

_TOP = 3


@dataclass(frozen=True)
class FileRows:
    """What a file gave: rows with their times, or an error.

    Attributes:
        entry: the file.
        times: start and end of each row in seconds, float64 [n_rows, 2].
        values: scores or embeddings, float32 [n_rows, width].
        silent: which rows' sound is silent, bool [n_rows].
        duration_s: length of its sound, NaN if it isn't known.
        truncated: whether the file was cut short.
        error: why there are no rows, or None.
        written: whether the rows are in a table already.
    """

    entry: Entry
    times: NDArray[np.float64]
    values: NDArray[np.float32]
    silent: NDArray[np.bool_]
    duration_s: float = np.nan
    truncated: bool = False
    error: str | None = None
    written: bool = False

    @property
    def n_bytes(self) -> int:
        """How much memory it takes, roughly, also as rows of a table."""
        return self.values.nbytes + self.times.nbytes + max(1, len(self.values)) * text_bytes(self.entry)


def text_bytes(entry: Entry) -> int:
    """Return how long the texts of each row of a file are, roughly."""
    return 100 + len(entry.path) + sum(len(cell) for cell in entry.columns.values() if cell)


def failed(entry: Entry, width: int, error: str) -> FileRows:
    """Return what stands for a file that can't be run over."""
    return FileRows(
        entry, np.zeros((0, 2)), np.zeros((0, width), np.float32), np.zeros(0, np.bool_), error=error
    )


def table_of(pa: Any, files: Sequence[FileRows], schema: Any, labels: Sequence[str]) -> Any:
    """Return a table of pyarrow with the files' rows; one without rows has one whose times are null."""
    counts = [max(1, len(file.values)) for file in files]
    n_rows = sum(counts)
    bare = np.repeat([not len(file.values) for file in files], counts)
    whole = np.zeros((n_rows, schema.field("scores" if labels else "embedding").type.list_size), np.float32)
    times, silent = np.zeros((n_rows, 2)), np.zeros(n_rows, np.bool_)
    whole[~bare] = np.concatenate([file.values for file in files])
    times[~bare] = np.concatenate([file.times for file in files])
    silent[~bare] = np.concatenate([file.silent for file in files])

    def each(values: Sequence[Any], kind: Any) -> Any:
        return pa.array(values, kind).take(pa.array(np.repeat(np.arange(len(files)), counts)))

    durations = [None if np.isnan(file.duration_s) else file.duration_s for file in files]
    columns: dict[str, Any] = {
        "path": each([spelled(file.entry.path) for file in files], pa.string()),
        "size": each([file.entry.size if file.entry.size >= 0 else None for file in files], pa.int64()),
        "version": each([file.entry.version for file in files], pa.string()),
        "duration_s": each(durations, pa.float64()),
        "start_s": pa.array(times[:, 0], mask=bare),
        "end_s": pa.array(times[:, 1], mask=bare),
        "scores" if labels else "embedding": number_lists(pa, whole, bare, schema),
        "silent": pa.array(silent, mask=bare | (not labels)),
        "top_labels": top_labels(pa, whole, bare | silent, labels),
        "error": each([None if file.error is None else spelled(file.error) for file in files], pa.string()),
        "truncated": each([file.truncated for file in files], pa.bool_()),
    }
    for name in schema.names[len(columns) :]:
        columns[name] = each([file.entry.columns.get(name) for file in files], pa.string())
    return pa.table(columns, schema=schema)


def number_lists(pa: Any, whole: NDArray[np.float32], bare: NDArray[np.bool_], schema: Any) -> Any:
    """Return the column of scores or embeddings; null where there are none."""
    kind = next(field.type for field in schema if field.name in ("scores", "embedding"))
    numbers = whole.astype(np.float16) if kind.value_type == pa.float16() else whole
    return pa.FixedSizeListArray.from_arrays(pa.array(numbers.ravel()), type=kind, mask=pa.array(bare))


def top_labels(
    pa: Any, scores: NDArray[np.float32], without: NDArray[np.bool_], labels: Sequence[str]
) -> Any:
    """Return the labels of each row's best scores, highest first; equal ones in the model's order."""
    kind = pa.list_(pa.string())
    if not labels:
        return pa.nulls(len(scores), kind)
    k = min(_TOP, len(labels))
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    names = pa.array(list(labels), pa.string()).take(pa.array(best[~without].ravel()))
    ends = np.append(0, np.cumsum(np.where(without, 0, k))).astype(np.int32)
    offsets = pa.array(ends, mask=np.append(without, [False]))  # a null one makes a null list
    return pa.ListArray.from_arrays(offsets, names, type=kind)
