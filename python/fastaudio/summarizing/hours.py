"""Adding up a scan: hours of sound per label, per day and per folder."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import check_interrupt, did_you_mean
from fastaudio._system.text import folder_and_name, listed
from fastaudio.reviewing.doubt import card_in, thresholds_in
from fastaudio.scanning.shards import columns_of, modules, readable, source_of, tables, with_columns
from fastaudio.searching.store import SearchError, about_scan
from fastaudio.summarizing.days import COLUMNS, UNKNOWN, Began, began

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

HOUR_S, MINUTE_S = 3600.0, 60.0

_ROWS = 1 << 14


@dataclass
class Group:
    """Files of a kind: all, those of a day, or those in a folder.

    Attributes:
        n_files: how many files there are; one of two days counts in both.
        n_failed: how many of them couldn't be run over.
        sound_s: seconds of sound.
        label_s: seconds in which each label's score reaches its threshold; a label never heard is left out.
    """

    n_files: int = 0
    n_failed: int = 0
    sound_s: float = 0.0
    label_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def most_heard(self) -> list[tuple[str, float]]:
        """Return the labels with their seconds, those heard longest first."""
        return sorted(self.label_s.items(), key=lambda pair: (-pair[1], pair[0]))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, in hours."""
        heard = {name: round(value_s / HOUR_S, 6) for name, value_s in self.most_heard()}
        return {
            "n_files": self.n_files,
            "n_failed": self.n_failed,
            "hours": round(self.sound_s / HOUR_S, 6),
            "labels": heard,
        }


@dataclass
class Summary:
    """What a scan heard.

    Attributes:
        whole: all of it.
        days: by the day on which sound was recorded, such as "2024-05-13", in order; "" if nothing says it.
        folders: by the folder of the files, in order.
        days_from: how many files' days come from what: their names, times of change, or a column.
        thresholds: from which score each label counts.
    """

    whole: Group = field(default_factory=Group)
    days: dict[str, Group] = field(default_factory=dict)
    folders: dict[str, Group] = field(default_factory=dict)
    days_from: Counter[str] = field(default_factory=Counter)
    thresholds: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, in hours."""
        return {
            **self.whole.to_dict(),
            "thresholds": self.thresholds,
            "days_from": dict(self.days_from),
            "days": {name: group.to_dict() for name, group in self.days.items()},
            "folders": {name: group.to_dict() for name, group in self.folders.items()},
        }


def summarize(
    folder: str | os.PathLike[str], *, min_score: float | None = None, day_column: str | None = None
) -> Summary:
    """Add up a scan.

    A label is heard in the windows in which its score reaches its threshold; where windows overlap, sound
    counts once. In a scan by file it is heard in all of a file whose mean score reaches it. Silent windows
    count for no label.

    Args:
        folder: a scan, of scores or embeddings; the latter has no labels.
        min_score: from which score all labels count; None for what the model's card says of each, or 0.5.
        day_column: the column of the scan that says when a file was recorded, ISO 8601; None takes one that
            is called recorded, started, datetime, timestamp, date or day, if there is one. A file without
            that has the day in its name, or else that of its last change, in this machine's time zone.

    Raises:
        ScanError: there is no scan.
        SearchError: it hasn't that column, or no scores for `min_score`.
    """
    folder = Path(folder)
    about = about_scan(folder)
    labels, columns = list[str](about["labels"]), columns_of(folder)
    if day_column is not None and day_column not in columns:
        raise SearchError(
            f"{folder}: expected a column that the scan has kept, got {day_column!r:.80}, not "
            f"{listed(columns) or 'one of none'}{did_you_mean(day_column, columns)}"
        )
    if min_score is not None and not labels:
        raise SearchError(f"{folder}: expected scores of labels for min_score, got embeddings; leave it out")
    column = day_column or next((name for name in COLUMNS if name in columns), None)
    least = thresholds_in(card_in(about), labels) if min_score is None else np.full(len(labels), min_score)
    made = Summary(thresholds=dict(zip(labels, least.tolist(), strict=True)))
    sums = _Sums(made, labels, column)
    for part in _files(folder, labels, column, least):
        check_interrupt()
        sums.take(part)
    sums.end()
    made.days = dict(sorted(made.days.items()))
    made.folders = dict(sorted(made.folders.items()))
    return made


@dataclass
class _Part:
    """Rows of one file that are next to each other in a table."""

    row: dict[str, Any]
    times: NDArray[np.float64]
    heard: NDArray[np.bool_]


def _files(folder: Path, labels: list[str], column: str | None, least: NDArray[Any]) -> Iterator[_Part]:
    """Yield the rows of file after file; those of a long one come in several parts."""
    _, parquet = modules()
    own = ["path", "version", "duration_s", "error", *([column] if column else [])]
    more = ["start_s", "end_s", *(["scores", "silent"] if labels else [])]
    for path in tables(folder):
        with readable(path), parquet.ParquetFile(source_of(path)) as file:
            for batch in file.iter_batches(_ROWS, columns=[*own, *more]):
                names = batch["path"].to_pylist()
                times = np.stack([batch[name].to_numpy(zero_copy_only=False) for name in more[:2]], axis=1)
                held = ~np.isnan(times[:, 0])
                heard = np.zeros((len(names), len(labels)), np.bool_)
                if labels:
                    scores = batch.filter(batch["start_s"].is_valid())["scores"].flatten()
                    loud = ~batch["silent"].fill_null(False).to_numpy(zero_copy_only=False)[held]
                    values = scores.to_numpy(zero_copy_only=False).reshape(-1, len(labels))
                    heard[held] = (values >= least.astype(np.float32)) & loud[:, np.newaxis]
                starts = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
                rows = with_columns(batch, own).take(np.array(starts, np.int64)).to_pylist()
                for row, start, end in zip(rows, starts, [*starts[1:], len(names)], strict=True):
                    inside = held[start:end]
                    yield _Part(row, times[start:end][inside], heard[start:end][inside])


class _Sums:
    """Takes file after file."""

    def __init__(self, made: Summary, labels: list[str], column: str | None) -> None:
        self._made, self._labels, self._column = made, labels, column
        self._days: defaultdict[str, Group] = defaultdict(Group)
        self._folders: defaultdict[str, Group] = defaultdict(Group)
        self._path: str | None = None
        self._began: Began | None = None
        self._until: NDArray[np.float64] = np.zeros(0)

    def take(self, part: _Part) -> None:
        """Take the next rows."""
        row = part.row
        folder = self._folders[_folder_of(row["path"])]
        if row["path"] != self._path:
            self._path = row["path"]
            self._until = np.zeros(len(self._labels))
            cell = None if self._column is None else row[self._column]
            self._began = began(row["path"], row["version"], cell, self._column)
            self._made.days_from[UNKNOWN if self._began is None else self._began.source] += 1
            self._count(row, folder)
        for k in np.flatnonzero(part.heard.any(axis=0)).tolist():
            self._add_label(k, part.times[part.heard[:, k]], folder)

    def end(self) -> None:
        """Hand over the groups."""
        self._made.days, self._made.folders = dict(self._days), dict(self._folders)

    def _count(self, row: dict[str, Any], folder: Group) -> None:
        failed, sound_s = row["error"] is not None, row["duration_s"] or 0.0
        for group in (self._made.whole, folder):
            group.n_files += 1
            group.n_failed += failed
            group.sound_s += sound_s
        for day, part_s in self._parts(0.0, sound_s) or self._parts(0.0, 1.0)[:1]:
            group = self._days[day]
            group.n_files += 1
            group.n_failed += failed
            group.sound_s += min(part_s, sound_s)

    def _add_label(self, k: int, times: NDArray[np.float64], folder: Group) -> None:
        """Add the time in which a label is heard, as far as it isn't counted yet."""
        name = self._labels[k]
        before = np.maximum.accumulate(np.append(self._until[k], times[:, 1]))
        starts = np.maximum(times[:, 0], before[:-1])
        lengths = np.maximum(times[:, 1] - starts, 0.0)
        self._until[k] = before[-1]
        total_s = float(lengths.sum())
        self._made.whole.label_s[name] += total_s
        folder.label_s[name] += total_s
        for start_s, length_s in self._joined(starts, lengths):
            for day, part_s in self._parts(start_s, length_s):
                self._days[day].label_s[name] += part_s

    def _joined(self, starts: NDArray[Any], lengths: NDArray[Any]) -> list[tuple[float, float]]:
        """Return stretches to share among days: all as one if the file lies within a day."""
        whole = [(float(starts[0]), float(lengths.sum()))]
        if self._began is None or not self._began.has_time:
            return whole
        ends = self._began.days(0.0, float(starts[-1] + lengths[-1]) or 1.0)
        return whole if len(ends) == 1 else [*zip(starts.tolist(), lengths.tolist(), strict=True)]

    def _parts(self, start_s: float, length_s: float) -> list[tuple[str, float]]:
        return [("", length_s)] if self._began is None else self._began.days(start_s, length_s)


def _folder_of(path: str) -> str:
    return folder_and_name(path)[0] or "."
