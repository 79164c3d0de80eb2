"""A process with one pipeline, which runs over the files that it is given and writes their table."""

from __future__ import annotations

import math
import os
import time
import warnings
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError
from fastaudio._system.text import spelled
from fastaudio._system.writing import OutputError
from fastaudio.ray.cluster import ClusterError
from fastaudio.ray.outcomes import Done, Outcome
from fastaudio.scanning.fence import Followed
from fastaudio.scanning.pool import FAR_THREADS, results
from fastaudio.scanning.remote import is_url
from fastaudio.scanning.scan import TABLE_BYTES
from fastaudio.scanning.shards import Shards, modules, source_of
from fastaudio.scanning.work import LongRows, Work

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from fastaudio.scanning.entries import Entry
    from fastaudio.scanning.networks import Chosen
    from fastaudio.scanning.rows import FileRows


class Worker:
    """One pipeline, and the folder that its tables go to."""

    def __init__(
        self, chosen: Chosen, folder: Path, about: dict[str, Any] | None = None, home: str | None = None
    ) -> None:
        """Load the pipeline; `about` is what the tables have to say of it.

        Args:
            chosen: the model and what it gives.
            folder: where the tables are, an absolute path.
            about: what they say of themselves, None to make it here.
            home: the folder that relative paths are meant in, None if there are none.

        Raises:
            ModelError: there is no such model, or it isn't the one that `about` is of.
            ClusterError: this machine doesn't have `home`.
        """
        if home is not None:
            try:
                os.chdir(home)
            except OSError as error:
                raise ClusterError(
                    f"{home:.200}: expected the folder of the scan's relative paths on all machines, got on "
                    f"one: {error.strerror}; name files, model and output by absolute paths that all have"
                ) from error
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
            return files_in(there)
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
                return files_in(there)  # another worker with the same files was first
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


def files_in(path: Path) -> list[Done]:
    """Return the files of a table."""
    _, parquet = modules()
    with parquet.ParquetFile(source_of(path)) as file:
        held = file.read(columns=["path", "size", "duration_s", "error"])
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
