"""Rows of labelled sound, as a scan has embedded it: `heads.fit` learns from them without reading sound."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import check_interrupt, did_you_mean
from fastaudio._system.text import listed, spelled
from fastaudio.labelled import manifest
from fastaudio.labelled.segment import File, Found, Segment
from fastaudio.labelled.text import read_text
from fastaudio.scanning.shards import columns_of, modules, readable, source_of, tables, with_columns
from fastaudio.searching.query import chosen_of
from fastaudio.searching.store import SearchError, about_scan, opened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio.pipeline import Pipeline
    from fastaudio.searching.store import Progress, Store

_NEAR_S = 0.01  # that a row may reach beyond a stretch
_SEVERAL, _BETWEEN = "labels", ";"


@dataclass
class Embedded:
    """Labelled sound and its rows: `heads.fit(it.embedder, it.files, it.labels, rows=it.rows)`.

    Attributes:
        embedder: the scan's pipeline.
        average: whether rows are the mean of each file, so that `heads.fit` needs `average=True`.
        files: whole files, or stretches of them.
        labels: each one's label, or its list of labels.
        rows: the rows of each, float32 [n_rows, n_values].
        several: whether `labels` has lists.
        groups, folds: each one's group and fold, or None if nothing says them.
        left_out: place and reason of all that can't be learnt from.
    """

    embedder: Pipeline
    average: bool
    files: list[File] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)
    rows: list[NDArray[np.float32]] = field(default_factory=list)
    several: bool = False
    groups: list[str] | None = None
    folds: list[str] | None = None
    left_out: list[tuple[str, str]] = field(default_factory=list)


def embedded(
    folder: str | os.PathLike[str],
    labels: str | os.PathLike[str] | None = None,
    *,
    column: str | None = None,
    model: str | None = None,
    progress: Progress | None = None,
) -> Embedded:
    """Return labelled sound with the rows that a scan has of it.

    A stretch has the rows that lie within it, or if none does the one that shares most of it. Of a stretch
    that a table labels twice, the later label counts.

    Args:
        folder: a scan of embeddings.
        labels: a CSV with the columns path and label (or labels, with ; between), and if wanted start_s,
            end_s, group and fold; paths are those of the scan, or relative to the table's folder. None takes
            the labels from a column of the scan.
        column: the column that has the labels: of the CSV, None for label or labels; or of the scan, which
            keeps the columns of a table that listed its files. In a column `labels`, ; separates several.
        model: where the scan's model is now, None for where it was.
        progress: called with how many of the scan's tables are gathered, and how many there are.

    Raises:
        ScanError: there is no scan.
        SearchError: it holds scores, or hasn't that column; the model is another; or nothing has a label.
        TableError: the CSV can't be read.
        ModelError: the model isn't there.
    """
    folder = Path(folder)
    about = about_scan(folder)
    if about["labels"]:
        raise SearchError(
            f"{folder}: expected embeddings to learn from, got scores of labels; scan the sound again with "
            "--layer (and --windows) into another folder, and name that one"
        )
    chosen = chosen_of(about, model)
    found = Found("") if labels is None else _of_table(Path(labels), folder, column)
    if labels is None:
        _of_column(found, folder, column)
    store = opened(folder, progress)
    made = Embedded(chosen.rows(), not about["windows"], several=found.several, left_out=found.left_out)
    _take(made, found, _Places(store), str(folder if labels is None else labels))
    if not made.files:
        why = "; ".join(f"{place}: {reason}" for place, reason in made.left_out[:3])
        raise SearchError(
            f"{labels or folder}: expected labels of sound in {folder}, got none{why and f'; {why}'}"
        )
    return made


def _take(made: Embedded, found: Found, places: _Places, where: str) -> None:
    """Take the rows of what was found; of equal stretches the last."""
    last = {file: i for i, file in enumerate(found.files)}
    groups, folds = list[str](), list[str]()
    for i in sorted(last.values()):
        check_interrupt()
        file = found.files[i]
        rows = places.rows(file)
        if rows is None:
            made.left_out.append((f"{where}: {file}", "expected a stretch with sound of the scan, got none"))
            continue
        made.files.append(file)
        made.labels.append(found.labels[i] if found.several else found.labels[i][0])
        made.rows.append(rows)
        groups.append("" if found.groups is None else found.groups[i])
        folds.append("" if found.folds is None else found.folds[i])
    made.groups = None if found.groups is None else groups
    made.folds = None if found.folds is None else folds


class _Places:
    """Finds the rows of files and stretches in a scan."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._numbers = {path: i for i, path in enumerate(store.paths)}
        self._order = np.argsort(store.path, kind="stable")
        counts = np.bincount(store.path, minlength=len(store.paths))
        self._ends = np.append(0, np.cumsum(counts))

    def rows(self, file: File) -> NDArray[np.float32] | None:
        """Return the rows of a file or stretch, None if there are none."""
        path = file.path if isinstance(file, Segment) else file
        number = self._numbers.get(path)
        if number is None:
            return None
        mine = self._order[self._ends[number] : self._ends[number + 1]]
        if isinstance(file, Segment):
            mine = mine[_within(self._store.times[mine], file)]
        return np.asarray(self._store.vectors[mine], np.float32) if len(mine) else None


def _within(times: NDArray[np.float64], stretch: Segment) -> NDArray[np.int64]:
    """Return which rows lie within a stretch, or the one that shares most of it; none if none does."""
    starts, ends = times[:, 0], times[:, 1]
    inside = (starts >= stretch.start_s - _NEAR_S) & (ends <= stretch.end_s + _NEAR_S)
    if inside.any():
        return np.flatnonzero(inside)
    shared = np.minimum(ends, stretch.end_s) - np.maximum(starts, stretch.start_s)
    return np.array([shared.argmax()] if shared.max(initial=0) > 0 else [], np.int64)


def _of_table(path: Path, folder: Path, column: str | None) -> Found:
    """Read a CSV, whose paths are the scan's, or lie in its folder."""
    known = _paths(folder)
    whole = {os.path.abspath(name): name for name in known}  # noqa: PTH100  # paths stay as they are given

    def named(name: str) -> str | None:
        return name if name in known else whole.get(os.path.abspath(path.parent / name))  # noqa: PTH100

    found = Found("a manifest")
    manifest.take(found, path, read_text(path), named, column)
    return found


def _paths(folder: Path) -> set[str]:
    """Return the paths that a scan has."""
    _, parquet = modules()
    names = set[str]()
    for path in tables(folder):
        with readable(path), parquet.ParquetFile(source_of(path), read_dictionary=["path"]) as file:
            for batch in file.iter_batches(columns=["path"]):  # a long file has a row per window
                names.update(batch[0].unique().to_pylist())
    return names


def _of_column(found: Found, folder: Path, column: str | None) -> None:
    """Take the labels of a column that the scan has kept."""
    columns = columns_of(folder)
    name = column or next((one for one in (_SEVERAL, "label") if one in columns), None)
    if name not in columns:
        got = f"{listed(columns)}{did_you_mean(name, columns)}" if columns and name else "none"
        raise SearchError(
            f"{folder}: expected a column {name or 'label'} that the scan has kept, got {got}; name a CSV "
            "with --labels, or scan a table that has the column"
        )
    found.several = name == _SEVERAL
    more = [one for one in ("group", "fold") if one in columns]
    groups, folds = list[str](), list[str]()
    _, parquet = modules()
    for path in tables(folder):
        check_interrupt()
        wanted = ["path", name, *more]
        with readable(path), parquet.ParquetFile(source_of(path)) as file:
            table = with_columns(file.read(columns=wanted), wanted).to_pydict()
        cells = zip(*table.values(), strict=True)
        for one, cell, *rest in dict.fromkeys(cells):
            texts = (cell or "").split(_BETWEEN) if found.several else [cell or ""]
            labels = list(dict.fromkeys(filter(None, map(str.strip, texts))))
            if not labels:  # nobody has labelled it
                continue
            held = dict(zip(more, rest, strict=True))
            if empty := [key for key in more if not held[key]]:  # else groups would be mixed
                found.leave_out(spelled(one), f"expected a value in the column {empty[0]}, got none")
                continue
            found.add(spelled(one), labels)
            groups.append(held.get("group", ""))
            folds.append(held.get("fold", ""))
    found.groups = groups if "group" in more else None
    found.folds = folds if "fold" in more else None
