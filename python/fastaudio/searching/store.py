"""A scan's embeddings in one file each for numbers, lengths and places, which are mapped into memory.

They lie in the folder `.search` within the scan's. Rows of new tables are appended; all is made anew when old
tables have changed. The folder may be removed at any time.
"""

from __future__ import annotations

import json
import math
import os
import re
import secrets
import stat
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import FastaudioError, check_interrupt
from fastaudio._system.growing import kept
from fastaudio._system.writing import OutputError, full_disk, writing
from fastaudio.scanning.shards import ScanError, about_of, modules, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Progress = Callable[[int, int], None]

FOLDER = ".search"
"""Where it is, within the scan's folder."""

_SCHEMA = "fastaudio.search/1"
_STATE, _LOCK = "store.json", ".lock"
_NAME = re.compile("[0-9a-f]{16}")
_WAIT_S = 3600.0
_COLUMNS = ["path", "start_s", "end_s", "embedding"]
_VALUES = 1 << 22  # numbers at once


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
        name: what changes when rows do that were there before; new ones come behind the others.
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
    """Return a scan's embeddings; what isn't gathered yet is gathered first.

    Only new tables are read if the scan has grown; if old ones have changed, all are read again. Searches may
    run at once: one gathers, and the others wait for it.

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
    home = folder / FOLDER
    store = _current(folder, home, about)
    if store is not None:
        return store
    make_own(home)
    with kept(str(home / _LOCK), str(home), wait_s=_WAIT_S):
        if (store := _current(folder, home, about)) is None:
            _gather(folder, home, about, progress)
            store = _current(folder, home, about)
    if store is None:
        raise ScanError(f"{folder}: expected tables that stay, got some that came meanwhile; search again")
    return store


def make_own(home: Path) -> None:
    """Make a folder unless it is there; a scan may be a stranger's, so no link is followed.

    Raises:
        OutputError: something else has its name, or it can't be made.
    """
    try:
        home.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{home}: expected a folder that can be made, got: {error.strerror}") from error
    if home.is_symlink():
        raise OutputError(f"{home}: expected a folder of its own, got a link; remove that")


def _tables(folder: Path) -> list[list[Any]]:
    """Return name, size and time of change of each table."""
    found = [(path.name, path.stat()) for path in tables(folder)]
    return [[name, status.st_size, status.st_mtime_ns] for name, status in found]


def _state(home: Path) -> dict[str, Any] | None:
    """Return what was gathered, None if nothing was, or by another version."""
    try:
        data = json.loads((home / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if _is_state(data) else None


def _is_state(data: Any) -> bool:
    """Tell whether it has the form of what was gathered; a folder may be a stranger's."""
    if not isinstance(data, dict) or data.get("schema") != _SCHEMA:
        return False
    name, n_rows, paths = data.get("name"), data.get("n_rows"), data.get("paths")
    return (
        isinstance(name, str)
        and _NAME.fullmatch(name) is not None
        and isinstance(n_rows, int)
        and n_rows >= 0
        and isinstance(data.get("tables"), list)
        and isinstance(paths, list)
        and all(isinstance(path, str) for path in paths)
    )


def _kinds(about: dict[str, Any]) -> dict[str, tuple[Any, tuple[int, ...]]]:
    """Return the type and the shape of a row in each file."""
    number = np.float16 if about["half"] else np.float32
    return {
        "vectors": (number, (about["width"],)),
        "lengths": (np.float32, ()),
        "times": (np.float64, (2,)),
        "path": (np.int32, ()),
    }


def _current(folder: Path, home: Path, about: dict[str, Any]) -> Store | None:
    """Return what was gathered if it is all of the scan, else None."""
    state = _state(home)
    if state is None or state["tables"] != _tables(folder):
        return None
    n_rows, name = state["n_rows"], state["name"]
    try:
        arrays: list[Any] = [
            np.memmap(home / f"{name}.{part}.bin", kind, "r", shape=(n_rows, *shape))
            if n_rows
            else np.zeros((0, *shape), kind)
            for part, (kind, shape) in _kinds(about).items()
        ]
    except (OSError, ValueError):  # another search has gathered anew meanwhile, or a file was removed
        return None
    vectors, lengths, times, path = arrays
    return Store(vectors, lengths, times, path, state["paths"], name)


def _gather(folder: Path, home: Path, about: dict[str, Any], progress: Progress | None) -> None:
    """Append the rows of new tables to the files, or write them anew; what they are is written last.

    A run that is killed leaves rows at the files' ends that nobody knows of; the next one overwrites them.
    """
    found, state = _tables(folder), _state(home)
    kinds = _kinds(about)
    if state is None or found[: len(state["tables"])] != state["tables"] or not _whole(home, state, kinds):
        state = {"schema": _SCHEMA, "name": secrets.token_hex(8), "n_rows": 0, "tables": [], "paths": []}
    name, n_rows, n_before = state["name"], state["n_rows"], len(state["tables"])
    numbers = {path: i for i, path in enumerate(state["paths"])}
    _clean(home, name)
    with ExitStack() as stack, full_disk(str(home)):
        files = []
        for part, (kind, shape) in kinds.items():
            path = home / f"{name}.{part}.bin"
            file = stack.enter_context(path.open("r+b" if n_rows else "wb"))
            file.truncate(n_rows * np.dtype(kind).itemsize * math.prod(shape))
            file.seek(0, 2)
            files.append(file)
        for i, (table, *_) in enumerate(found[n_before:]):
            for names, times, vectors in _batches(folder / table, about["width"]):
                check_interrupt()
                own = np.array([numbers.setdefault(path, len(numbers)) for path in names], np.int32)
                lengths = np.linalg.norm(vectors.astype(np.float32), axis=1)
                for file, array in zip(files, (vectors, lengths, times, own), strict=True):
                    file.write(np.ascontiguousarray(array).data)
                n_rows += len(vectors)
            if progress is not None:
                progress(i + 1, len(found) - n_before)
        for file in files:
            file.flush()
            os.fsync(file.fileno())
    state |= {"n_rows": n_rows, "tables": found, "paths": list(numbers)}
    with writing(home / _STATE, force=True, follow=False) as out:
        out.write(json.dumps(state).encode())


def _whole(home: Path, state: dict[str, Any], kinds: dict[str, tuple[Any, tuple[int, ...]]]) -> bool:
    """Tell whether the files hold all rows that were gathered, and may be written into."""
    for part, (kind, shape) in kinds.items():
        try:
            found = (home / f"{state['name']}.{part}.bin").lstat()
        except OSError:
            return False
        n_bytes = state["n_rows"] * np.dtype(kind).itemsize * math.prod(shape)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or found.st_size < n_bytes:
            return False
    return True


def _clean(home: Path, name: str) -> None:
    """Remove what isn't of use any more; who has it mapped keeps it."""
    for path in home.iterdir():
        old = path.suffix in (".bin", ".json", ".usearch") and path.name != _STATE
        if path.is_file() and (
            (old and not path.name.startswith(name)) or path.name.startswith(".fastaudio-")
        ):
            with suppress(OSError):
                path.unlink()


def _batches(path: Path, width: int) -> Iterator[tuple[list[str], NDArray[Any], NDArray[Any]]]:
    """Yield paths, times and vectors of a table's rows that have some."""
    _, parquet = modules()
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(max(1, _VALUES // width), columns=_COLUMNS):
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
