"""A scan's embeddings in one file each for numbers, lengths and places, which are mapped into memory.

They lie in the folder `.search` within the scan's. Rows of new tables are appended, in the order in which
they came; all is made anew when old tables have changed. The folder may be removed at any time. A scan may be
a stranger's: no link in that folder is followed, and only files with names of our own are written or removed.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import secrets
import stat
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from fastaudio._core import FastaudioError, check_interrupt
from fastaudio._system.growing import kept
from fastaudio._system.writing import OutputError, full_disk, writing
from fastaudio.scanning.shards import ScanError, about_of, modules, readable, source_of, tables

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
_OWN = re.compile(r"([0-9a-f]{16})\.(?:vectors|lengths|times|path)\.bin|\.fastaudio-[0-9a-f]{16}")
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_HOW = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | _NO_LINK
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
    with readable(found[-1]), parquet.ParquetFile(source_of(found[-1])) as file:
        return about_of(found[-1], file)


def make_own(folder: Path) -> None:
    """Make a folder for files of a search, unless it is there.

    Raises:
        SearchError: a link has its name, which could lead to others' files.
        OutputError: it can't be made.
    """
    if folder.is_symlink():
        raise SearchError(f"{folder}: expected a folder of a search, got a link; remove it, and search again")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: expected a folder that can be written, got: {error.strerror}; what a search gathers "
            "lies in the scan's folder, so copy that, or search as its owner"
        ) from error


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
    store = _current(home, about, _tables(folder))
    if store is not None:
        return store
    make_own(home)
    with kept(str(home / _LOCK), str(home), wait_s=_WAIT_S):
        found = _tables(folder)
        if (store := _current(home, about, found)) is None:
            _gather(folder, home, about, found, progress)
            store = _current(home, about, found)  # a scan may have gone on meanwhile
    if store is None:
        raise ScanError(f"{home}: expected files that stay, got some that changed meanwhile; search again")
    return store


def _tables(folder: Path) -> list[list[Any]]:
    """Return name, size and time of change of each table."""
    with readable(folder):
        stats = [(path.name, path.stat()) for path in tables(folder)]
    return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]


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


def _current(home: Path, about: dict[str, Any], found: list[list[Any]]) -> Store | None:
    """Return what was gathered if it is all of these tables, else None."""
    state = _state(home)
    if state is None or home.is_symlink() or _as_set(state["tables"]) != _as_set(found):
        return None
    n_rows, name = state["n_rows"], state["name"]
    arrays: list[Any] = []
    try:
        for part, (kind, shape) in _kinds(about).items():
            if n_rows == 0:
                arrays.append(np.zeros((0, *shape), kind))
                continue
            with _part(home / f"{name}.{part}.bin", os.O_RDONLY) as file:
                arrays.append(np.memmap(file, kind, "r", shape=(n_rows, *shape)))
    except (OSError, ValueError):  # another search has gathered anew meanwhile, or a file was removed
        return None
    vectors, lengths, times, path = arrays
    return Store(vectors, lengths, times, path, state["paths"], name)


def _as_set(found: list[Any]) -> set[str]:
    return {json.dumps(one) for one in found}


def _gather(
    folder: Path, home: Path, about: dict[str, Any], found: list[list[Any]], progress: Progress | None
) -> None:
    """Append the rows of new tables to the files, or write them anew; what they are is written last.

    What ends it early costs the table that it is at. A run that is killed leaves rows at the files' ends that
    nobody knows of; the next one overwrites them.
    """
    state, kinds = _state(home), _kinds(about)
    if (
        state is None
        or not state["n_rows"]
        or not _as_set(state["tables"]) <= _as_set(found)
        or not _whole(home, state, kinds)
    ):
        state = {"schema": _SCHEMA, "name": secrets.token_hex(8), "n_rows": 0, "tables": [], "paths": []}
    name, before = state["name"], _as_set(state["tables"])
    new = [one for one in found if json.dumps(one) not in before]
    numbers = {path: i for i, path in enumerate(state["paths"])}
    _clean(home, name)
    with full_disk(str(home)), ExitStack() as stack:
        flags = os.O_RDWR if state["n_rows"] else os.O_RDWR | os.O_CREAT | os.O_EXCL
        files = []
        for part, (kind, shape) in kinds.items():
            file = stack.enter_context(_part(home / f"{name}.{part}.bin", flags))
            file.truncate(state["n_rows"] * np.dtype(kind).itemsize * math.prod(shape))
            file.seek(0, 2)
            files.append(file)
        stack.callback(_save, home, files, state)
        gathered = list(state["tables"])
        for i, one in enumerate(new, start=1):
            n_new = 0
            for names, times, vectors in _batches(folder / one[0], about["width"]):
                check_interrupt()
                own = np.array([numbers.setdefault(path, len(numbers)) for path in names], np.int32)
                lengths = np.linalg.norm(vectors.astype(np.float32), axis=1)
                for file, array in zip(files, (vectors, lengths, times, own), strict=True):
                    file.write(np.ascontiguousarray(array).data)
                n_new += len(vectors)
            gathered.append(one)
            state |= {"n_rows": state["n_rows"] + n_new, "tables": gathered}
            state["paths"] = list(numbers) if len(numbers) > len(state["paths"]) else state["paths"]
            if progress is not None:
                progress(i, len(new))


def _save(home: Path, files: list[BinaryIO], state: dict[str, Any]) -> None:
    """Have the rows on the disk, and then what they are."""
    for file in files:
        file.flush()
        os.fsync(file.fileno())
    with writing(home / _STATE, force=True, follow=False) as out:
        out.write(json.dumps(state).encode())


def _part(path: Path, flags: int) -> BinaryIO:
    """Open a file of ours.

    Raises:
        OSError: it can't be opened, or it is a link, no regular file, or has another name too.
    """
    descriptor = os.open(path, flags | _HOW, 0o666)
    file = os.fdopen(descriptor, "rb" if flags == os.O_RDONLY else "r+b")
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        file.close()
        raise OSError(errno.EEXIST, "no file of its own", str(path))
    return file


def _whole(home: Path, state: dict[str, Any], kinds: dict[str, tuple[Any, tuple[int, ...]]]) -> bool:
    """Tell whether the files hold all rows that were gathered."""
    try:
        for part, (kind, shape) in kinds.items():
            with _part(home / f"{state['name']}.{part}.bin", os.O_RDONLY) as file:
                size = os.fstat(file.fileno()).st_size
            if size < state["n_rows"] * np.dtype(kind).itemsize * math.prod(shape):
                return False
    except OSError:
        return False
    return True


def _clean(home: Path, name: str) -> None:
    """Remove those of our files that aren't of use any more; who has them mapped keeps them."""
    for path in home.iterdir():
        match = _OWN.fullmatch(path.name)
        if match is not None and match[1] != name and path.is_file():
            with suppress(OSError):
                path.unlink()


def _batches(path: Path, width: int) -> Iterator[tuple[list[str], NDArray[Any], NDArray[Any]]]:
    """Yield paths, times and vectors of a table's rows that have some."""
    _, parquet = modules()
    with readable(path), parquet.ParquetFile(source_of(path)) as file:
        for batch in file.iter_batches(max(1, _VALUES // width), columns=_COLUMNS):
            held = batch.filter(batch["start_s"].is_valid())
            vectors = held["embedding"].flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
            times = np.stack(
                [held[name].to_numpy(zero_copy_only=False) for name in ("start_s", "end_s")], axis=1
            )
            yield held["path"].to_pylist(), times, vectors
