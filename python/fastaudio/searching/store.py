"""A scan's embeddings in one file each for numbers, lengths and places, which are mapped into memory.

They lie in the folder `.search` within the scan's, are made anew when its tables have changed, and may be
removed at any time.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import FastaudioError, check_interrupt
from fastaudio._system.writing import Output, writing_all
from fastaudio.scanning.shards import ScanError, about_of, modules, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Progress = Callable[[int, int], None]

_FOLDER = ".search"
_COLUMNS = ["path", "start_s", "end_s", "embedding"]
_LOOK = 1 << 16  # rows at once


class SearchError(FastaudioError, ValueError):
    """A scan holds nothing to search in, or not what is asked for."""


def about_scan(folder: Path) -> dict[str, Any]:
    """Return what the tables of a scan say of themselves.

    Raises:
        ScanError: there are none.
        MissingExtra: pyarrow isn't installed.
    """
    _, parquet = modules()
    found = tables(folder) if folder.is_dir() else []
    if not found:
        raise ScanError(
            f"{folder}: expected a folder that fastaudio scan has written, got none of its tables"
        )
    with parquet.ParquetFile(found[-1]) as file:
        return about_of(found[-1], file)


@dataclass(frozen=True)
class Store:
    """Embeddings with their places, mapped from files; row i is the same in all arrays.

    Attributes:
        vectors: float16 or float32 [n_rows, width].
        lengths: Euclidean length of each, float32 [n_rows].
        times: start and end in seconds, float64 [n_rows, 2].
        path: number of each row's file in `paths`, int32 [n_rows].
        paths: the files' paths.
        name: what changes with the contents.
    """

    vectors: NDArray[Any]
    lengths: NDArray[np.float32]
    times: NDArray[np.float64]
    path: NDArray[np.int32]
    paths: list[str]
    name: str

    def __len__(self) -> int:
        return len(self.lengths)

    def row_of(self, path: str, at_s: float) -> int:
        """Return the row of a file that holds a moment; of several, the one in whose middle it is.

        Raises:
            SearchError: there is no such file, or no such row.
        """
        try:
            number = self.paths.index(path)
        except ValueError:
            raise SearchError(
                f"{path}: expected a file of the scan, got another; name one that a search shows"
            ) from None
        rows = np.flatnonzero(np.asarray(self.path) == number)
        times = np.asarray(self.times[rows])
        inside = (times[:, 0] <= at_s) & (at_s <= times[:, 1])
        if not inside.any():
            last = f"{times[:, 1].max():.2f} s" if len(times) else "none"
            raise SearchError(
                f"{path}: expected a moment of its sound, got {at_s:g} s; its rows end at {last}"
            )
        rows, times = rows[inside], times[inside]
        return int(rows[np.argmin(np.abs(times.mean(axis=1) - at_s))])


def opened(folder: Path, progress: Progress | None = None) -> Store:
    """Return a scan's embeddings; they are gathered if that wasn't done, or if its tables have changed.

    Raises:
        ScanError: there is no scan, or a table is damaged.
        SearchError: it holds scores, not embeddings.
        OutputError: the files can't be written.
    """
    about = about_scan(folder)
    if about["labels"]:
        raise SearchError(
            f"{folder}: expected embeddings, got scores; scan again with --layer into another folder"
        )
    found = tables(folder)
    stats = [path.stat() for path in found]
    key = json.dumps(
        [[path.name, stat.st_size, stat.st_mtime_ns] for path, stat in zip(found, stats, strict=True)]
    )
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    home = folder / _FOLDER
    if not (home / f"{name}.json").is_file():
        _gather(found, home, name, about, progress)
    return _read(home, name, about)


def _parts(home: Path, name: str) -> list[Path]:
    return [home / f"{name}.{part}.bin" for part in ("vectors", "lengths", "times", "path")]


def _read(home: Path, name: str, about: dict[str, Any]) -> Store:
    data = json.loads((home / f"{name}.json").read_text(encoding="utf-8"))
    n_rows, number = data["n_rows"], np.float16 if about["half"] else np.float32
    shapes = [
        ((n_rows, about["width"]), number),
        ((n_rows,), np.float32),
        ((n_rows, 2), np.float64),
        ((n_rows,), np.int32),
    ]
    arrays: list[Any] = [
        np.memmap(file, kind, "r", shape=shape) if n_rows else np.zeros(shape, kind)
        for file, (shape, kind) in zip(_parts(home, name), shapes, strict=True)
    ]
    vectors, lengths, times, path = arrays
    return Store(vectors, lengths, times, path, data["paths"], name)


def _gather(
    found: list[Path], home: Path, name: str, about: dict[str, Any], progress: Progress | None
) -> None:
    """Write the files, the one with the paths last; those of older tables are removed."""
    home.mkdir(exist_ok=True)
    paths: dict[str, int] = {}
    n_rows = 0
    outputs = [
        Output(path, force=True, follow=False) for path in [*_parts(home, name), home / f"{name}.json"]
    ]
    with ExitStack() as stack:
        *arrays, last = stack.enter_context(writing_all(outputs))
        for i, path in enumerate(found):
            for batch in _batches(path, about["width"]):
                check_interrupt()
                names, times, vectors = batch
                numbers = np.array([paths.setdefault(name, len(paths)) for name in names], np.int32)
                lengths = np.linalg.norm(vectors.astype(np.float32), axis=1)
                for file, array in zip(arrays, (vectors, lengths, times, numbers), strict=True):
                    file.write(np.ascontiguousarray(array).data)
                n_rows += len(vectors)
            if progress is not None:
                progress(i + 1, len(found))
        last.write(json.dumps({"n_rows": n_rows, "paths": list(paths)}).encode())
    for path in home.iterdir():
        if (
            not path.name.startswith(name)
            and path.is_file()
            and (path.suffix in (".bin", ".json", ".usearch") or path.name.startswith(".fastaudio-"))
        ):
            path.unlink(missing_ok=True)


def _batches(path: Path, width: int) -> Iterator[tuple[list[str], NDArray[Any], NDArray[Any]]]:
    """Yield paths, times and vectors of a table's rows that have some."""
    _, parquet = modules()
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_LOOK, columns=_COLUMNS):
                held = batch.filter(batch["start_s"].is_valid())
                vectors = held["embedding"].flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
                times = np.stack(
                    [held[name].to_numpy(zero_copy_only=False) for name in ("start_s", "end_s")], axis=1
                )
                yield held["path"].to_pylist(), times, vectors
    except (OSError, ValueError) as error:
        raise ScanError(
            f"{path}: expected a whole table of a scan, got: {error!s:.200}; remove it, and scan again"
        ) from error
