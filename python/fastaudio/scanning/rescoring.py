"""A scan by a head alone, over the embeddings that another scan has kept: no sound is read again."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import check_interrupt
from fastaudio._system.extras import require
from fastaudio.heads.alone import head_of
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.rows import number_lists, top_labels
from fastaudio.scanning.scan import Scanned
from fastaudio.scanning.schema import schema_of
from fastaudio.scanning.shards import (
    OtherScanError,
    ScanError,
    Shards,
    about_of,
    columns_of,
    modules,
    opened_folder,
    readable,
    remove_others,
    source_of,
    tables,
    with_columns,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from fastaudio.heads.alone import Alone

_ROWS = 1 << 14  # at once


def rescan(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    head: str,
    windows: bool = False,
    half: bool = False,
    force: bool = False,
    report: Callable[[Scanned], None] | None = None,
) -> Scanned:
    """Run a head over the embeddings of a scan, into a folder of tables like those of a scan by its model.

    The scores are those that `scan` gives for the same files, within 1e-5; of embeddings kept as float16
    within about 1e-3. Whether a window is silent isn't known, and null. The same call goes on, and does only
    what has changed; `scan` with the same model may go on with the folder too.

    Args:
        source: a scan of embeddings, by windows unless the head takes the mean row of each file.
        output: a folder; it is made if it isn't there.
        head: a model that `heads.fit` or `fastaudio train` has made of the same embedder.
        windows: whether each window is a row, not the mean over each file.
        half: whether scores are kept as float16.
        force: whether another head's scores in the folder, or those of this one before it was trained again,
            are removed first.
        report: called after each table with how far it is.

    Raises:
        ScanError: there is no scan of embeddings, they aren't those that the head learnt from, or the output
            holds another scan.
        OutputError: the folder can't be written into, or another run has it.
        ModelError, ValueError: there is no such model, or it is no head.
        MissingExtra: pyarrow or onnx isn't installed.
    """
    started = time.monotonic()
    source, folder = Path(source), Path(output)
    chosen = Chosen(head, windows=windows, half=half)
    pipeline = chosen.load()
    alone = head_of(pipeline)
    about = _about(source, head, alone)
    own = chosen.about(pipeline, columns_of(source))
    with opened_folder(folder) as mark:
        if force:
            remove_others(folder, own, mark)
        try:
            shards = Shards(folder, own, mark)
        except OtherScanError as error:
            if not error.of_scores:
                raise
            raise OtherScanError(
                f"{error}, or replace its scores with --replace-scores", of_scores=True
            ) from error
        work = _Work(alone, about["width"], shards.about)
        todo, stale, scanned = _todo(source, shards)
        shards.forget(stale)
        for path, names in todo.items():
            if names:
                shards.write_tables(work.tables(path, names))
            scanned.n_done += len(names)
            scanned.took_s = time.monotonic() - started
            if report is not None:
                report(replace(scanned))
    return scanned


def _about(source: Path, head: str, alone: Alone) -> dict[str, Any]:
    """Return what a scan says of itself, once it is sure that the head takes its rows."""
    _, parquet = modules()
    found = tables(source) if source.is_dir() else []
    if not found:
        raise ScanError(
            f"{source}: expected a folder that fastaudio scan has written, got none of its tables"
        )
    with readable(found[-1]), parquet.ParquetFile(source_of(found[-1])) as file:
        about = about_of(found[-1], file)
    if about["labels"]:
        raise ScanError(
            f"{source}: expected embeddings, got scores of labels; scan the sound again with --layer and "
            "--windows into another folder, and name that one"
        )
    if not about["windows"] and not alone.average:
        raise ScanError(
            f"{source}: expected a row per window for {head}, got the mean of each file; scan the sound "
            "again with --windows, or train the head with --average"
        )
    if about.get("rows_sha256") != alone.rows_sha256:
        raise ScanError(
            f"{source}: expected the embeddings that {head} learnt from, got those of {about['model']}, "
            f"layer {about['layer']}, by another pipeline or step; train it by "
            f"fastaudio train --from {source}"
        )
    return about


def _todo(source: Path, shards: Shards) -> tuple[dict[Path, set[str]], set[str], Scanned]:
    """Return which files of each table are to do, whose old rows have to go, and how much there is."""
    pa, parquet = modules()
    todo: dict[Path, set[str]] = {}
    stale: set[str] = set()
    scanned = Scanned()
    for path in tables(source):
        check_interrupt()
        columns = ["path", "size", "version", "error", "duration_s"]
        rows: dict[str, dict[str, Any]] = {}
        with readable(path), parquet.ParquetFile(source_of(path)) as file:
            for batch in file.iter_batches(columns=columns):  # a long file has a row per window
                held = pa.Table.from_batches([batch]).group_by(columns).aggregate([]).to_pylist()
                rows.update((row["path"], row) for row in held)
        todo[path] = set()
        for row in rows.values():
            now = -1 if row["size"] is None else row["size"], row["version"] or "", row["error"] is not None
            before = shards.done.get(row["path"])
            scanned.n_files += 1
            if before == now:
                scanned.n_before += 1
                continue
            if before is not None:
                stale.add(row["path"])
            todo[path].add(row["path"])
            scanned.n_failed += now[2]
            scanned.sound_s += row["duration_s"] or 0.0
    return todo, stale, scanned


class _Work:
    """Makes tables of scores out of tables of embeddings."""

    def __init__(self, alone: Alone, width: int, about: dict[str, Any]) -> None:
        self._pa, self._parquet = modules()
        self._schema = schema_of(self._pa, about)
        self._node, self._average, self._width = alone.node, alone.average, width
        self._labels: list[str] = about["labels"]
        self._by_row = about["windows"] and not alone.average
        self._kept = [name for name in self._schema.names if name not in ("scores", "silent", "top_labels")]

    def tables(self, path: Path, names: set[str]) -> Iterator[Any]:
        """Yield the rows of these files of a table, piece by piece."""
        compute = require("pyarrow.compute", extra="parquet", what="scan")
        wanted = self._pa.array(sorted(names), self._pa.string())
        means = _Means()
        with self._parquet.ParquetFile(source_of(path)) as file:
            for batch in file.iter_batches(_ROWS, columns=[*self._kept, "embedding"]):
                check_interrupt()
                mine = batch.filter(compute.is_in(batch["path"], value_set=wanted))
                if mine.num_rows:
                    yield from self._piece(mine, means)
        yield from self._of_files(means.end())

    def _piece(self, batch: Any, means: _Means) -> Iterator[Any]:
        bare = batch["start_s"].is_null().to_numpy(zero_copy_only=False)
        rows = np.zeros((len(bare), self._width), np.float32)
        held = batch.filter(self._pa.array(~bare))["embedding"]
        rows[~bare] = held.flatten().to_numpy(zero_copy_only=False).reshape(-1, self._width)
        values = rows if self._average else self._scores(rows, bare)
        kept = with_columns(batch, self._kept)
        if self._by_row:
            yield self._table(kept, values, bare)
        else:
            yield from self._of_files(means.take(kept, values, bare))

    def _of_files(self, files: list[tuple[Any, NDArray[Any] | None]]) -> Iterator[Any]:
        """Yield a table with a row per file, if there are any."""
        if not files:
            return
        bare = np.array([mean is None for _, mean in files])
        n_values = self._width if self._average else len(self._labels)
        values = np.array([np.zeros(n_values) if mean is None else mean for _, mean in files], np.float32)
        kept = self._pa.concat_tables([row for row, _ in files])
        ends = kept["duration_s"].to_numpy()
        for name, times in (("start_s", np.zeros(len(ends))), ("end_s", ends)):
            column = self._pa.array(times, self._pa.float64(), mask=bare)
            kept = kept.set_column(kept.schema.get_field_index(name), name, column)
        yield self._table(kept, self._scores(values, bare) if self._average else values, bare)

    def _scores(self, rows: NDArray[np.float32], bare: NDArray[np.bool_]) -> NDArray[np.float32]:
        scores = np.zeros((len(rows), len(self._labels)), np.float32)
        if not bare.all():
            scores[~bare] = np.asarray(self._node(rows[~bare]))
        return scores

    def _table(self, kept: Any, scores: NDArray[np.float32], bare: NDArray[np.bool_]) -> Any:
        columns = {name: kept[name] for name in self._kept}
        columns["scores"] = number_lists(self._pa, scores, bare, self._schema)
        columns["silent"] = self._pa.nulls(len(bare), self._pa.bool_())
        columns["top_labels"] = top_labels(self._pa, scores, bare, self._labels)
        return self._pa.table({name: columns[name] for name in self._schema.names}, schema=self._schema)


class _Means:
    """Takes the rows of file after file, and gives each file's first row with its mean."""

    def __init__(self) -> None:
        self._name: str | None = None
        self._row: Any = None
        self._sum: NDArray[np.float64] | None = None
        self._n = 0

    def take(
        self, kept: Any, values: NDArray[np.float32], bare: NDArray[np.bool_]
    ) -> list[tuple[Any, NDArray[Any] | None]]:
        """Return the files that the rows end, with None as the mean of those without rows."""
        ended = []
        names = kept["path"].to_pylist()
        starts = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
        for start, end in zip(starts, [*starts[1:], len(names)], strict=True):
            if names[start] != self._name:
                ended += self.end()
                self._name, self._row = names[start], kept.slice(start, 1)
            own = values[start:end][~bare[start:end]]
            if len(own):
                total = own.sum(axis=0, dtype=np.float64)
                self._sum = total if self._sum is None else self._sum + total
                self._n += len(own)
        return ended

    def end(self) -> list[tuple[Any, NDArray[Any] | None]]:
        """Return the file that is open, if there is one."""
        if self._name is None:
            return []
        ended = self._row, None if self._sum is None else self._sum / self._n
        self._name, self._sum, self._n = None, None, 0
        return [ended]
