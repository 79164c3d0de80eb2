"""The tables of a scan on disk: what is done is their union.

A table is written beside and gets its name when it is whole; whole files' rows are in one table. So whatever
ends a scan costs what isn't written yet, and nothing is there twice.
"""

from __future__ import annotations

import itertools
import json
import re
import secrets
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from fastaudio._core import FastaudioError, check_interrupt
from fastaudio._system.extras import require
from fastaudio._system.growing import kept
from fastaudio._system.writing import check_folder, writing
from fastaudio.scanning.fence import begin, held
from fastaudio.scanning.rows import table_of
from fastaudio.scanning.schema import SCHEMA, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from fastaudio.scanning.rows import FileRows

_NAME = re.compile(r"part-(\d{6,})-(?:[0-9a-f]{8}|[0-9a-f]{32})\.parquet")
_LEFT = re.compile(r"\.fastaudio-[0-9a-f]{16}")
_GROUP_ROWS = 1 << 14
_AGREE = ("schema", "card_sha256", "layer", "hop_s", "windows", "half", "channel", "columns")
_LOCK = ".scan.lock"


class ScanError(FastaudioError, ValueError):
    """A folder holds another scan, or something that no scan has written."""


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
        done: size, version and whether it failed, by the path of each file that is done.
        mark: that of the run that writes, or None.
    """

    def __init__(
        self, folder: Path, about: dict[str, Any], mark: str | None = None, *, read: bool = True
    ) -> None:
        """Read what is there, if that is wanted; `about` says what is run.

        The run's `mark`, if it has one, has to be the folder's when a table gets its name; see `fence`.

        Raises:
            ScanError: it is another scan's, or a table is damaged.
            MissingExtra: pyarrow isn't installed.
        """
        self.folder = folder
        self.mark = mark
        self._about = about
        self._pa, self._parquet = modules()
        self._schema = schema_of(self._pa, about)
        self.done: dict[str, tuple[int, str, bool]] = {}
        self._in: dict[str, list[str]] = {}  # paths done, by table, for what is to be done again
        last = -1
        for path in tables(folder) if read else ():
            check_interrupt()
            self._read(path)
            last = int(_NAME.fullmatch(path.name)[1])  # type: ignore[index]
        self._numbers = itertools.count(last + 1)

    def _read(self, path: Path) -> None:
        with readable(path), self._parquet.ParquetFile(path) as file:
            found = about_of(path, file)
            if (got := difference(found, self._about)) is not None:
                raise OtherScanError(
                    f"{self.folder}: expected an earlier run of this scan, got {got}; name another folder",
                    of_scores=bool(found.get("labels")),
                )
            held = file.read(columns=["path", "size", "version", "error"])
        held = held.group_by(["path", "size", "version"]).aggregate([("error", "count")])
        names = held["path"].to_pylist()
        self._in[path.name] = names
        others = (held[name].to_pylist() for name in ("size", "version", "error_count"))
        rows = zip(names, *others, strict=True)
        for name, size, version, n_errors in rows:
            self.done[name] = (-1 if size is None else size, version or "", n_errors > 0)

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
            with readable(path):
                table = self._parquet.read_table(path)
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
        labels = self._about["labels"]
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
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with kept(str(folder / _LOCK), str(folder)):
        mark = begin(folder)
        _clean(folder)
        yield mark
        _clean(folder)


@contextmanager
def shared_folder(folder: Path, run: str) -> Iterator[str]:
    """Make a folder for a scan and hold it together with the other workers of a run; give the run's mark.

    Raises:
        OutputError: it can't be made or written into, or a run that shares it with none has it.
    """
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with kept(str(folder / _LOCK), str(folder), shared=True):
        yield begin(folder, run)


def _clean(folder: Path) -> None:
    for path in folder.iterdir():
        if _LEFT.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            with suppress(OSError):
                path.unlink()


def tables(folder: Path) -> list[Path]:
    """Return a scan's tables, in the order in which they were written."""
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


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
        with readable(path), parquet.ParquetFile(path) as file:
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
    if not isinstance(about, dict) or about.get("schema") != SCHEMA:
        raise ScanError(f"{path}: expected a table of a scan, got another file; move it away")
    return about


def modules() -> tuple[Any, Any]:
    """Return pyarrow and its module for Parquet.

    Raises:
        MissingExtra: it isn't installed.
    """
    parquet = require("pyarrow.parquet", extra="parquet", what="scan")
    return require("pyarrow", extra="parquet", what="scan"), parquet


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
        raise ScanError(
            f"{path}: expected a table that stays, got one that is gone meanwhile; try it again"
        ) from error
    except (OSError, ValueError, LookupError) as error:  # pyarrow's are ValueErrors
        raise ScanError(
            f"{path}: expected a whole table of a scan, got: {error!s:.200}; remove it, to have it done again"
        ) from error
