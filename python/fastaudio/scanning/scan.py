"""Running over many files into a folder of tables; the same call goes on after any interruption."""

from __future__ import annotations

import math
import os
import time
import warnings
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from fastaudio._system.text import spelled
from fastaudio.running.limits import limits
from fastaudio.scanning import manifests
from fastaudio.scanning.entries import find_entries
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.order import in_order
from fastaudio.scanning.pool import FAR_THREADS, results
from fastaudio.scanning.remote import is_url
from fastaudio.scanning.rows import failed
from fastaudio.scanning.shards import Shards, opened_folder, tables
from fastaudio.scanning.work import LongRows, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from fastaudio._core import Cancel
    from fastaudio.pipeline import Pipeline
    from fastaudio.scanning.entries import Entry
    from fastaudio.scanning.rows import FileRows

    Report: TypeAlias = Callable[["Scanned"], None]

TABLE_BYTES = 32_000_000
"""Rows that are held in memory before they are written as a table."""
TABLE_S = 30.0
"""Seconds of work after which a table is written all the same."""


@dataclass
class Scanned:
    """How far a scan is, and what came of it.

    Attributes:
        n_files: files that there are.
        n_before: those of them that earlier runs have done.
        n_failed_before: those of these whose rows say why they couldn't be run over.
        n_done: those that this run has done; the failed ones count.
        n_failed: those that this run couldn't run over; their rows say why.
        n_bytes, bytes_done: size of the files to do, and of those that are done.
        sound_s: seconds of sound that this run has run over.
        took_s: seconds of this run.
        said: lines that say what was left out.
    """

    n_files: int = 0
    n_before: int = 0
    n_failed_before: int = 0
    n_done: int = 0
    n_failed: int = 0
    n_bytes: int = 0
    bytes_done: int = 0
    sound_s: float = 0.0
    took_s: float = 0.0
    said: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all files are done."""
        return self.n_before + self.n_done == self.n_files

    def count(self, n_bytes: int, sound_s: float, *, failed: bool) -> None:
        """Count a file that is done; its size may be unknown (below 0), and its length too (NaN)."""
        self.n_done += 1
        self.n_failed += failed
        self.bytes_done += max(0, n_bytes)
        self.sound_s += 0.0 if math.isnan(sound_s) else sound_s


def scan(
    sources: Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    chosen: Chosen | None = None,
    jobs: int | None = None,
    retry_errors: bool = False,
    budget_s: float | None = None,
    stores: Iterable[str] = (),
    report: Report | None = None,
    cancel: Cancel | None = None,
) -> Scanned:
    """Run a model over many files into a folder of Parquet tables, and go on where an earlier run ended.

    A table has a row per file, or per window, with the columns path, size, version, duration_s, start_s,
    end_s, scores or embedding, silent, top_labels, error and truncated, and those of a manifest. A file that
    can't be run over has a row too, with its error. Files that changed since they were done are done again;
    those that are gone keep their rows. A manifest's columns may come later; rows from before lack them.
    Memory doesn't grow with the files' lengths.

    Args:
        sources: files, folders, patterns, tables that list files, or URLs, see `find_entries`.
        output: a folder; it is made if it isn't there.
        chosen: the model and what it gives; None for the default model's tags.
        jobs: files at once, None for one per core.
        retry_errors: whether to run again over files that failed before.
        budget_s: seconds after which to stop; what is done by then is kept.
        stores: what tables may name URLs of besides the stores of `sources`, such as s3://bucket.
        report: called now and then, and at the end, with how far it is.
        cancel: ends the scan, with Cancelled, from another thread; what is done by then is kept.

    Raises:
        ScanError: the folder holds another scan, or a damaged table.
        SourceError: a source isn't there, or there are no files.
        OutputError: the folder can't be written into, or another run has it.
        ModelError, ValueError: there is no such model or layer, or an argument is outside its range.
        MissingExtra: pyarrow isn't installed, or what reads a URL.
        Cancelled: `cancel` was cancelled.
    """
    n_jobs = jobs if jobs is not None else os.cpu_count() or 1
    if n_jobs < 1:
        raise ValueError(f"scan: expected jobs of at least 1, got {jobs}")
    check_budget(budget_s)
    chosen, folder = chosen or Chosen(), Path(output)
    how: dict[str, Any] = {"retry_errors": retry_errors, "stores": stores}
    with limits("scan", None, cancel), begun(sources, folder, chosen, **how) as scan:
        run = _Run(scan.shards, scan.scanned, report, budget_s)
        make = partial(Work, folder=folder, by_window=chosen.by_window, half=chosen.half)
        far = [entry for entry in scan.todo if is_url(entry.path)]
        near = [entry for entry in scan.todo if not is_url(entry.path)]
        scan.drop_stale()
        with warnings.catch_warnings(), run:
            warnings.simplefilter("ignore", UserWarning)  # a cut file's row says so
            for entries, n_threads in (near, n_jobs), (far, n_jobs * FAR_THREADS):
                wide, others = in_order(entries, n_jobs)
                each = make(scan.pipeline)
                with_all = make(chosen.load(n_jobs)) if wide else each
                works = chain(zip(wide, repeat(with_all)), zip(others, repeat(each)))
                run.over(works, n_threads)
        return scan.scanned


def check_budget(budget_s: float | None) -> None:
    """Raise ValueError unless it is a time above 0, or None."""
    if budget_s is not None and not 0 < budget_s < math.inf:
        raise ValueError(f"scan: expected budget_s above 0, got {budget_s}")


@dataclass
class Begun:
    """A scan that has begun: its folder is held.

    Attributes:
        pipeline: what is run.
        about: what its tables say of themselves.
        shards: its tables.
        todo: the files to do.
        stale: names in its tables of those whose old rows have to go.
        scanned: how far it is.
    """

    pipeline: Pipeline
    about: dict[str, Any]
    shards: Shards
    todo: list[Entry]
    stale: set[str]
    scanned: Scanned

    def drop_stale(self) -> None:
        """Take the old rows of what is to do again out of the tables: once the work can begin, and no sooner.

        Raises:
            OutputError: a table can't be written again, or another run has begun.
        """
        self.shards.forget(self.stale)


@contextmanager
def begun(
    sources: Iterable[str | os.PathLike[str]],
    folder: Path,
    chosen: Chosen,
    *,
    retry_errors: bool,
    stores: Iterable[str],
) -> Iterator[Begun]:
    """Find the files of a scan, and those of them that are to do; hold its folder meanwhile.

    Raises:
        As `scan`.
    """
    sources = list(sources)
    found = find_entries(sources, stores)
    pipeline = chosen.load()
    columns = sorted({name for entry in found.entries for name in entry.columns})
    about = chosen.about(pipeline, columns)
    with opened_folder(folder) as mark:
        shards = Shards(folder, about, mark)
        todo, stale = left_of(found.entries, shards.done, retry_errors=retry_errors)
        n_bytes, n_before = sum(max(0, entry.size) for entry in todo), len(found.entries) - len(todo)
        kept = {spelled(entry.path) for entry in found.entries} - {spelled(entry.path) for entry in todo}
        n_failed = sum(failed and name in kept for name, (_, _, failed) in shards.done.items())
        said = (*found.said, *_later(sources, shards)) if n_before else tuple(found.said)
        scanned = Scanned(len(found.entries), n_before, n_failed, n_bytes=n_bytes, said=said)
        yield Begun(pipeline, shards.about, shards, todo, stale, scanned)


def _later(sources: Iterable[str | os.PathLike[str]], shards: Shards) -> Iterator[str]:
    """Say which lists of files have changed since the last table was written."""
    written = max((path.stat().st_mtime for path in tables(shards.folder)), default=math.inf)
    for source in map(Path, sources):
        if (
            source.suffix.lower() in manifests.SUFFIXES
            and source.is_file()
            and source.stat().st_mtime > written
        ):
            yield (
                f"{source}: it has changed, and files that are done keep the other columns that it had; "
                "fastaudio train --labels takes it as it is now"
            )


def left_of(
    entries: Sequence[Entry], done: dict[str, tuple[int, str, bool]], *, retry_errors: bool
) -> tuple[list[Entry], set[str]]:
    """Return the files to do, and the names in tables of those whose old rows have to go before."""
    todo: list[Entry] = []
    stale: set[str] = set()
    for entry in entries:
        name = spelled(entry.path)  # as tables hold it
        old = done.get(name)
        if old is not None:
            size, version, failed = old
            unknown = entry.size < 0 and not entry.version  # it is gone, as with its disk, or can't be asked
            same = unknown or (size, version) == (entry.size, entry.version)
            if same and not (failed and retry_errors):
                continue
            stale.add(name)
        todo.append(entry)
    return todo, stale


class _Run:
    """The part of a scan that runs over files; what they gave is written at its end, however it ends."""

    def __init__(
        self, shards: Shards, scanned: Scanned, report: Report | None, budget_s: float | None
    ) -> None:
        self._shards, self._scanned, self._report = shards, scanned, report
        self._started = self._written = time.monotonic()
        self._until = math.inf if budget_s is None else self._started + budget_s
        self._held: list[FileRows] = []
        self._held_bytes = 0
        self._name: str | None = None  # of the next table

    def __enter__(self) -> None:
        self._tell()

    def __exit__(self, *_: object) -> None:
        self._write()
        self._tell()

    def over(self, works: Iterable[tuple[Entry, Work]], n_threads: int) -> None:
        """Run over files, each by its work, until all are done, or time is up."""
        with closing(results(works, self._one, n_threads, self._until)) as found:
            for rows in found:
                self._take(rows)

    def _one(self, how: tuple[Entry, Work]) -> FileRows:
        """Run over a file, in a thread; rows that are too many to hold are written as a table of theirs."""
        entry, work = how
        try:
            found = work(entry)
        except MemoryError:
            wanted = "expected room in memory for its rows, got too little; scan it with --windows, or alone"
            return failed(entry, work.width, wanted)
        if isinstance(found, LongRows):
            with closing(found):
                self._shards.write([piece] for piece in found)
            return found.written()
        return found

    def _take(self, rows: FileRows) -> None:
        """Count a file, and keep what it gave."""
        self._scanned.count(rows.entry.size, rows.duration_s, failed=rows.error is not None)
        if not rows.written:
            self._held.append(rows)
            self._held_bytes += rows.n_bytes
        if self._held_bytes > TABLE_BYTES or time.monotonic() - self._written > TABLE_S:
            self._write()
        self._tell()

    def _write(self) -> None:
        """Write what is held as a table, unless a call before was interrupted once that was there."""
        if self._held:
            self._name = self._name or self._shards.new_name()
            if not (self._shards.folder / self._name).exists():
                self._shards.write([self._held], self._name)
        self._held, self._name = [], None
        self._held_bytes, self._written = 0, time.monotonic()

    def _tell(self) -> None:
        self._scanned.took_s = time.monotonic() - self._started
        if self._report is not None:
            self._report(self._scanned)
