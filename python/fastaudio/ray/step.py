"""A step of Ray Data: a model over batches of paths, which gives rows or writes tables."""

from __future__ import annotations

import hashlib
import itertools
import os
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio import cards
from fastaudio._system.extras import require
from fastaudio._system.text import spelled
from fastaudio.ray.worker import Worker, files_in
from fastaudio.scanning.entries import SourceError, entry_of
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.remote import Stores, is_url
from fastaudio.scanning.rows import table_of
from fastaudio.scanning.scan import left_of
from fastaudio.scanning.schema import OWN_COLUMNS, schema_of
from fastaudio.scanning.shards import Shards, modules, shared_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fastaudio.ray.outcomes import Done
    from fastaudio.scanning.entries import Entry


class Scan:
    """A model over batches of paths, as a step of Ray Data: one process with one pipeline for each worker.

        files = ray.data.from_items(paths)
        rows = files.map_batches(fastaudio.ray.Scan, concurrency=8, batch_size=256, max_task_retries=2)

    A batch has a column "path", or "item" as `from_items` calls it, and others, which are kept as text; each
    path may be there once, as a URL or an absolute path. What comes out depends on `output`:

    - None: the rows that `fastaudio scan` writes, as a table of pyarrow, to go on with in Ray Data. All rows
      of a batch are in memory.
    - a folder, which all machines see: a table is written there for each batch, as `fastaudio scan` does, and
      what comes out is path, size, duration_s and error of each file that this program has done. Files that
      an earlier one has done are left out, and those that changed are done again. However often Ray runs a
      batch, and whatever ends in the middle, each file's rows are there once.

    Put large files first. A file that can't be run over is a row with its error. One that ends its worker is
    begun again for ever, as Ray Data does by default, unless `max_task_retries` says how often.
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
        stores: Iterable[str] = (),
    ) -> None:
        """Load the model.

        `output` is a folder's absolute path, and `stores` what batches may name URLs of, such as s3://bucket,
        or s3:// for all buckets; the other arguments are those of `fastaudio.scanning.networks.Chosen`.

        Raises:
            ModelError, ValueError: there is no such model or layer, or it has no such step; a path is
                relative.
            OutputError: the folder can't be written into, or another run has it.
            MissingExtra: pyarrow or Ray isn't installed.
        """
        if output is not None:
            _require_absolute("output", os.fspath(output))
        if os.path.dirname(model):  # noqa: PTH120  # a path, not a name
            _require_absolute("model", model)
        self._chosen = Chosen(model, layer, hop_s, windows, half, channel)
        self._stores = Stores(stores)
        self._folder = None if output is None else Path(output)
        self._worker = Worker(self._chosen, self._folder or Path())
        self._shards: Shards | None = None
        self._stack = ExitStack()
        if self._folder is not None:
            self._mark = self._stack.enter_context(shared_folder(self._folder, _run()))
            self._prefix = f"part-000000-{_hashed(self._mark)[:8]}"
            self._written: dict[str, Done] = {}

    def __call__(self, batch: Mapping[str, Any]) -> Any:
        """Return a table of pyarrow, see above.

        Raises:
            ValueError: the batch has no column "path" or "item", one that a scan writes itself, or a relative
                path.
            SourceError: it has a URL of another store.
            ScanError: the folder holds another scan, or a damaged table.
            OutputError: a table can't be written, or another run has begun in the folder.
        """
        entries = _entries(batch, self._stores)
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
        """Have all files in tables; return those that this program has done, now or before."""
        shards = self._shards or self._read(columns)
        shards.widen(columns)
        todo, stale = left_of(entries, shards.done, retry_errors=False)
        if stale:
            shards.forget(stale)
        left = {spelled(entry.path): entry for entry in todo}
        for n_tried in itertools.count():
            if not left:
                break
            key = "\0".join(f"{name}\0{one.size}\0{one.version}" for name, one in left.items())
            # The same if Ray runs the batch again. It may be there and lack files: they were taken out since.
            name = f"{self._prefix}{_hashed(f'{n_tried}/{key}')[:24]}.parquet"
            found = self._worker.written(list(left.values()), shards, name)
            done = {one.path: one for one in found if one.path in left}
            self._written |= done
            shards.add(
                name,
                {
                    key: (left[key].size, left[key].version, one.error is not None)
                    for key, one in done.items()
                },
            )
            left = {key: entry for key, entry in left.items() if key not in done}
        names = [spelled(entry.path) for entry in entries]
        return [self._written[name] for name in names if name in self._written]

    def _read(self, columns: Sequence[str]) -> Shards:
        """Read what is done, and what of it other workers of this program did."""
        assert self._folder is not None
        about = self._chosen.about(self._worker.pipeline, columns)
        self._shards = Shards(self._folder, about, self._mark)
        for name in self._shards.names_in(self._prefix):
            with suppress(FileNotFoundError):  # another worker takes a file out
                self._written |= {one.path: one for one in files_in(self._folder / name)}
        return self._shards


def _entries(batch: Mapping[str, Any], stores: Stores) -> list[Entry]:
    columns = {name: np.asarray(batch[name]).tolist() for name in batch}
    own = next((name for name in ("path", "item") if name in columns), None)
    if own is None:
        raise ValueError(f"Scan: expected a batch with a column path or item, got {list(batch)!s:.200}")
    names = [os.fspath(name) for name in columns.pop(own)]
    if taken := OWN_COLUMNS.intersection(columns):
        got = ", ".join(sorted(taken))
        raise ValueError(f"Scan: expected columns that a scan doesn't write, got {got}; rename them")
    for name in names:
        if not is_url(name):
            _require_absolute("path", name)
        elif not stores.have(name):
            raise SourceError(
                f"Scan: expected files, and URLs of the stores that stores= names, got {name!r:.200}; if you "
                f"trust who made the batch, add stores=[{stores.name_of(name)!r:.200}]"
            )
    others = {name: [None if one is None else str(one) for one in cells] for name, cells in columns.items()}
    rows = (entry_of(name, {key: cells[i] for key, cells in others.items()}) for i, name in enumerate(names))
    unique = {entry.path: entry for entry in rows}
    return sorted(unique.values(), key=lambda entry: (-entry.size, entry.path))


def _require_absolute(what: str, path: str) -> None:
    if not os.path.isabs(path):  # noqa: PTH117  # paths stay as they are given
        raise ValueError(
            f"Scan: expected {what} as an absolute path, as workers may be in other folders, got "
            f"{path!r:.200}; give os.path.abspath of it"
        )


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _run() -> str:
    """Return a name that all workers of a program on Ray have in common."""
    ray = require("ray", extra="ray", what="fastaudio.ray.Scan")
    context = ray.get_runtime_context()
    session = getattr(context, "get_session_name", str)()
    return f"{session}/{context.namespace}/{context.get_job_id()}"
