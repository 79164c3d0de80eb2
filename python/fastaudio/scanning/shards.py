"""The tables of a scan on disk: what is done is their union.

A table is written beside and gets its name when it is whole; whole files' rows are in one table. So whatever
ends a scan costs what isn't written yet, and nothing is there twice.
"""

from __future__ import annotations

import itertools
import json
import mmap
import os
import re
import secrets
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from fastaudio._core import FastaudioError, check_interrupt
from fastaudio._system.extras import require
from fastaudio._system.growing import kept
from fastaudio._system.writing import OutputError, check_folder, writing
from fastaudio.scanning.fence import begin, held, join
from fastaudio.scanning.rows import table_of
from fastaudio.scanning.schema import SCHEMA, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from fastaudio.scanning.rows import FileRows

_NAME = re.compile(r"part-(\d{6,})-(?:[0-9a-f]{8}|[0-9a-f]{32})\.parquet")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(?=[^/])")  # a Path has one of the two slashes left
_LEFT = re.compile(r"\.fastaudio-[0-9a-f]{16}")
_GROUP_ROWS = 1 << 14
_AGREE = ("schema", "card_sha256", "layer", "hop_s", "windows", "half", "channel")
_LOCK = ".scan.lock"
_OTHERS_S = 20.0  # for workers of a run that has just ended
_LOOK_S = 0.2


class ScanError(FastaudioError, ValueError):
    """A folder holds another scan, or something that no scan has written."""


class TableGoneError(ScanError, FileNotFoundError):
    """A table was there, and another run has taken it away."""


class OtherScanError(ScanError):
    """A folder holds the tables of another scan.

    Attributes:
        of_scores: whether they hold scores of labels.
    """

    def __init__(self, message: str, *, of_scores: bool) -> None:
        """Take what is told, and what is there."""
        super().__init__(message)
        self.of_scores = of_scores


class Shards:
    """The tables in a folder.

    Attributes:
        folder: where they are.
        about: what new tables say of themselves; their columns are those of all tables that are there too.
        done: size, version and whether it failed, by the path of each file that is done.
        mark: that of the run that writes, or None.
    """

    def __init__(
        self, folder: Path, about: dict[str, Any], mark: str | None = None, *, read: bool = True
    ) -> None:
        """Read what is there, if that is wanted; `about` says what is run.

        The run's `mark`, if it has one, has to be the folder's when a table gets its name; see `fence`.
        A table that another worker of the run takes away meanwhile counts as none.

        Raises:
            ScanError: it is another scan's, or a table is damaged.
            MissingExtra: pyarrow isn't installed.
        """
        self.folder = folder
        self.mark = mark
        self.about = dict(about)
        self._pa, self._parquet = modules()
        self.done: dict[str, tuple[int, str, bool]] = {}
        self._in: dict[str, list[str]] = {}  # paths done, by table, for what is to be done again
        last = -1
        for path in tables(folder) if read else ():
            check_interrupt()
            with suppress(FileNotFoundError):
                self._read(path)
            last = int(_NAME.fullmatch(path.name)[1])  # type: ignore[index]
        self._numbers = itertools.count(last + 1)
        self.widen(())

    def widen(self, columns: Iterable[str]) -> None:
        """Have new tables hold these columns too."""
        self.about = {**self.about, "columns": sorted({*self.about["columns"], *columns})}
        self._schema = schema_of(self._pa, self.about)

    def _read(self, path: Path) -> None:
        done: dict[str, tuple[int, str, bool]] = {}
        with readable(path), self._parquet.ParquetFile(source_of(path)) as file:
            found = about_of(path, file)
            if (got := difference(found, self.about)) is not None:
                raise OtherScanError(
                    f"{self.folder}: expected an earlier run of this scan, got {got}; name another folder",
                    of_scores=bool(found.get("labels")),
                )
            self.about["columns"] = [*self.about["columns"], *found["columns"]]
            for batch in file.iter_batches(columns=["path", "size", "version", "error"]):
                held = self._pa.Table.from_batches([batch]).group_by(["path", "size", "version"])
                held = held.aggregate([("error", "count")])
                names, *others = (
                    held[name].to_pylist() for name in ("path", "size", "version", "error_count")
                )
                for name, size, version, n_errors in zip(names, *others, strict=True):
                    done[name] = (-1 if size is None else size, version or "", n_errors > 0)
        self._in[path.name] = list(done)
        self.done |= done

    def add(self, table: str, done: dict[str, tuple[int, str, bool]]) -> None:
        """Count files as done, which are in a table that was written since this was read."""
        self.done |= done
        self._in[table] = [*self._in.get(table, ()), *done]

    def names_in(self, prefix: str) -> list[str]:
        """Return the tables that hold files and whose names begin so."""
        return [name for name, files in self._in.items() if files and name.startswith(prefix)]

    def forget(self, paths: set[str]) -> None:
        """Take files out of the tables, so that they can be done again.

        Raises:
            OutputError: a table can't be written again, or another run has begun.
        """
        with ExitStack() as fence:
            if self.mark is not None:
                fence.enter_context(held(self.folder, self.mark, alone=True))
            for name, names in self._in.items():
                check_interrupt()
                if not paths.isdisjoint(names):
                    self._without(self.folder / name, paths, names)
        for name in paths:
            self.done.pop(name, None)

    def _without(self, path: Path, paths: set[str], names: list[str]) -> None:
        """Take files out of a table that had files of these names."""
        if paths.issuperset(names):  # as of a long file, whose table may be large
            path.unlink(missing_ok=True)
        elif path.exists():
            with readable(path), self._parquet.ParquetFile(source_of(path)) as file:
                table = file.read()
            gone = self._pa.array(sorted(paths.intersection(names)), self._pa.string())
            compute = require("pyarrow.compute", extra="parquet", what="scan")
            table = table.filter(compute.invert(compute.is_in(table["path"], value_set=gone)))
            if table.num_rows:
                with writing(path, force=True, follow=False) as out:
                    self._parquet.write_table(table, out, compression="zstd", row_group_size=_GROUP_ROWS)
            else:
                path.unlink()

    def new_name(self) -> str:
        """Return a name for the next table."""
        return f"part-{next(self._numbers):06d}-{secrets.token_hex(4)}.parquet"

    def write(self, files: Iterable[Sequence[FileRows]], name: str | None = None) -> None:
        """Write a table with all rows of some files, piece by piece; threads may write at once.

        Raises:
            OutputError: it can't be written, it is there, or another run has begun; then nothing of it is
                there.
        """
        labels = self.about["labels"]
        self.write_tables((table_of(self._pa, pieces, self._schema, labels) for pieces in files), name)

    def write_tables(self, pieces: Iterable[Any], name: str | None = None) -> None:
        """Write a table of pyarrow's, piece by piece, with all rows of some files; else as `write`."""
        with ExitStack() as fence, writing(self.folder / (name or self.new_name()), force=False) as out:
            with self._parquet.ParquetWriter(out, self._schema, compression="zstd") as writer:
                for table in pieces:
                    writer.write_table(table, row_group_size=_GROUP_ROWS)
            if self.mark is not None:
                fence.enter_context(held(self.folder, self.mark))  # while the table gets its name


@contextmanager
def opened_folder(folder: Path) -> Iterator[str]:
    """Make a folder for a scan and hold it for this run alone; give the run's mark, see `fence`.

    What a killed run left half-done is removed, before and after.

    Raises:
        OutputError: it can't be made or written into, or another run has it.
    """
    _check(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with kept(str(folder / _LOCK), str(folder)):
        mark = begin(folder)
        _clean(folder)
        yield mark
        _clean(folder)


@contextmanager
def shared_folder(folder: Path, run: str) -> Iterator[str]:
    """Make a folder for a scan and hold it together with the other workers of a run; give the run's mark.

    What killed workers left half-done is removed by the first that comes.

    Raises:
        OutputError: it can't be made or written into, or another run has it.
    """
    _check(folder)
    folder.mkdir(parents=True, exist_ok=True)
    until_s = time.monotonic() + _OTHERS_S
    while True:
        check_interrupt()
        with ExitStack() as stack:
            try:
                mark = join(folder, run, partial(_share, folder, stack))
            except OutputError:
                if time.monotonic() > until_s:
                    raise
            else:
                yield mark
                return
        time.sleep(_LOOK_S)


def _share(folder: Path, stack: ExitStack) -> bool:
    """Hold a folder together with others until the stack ends; tell whether there were none."""
    lock = str(folder / _LOCK)
    try:
        with kept(lock, str(folder)):
            _clean(folder)
        alone = True
    except OutputError:
        alone = False
    stack.enter_context(kept(lock, str(folder), shared=True))
    return alone


def _check(folder: Path) -> None:
    if _URL.match(str(folder)):
        raise OutputError(
            f"{folder}: expected a folder of this machine, got a URL; mount the store, or copy the tables "
            "there afterwards"
        )
    check_folder(folder)


def _clean(folder: Path) -> None:
    for path in folder.iterdir():
        if _LEFT.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            with suppress(OSError):
                path.unlink()


def tables(folder: Path) -> list[Path]:
    """Return a scan's tables, in the order in which they were written."""
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_file())


def columns_of(folder: Path) -> list[str]:
    """Return the columns that a scan has kept of what listed its files; some tables may lack some.

    Raises:
        ScanError: a table is damaged, or another program's.
    """
    _, parquet = modules()
    found: set[str] = set()
    for path in tables(folder):
        check_interrupt()
        with suppress(FileNotFoundError), readable(path), parquet.ParquetFile(source_of(path)) as file:
            found.update(about_of(path, file)["columns"])
    return sorted(found)


def with_columns(table: Any, names: Sequence[str]) -> Any:
    """Return columns of a table or a batch as a table; those that it lacks are text, and null."""
    pa, _ = modules()
    held, nulls = set(table.schema.names), pa.nulls(table.num_rows, pa.string())
    return pa.table({name: table[name] if name in held else nulls for name in names})


def difference(found: dict[str, Any], about: dict[str, Any]) -> str | None:
    """Return how a table differs from those that a scan would write, None if it is of the same scan."""
    for key in _AGREE:
        if found.get(key) == about[key]:
            continue
        name, other = f"{found.get('model')!s:.200}", f"{about['model']!s:.200}"
        if key != "card_sha256":
            return f"one with {key} {found.get(key)!s:.60}, not {about[key]!s:.60}"
        return f"one by {name}, " + ("as it was before it changed" if name == other else f"not {other}")
    return None


def remove_others(folder: Path, about: dict[str, Any], mark: str) -> None:
    """Remove the tables of scores that aren't of this scan; see `Shards` for `about` and `mark`.

    Raises:
        ScanError: there are embeddings, which cost more than scores of them.
    """
    _, parquet = modules()
    others = []
    for path in tables(folder):
        with readable(path), parquet.ParquetFile(source_of(path)) as file:
            found = about_of(path, file)
        if not found["labels"]:
            raise ScanError(f"{folder}: expected scores to replace, got embeddings; name another folder")
        if difference(found, about) is not None:
            others.append(path)
    with held(folder, mark, alone=True):
        for path in others:
            path.unlink(missing_ok=True)


def about_of(path: Path, file: Any) -> dict[str, Any]:
    """Return what a table says of itself.

    Raises:
        ScanError: it isn't a scan's.
    """
    text = (file.schema_arrow.metadata or {}).get(b"fastaudio", b"{}")
    try:
        about = json.loads(text)
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict) or about.get("schema") != SCHEMA or not _is_texts(about.get("columns")):
        raise ScanError(f"{path}: expected a table of a scan, got another file; move it away")
    return about


def _is_texts(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(one, str) for one in found)


def modules() -> tuple[Any, Any]:
    """Return pyarrow and its module for Parquet.

    Raises:
        MissingExtra: it isn't installed.
    """
    parquet = require("pyarrow.parquet", extra="parquet", what="scan")
    return require("pyarrow", extra="parquet", what="scan"), parquet


def source_of(path: Path) -> Any:
    """Return what pyarrow opens a table by: it takes relative paths for URLs, and names for UTF-8."""
    text = os.path.abspath(path)  # noqa: PTH100
    try:
        text.encode()
    except UnicodeEncodeError:
        pa, _ = modules()
        with path.open("rb") as file:
            return pa.BufferReader(pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
    return text


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Name a scan's table in errors that say that it can't be read.

    Raises:
        ScanError: it is damaged, has other columns, or is gone.
    """
    try:
        yield
    except FastaudioError:
        raise
    except FileNotFoundError as error:
        raise TableGoneError(
            f"{path}: expected a table that stays, got one that is gone meanwhile; try it again"
        ) from error
    except (OSError, ValueError, LookupError) as error:  # pyarrow's are ValueErrors
        raise ScanError(
            f"{path}: expected a whole table of a scan, got: {error!s:.200}; remove it, to have it done again"
        ) from error
