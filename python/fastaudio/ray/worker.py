"""A process with one pipeline, which runs over the files that it is given and writes their table."""

from __future__ import annotations

import hashlib
import math
import os
import time
import warnings
from contextlib import ExitStack, closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio import cards
from fastaudio._core import ModelError
from fastaudio._system.extras import require
from fastaudio._system.text import spelled
from fastaudio._system.writing import OutputError
from fastaudio.ray.outcomes import Done, Outcome
from fastaudio.scanning.entries import entry_of
from fastaudio.scanning.fence import Followed
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.pool import FAR_THREADS, results
from fastaudio.scanning.remote import is_url
from fastaudio.scanning.rows import table_of
from fastaudio.scanning.scan import TABLE_BYTES, left_of
from fastaudio.scanning.schema import OWN_COLUMNS, schema_of
from fastaudio.scanning.shards import Shards, modules, shared_folder
from fastaudio.scanning.work import LongRows, Work

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from fastaudio.scanning.entries import Entry
    from fastaudio.scanning.rows import FileRows


class Worker:
    """One pipeline, and the folder that its tables go to."""

    def __init__(self, chosen: Chosen, folder: Path, about: dict[str, Any] | None = None) -> None:
        """Load the pipeline; `about` is what the tables have to say of it.

        Raises:
            ModelError: there is no such model, or it isn't the one that `about` is of.
        """
        self._folder = folder
        self.pipeline = chosen.load()
        self.about = about or chosen.about(self.pipeline, [])
        mine = chosen.about(self.pipeline, self.about["columns"])
        for key in ("card_sha256", "version"):
            if mine[key] != self.about[key]:
                raise ModelError(
                    f"{chosen.model}: expected {key} {self.about[key]} as where the scan began, got "
                    f"{mine[key]} on another machine; install the same version and model on all"
                )
        self.work = Work(self.pipeline, folder, by_window=chosen.by_window, half=chosen.half)

    def ready(self) -> None:
        """Do nothing: who hears of it knows that the pipeline is there."""

    def run(self, entries: Sequence[Entry], name: str, mark: str, left_s: float = math.inf) -> Outcome:
        """Run over files and write their table, if it isn't there, for `left_s` seconds at most."""
        shards = Shards(self._folder, self.about, mark, read=False)
        try:
            done = self.written(entries, shards, name, time.monotonic() + left_s)
        except Followed:
            return Outcome(followed=True)
        except OutputError as error:
            return Outcome(refused=str(error))
        return Outcome(done)

    def written(
        self, entries: Sequence[Entry], shards: Shards, name: str, until: float = math.inf
    ) -> list[Done]:
        """Return what was done; a table that is there already says so.

        Raises:
            Followed: another run has begun.
            OutputError: the table can't be written.
        """
        there = shards.folder / name
        if there.exists():
            return _found(there)
        done: list[Done] = []
        pieces = self.pieces(entries, done, until)
        with closing(pieces), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a cut file's row says so
            first = next(pieces, None)
            if first is None:
                return done
            try:
                shards.write(chain([first], pieces), name)
            except OutputError as error:
                if isinstance(error, Followed) or not there.exists():
                    raise
                return _found(there)  # another worker with the same files was first
        return done

    def pieces(
        self, entries: Sequence[Entry], done: list[Done], until: float = math.inf
    ) -> Generator[list[FileRows], None, None]:
        """Yield what files give, whole files or pieces of long ones, and append to `done` what is done."""
        held: list[FileRows] = []
        n_bytes = 0
        n_threads = FAR_THREADS if any(is_url(entry.path) for entry in entries) else 1
        with closing(results(entries, self.work, n_threads, until)) as found:
            for rows in found:
                if isinstance(rows, LongRows):
                    with closing(rows):
                        yield from ([piece] for piece in rows)
                        rows = rows.written()  # noqa: PLW2901
                else:
                    held.append(rows)
                    n_bytes += rows.n_bytes
                done.append(Done(spelled(rows.entry.path), rows.entry.size, rows.duration_s, rows.error))
                if n_bytes > TABLE_BYTES:
                    yield held
                    held, n_bytes = [], 0
        if held:
            yield held


def _found(path: Path) -> list[Done]:
    """Return the files of a table."""
    _, parquet = modules()
    held = parquet.read_table(path, columns=["path", "size", "duration_s", "error"])
    found = {row["path"]: row for row in held.to_pylist()}
    return [
        Done(
            name,
            -1 if row["size"] is None else row["size"],
            math.nan if row["duration_s"] is None else row["duration_s"],
            row["error"],
        )
        for name, row in found.items()
    ]


class Scan:
    """A model over batches of paths, as a step of Ray Data: one process with one pipeline for each worker.

        files = ray.data.from_items(paths)
        rows = files.map_batches(fastaudio.ray.Scan, concurrency=8, batch_size=256)

    A batch has a column "path", or "item" as `from_items` calls it, and others, which are kept as text; each
    path may be there once. What comes out depends on `output`:

    - None: the rows that `fastaudio scan` writes, as a table of pyarrow, to go on with in Ray Data. All rows
      of a batch are in memory.
    - a folder, which all machines see: a table is written there for each batch, as `fastaudio scan` does, and
      what comes out is path, size, duration_s and error of each file. Files that are done there already are
      left out, also by a later run, and those that changed are done again. However often Ray runs a batch,
      and whatever ends in the middle, each file's rows are there once.

    Put large files first. A file that can't be run over is a row with its error.
    """

    def __init__(
        self,
        output: str | os.PathLike[str] | None = None,
        *,
        model: str = cards.DEFAULT_MODEL,
        layer: str | None = None,
        hop_s: float | None = None,
        windows: bool = False,
        half: bool = False,
        channel: int | None = None,
    ) -> None:
        """Load the model; the arguments but `output` are those of `fastaudio.scanning.networks.Chosen`.

        Raises:
            ModelError, ValueError: there is no such model or layer, or it has no such step.
            OutputError: the folder can't be written into, or a scan without Ray has it.
            MissingExtra: pyarrow or Ray isn't installed.
        """
        self._chosen = Chosen(model, layer, hop_s, windows, half, channel)
        self._folder = None if output is None else Path(output)
        self._worker = Worker(self._chosen, self._folder or Path())
        self._shards: Shards | None = None
        self._stack = ExitStack()
        if self._folder is not None:
            self._mark = self._stack.enter_context(shared_folder(self._folder, _run()))

    def __call__(self, batch: Mapping[str, Any]) -> Any:
        """Return a table of pyarrow, see above.

        Raises:
            ValueError: the batch has no column "path" or "item", or one that a scan writes itself.
            ScanError: the folder holds another scan, or a damaged table.
            OutputError: a table can't be written, or another run has begun in the folder.
        """
        entries = _entries(batch)
        columns = sorted({name for entry in entries for name in entry.columns})
        pa, _ = modules()
        if self._folder is None:
            about = self._chosen.about(self._worker.pipeline, columns)
            tables = [
                table_of(pa, piece, schema_of(pa, about), about["labels"])
                for piece in self._worker.pieces(entries, [])
            ]
            return pa.concat_tables(tables) if tables else schema_of(pa, about).empty_table()
        done = self._done(entries, columns)
        return pa.table(
            {
                "path": pa.array([one.path for one in done], pa.string()),
                "size": pa.array([one.size for one in done], pa.int64()),
                "duration_s": pa.array([one.duration_s for one in done], pa.float64()),
                "error": pa.array([one.error for one in done], pa.string()),
            }
        )

    def _done(self, entries: Sequence[Entry], columns: Sequence[str]) -> list[Done]:
        if self._shards is None:
            assert self._folder is not None
            self._worker.about = self._chosen.about(self._worker.pipeline, columns)
            self._shards = Shards(self._folder, self._worker.about, self._mark)
        todo, stale = left_of(entries, self._shards.done, retry_errors=False)
        if stale:
            self._shards.forget(stale)
        if not todo:
            return []
        key = "\0".join(f"{spelled(one.path)}\0{one.size}\0{one.version}" for one in entries)
        name = f"part-000000-{hashlib.sha256(key.encode()).hexdigest()[:32]}.parquet"  # again the same
        return self._worker.written(todo, self._shards, name)


def _entries(batch: Mapping[str, Any]) -> list[Entry]:
    columns = {name: np.asarray(batch[name]).tolist() for name in batch}
    names = columns.pop("path", None) or columns.pop("item", None)
    if names is None:
        raise ValueError(f"Scan: expected a batch with a column path or item, got {list(batch)!s:.200}")
    if taken := OWN_COLUMNS.intersection(columns):
        got = ", ".join(sorted(taken))
        raise ValueError(f"Scan: expected columns that a scan doesn't write, got {got}; rename them")
    others = {name: [None if one is None else str(one) for one in cells] for name, cells in columns.items()}
    rows = (
        entry_of(os.fspath(name), {key: cells[i] for key, cells in others.items()})
        for i, name in enumerate(names)
    )
    unique = {entry.path: entry for entry in rows}
    return sorted(unique.values(), key=lambda entry: (-entry.size, entry.path))


def _run() -> str:
    """Return a name that all workers of a program on Ray have in common."""
    ray = require("ray", extra="ray", what="fastaudio.ray.Scan")
    context = ray.get_runtime_context()
    session = getattr(context, "get_session_name", str)()
    return f"{session}/{context.namespace}/{context.get_job_id()}"
