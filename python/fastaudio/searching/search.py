"""The best rows of a scan: most like a vector, or with a label's highest scores. Exact, block by block."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import check_interrupt, did_you_mean
from fastaudio.scanning.shards import modules, readable, source_of, tables
from fastaudio.searching.store import SearchError, Store, about_scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_VALUES = 1 << 17  # numbers that fit a core's cache, once they are float32
_CHUNK = 1 << 16  # rows that a thread looks at before Ctrl-C is
_HALF = np.float32(2.0**112)
_HALF_BITS = np.int32(-0x70002000)  # 0x8fffe000: sign, exponent and fraction of a float16, moved up by 13


@dataclass(frozen=True)
class Hit:
    """A stretch that was found.

    Attributes:
        path: its file.
        start_s, end_s: where it is.
        score: cosine of the angle between the embeddings, or the label's score.
    """

    path: str
    start_s: float
    end_s: float
    score: float


def similarities(store: Store, vector: NDArray[np.float32], first: int = 0) -> NDArray[np.float32]:
    """Return the cosine between a vector and each row from `first` on, float32 [n_rows]; 0 for empty rows."""
    found = np.zeros(len(store) - first, np.float32)
    unit = (vector / max(float(np.linalg.norm(vector)), 1e-30)).astype(np.float32)
    block = max(1, _VALUES // max(1, store.vectors.shape[1]))
    n_threads = os.cpu_count() or 1
    chunk = min(_CHUNK, -(-len(found) // n_threads)) or 1
    starts = range(first, len(store), chunk)

    def look(start: int) -> None:
        _look(store, unit, slice(start, min(start + chunk, len(store))), block, found[start - first :])

    with ThreadPoolExecutor(n_threads) as threads:
        try:
            for _ in threads.map(look, starts):
                check_interrupt()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    return np.nan_to_num(found, copy=False, nan=-1.0)


def _look(store: Store, unit: NDArray[Any], rows: slice, block: int, found: NDArray[Any]) -> None:
    """Put the cosines of some rows into `found`, block by block, each as large as a cache."""
    half = store.vectors.dtype == np.float16
    bits = store.vectors.view(np.int16) if half else store.vectors
    wide = np.empty((block, bits.shape[1]), np.int32)
    # A float16's bits, moved up, are a float32 that is 2**112 times smaller: shifting is far quicker than
    # NumPy's conversion.
    unit = unit * _HALF if half else unit
    for start in range(rows.start, rows.stop, block):
        part = bits[start : min(start + block, rows.stop)]
        if half:
            moved = wide[: len(part)]
            np.copyto(moved, part)
            np.left_shift(moved, 13, out=moved)
            np.bitwise_and(moved, _HALF_BITS, out=moved)
            part = moved.view(np.float32)
        lengths = store.lengths[start : start + len(part)]
        place = found[start - rows.start :][: len(part)]
        np.divide(part @ unit, lengths, out=place, where=lengths > 0)


def nearest(store: Store, vector: NDArray[np.float32], top: int = 20, *, per_file: bool = False) -> list[Hit]:
    """Return the rows most like a vector, the best first; with `per_file`, the best one of each file."""
    found = similarities(store, vector)
    order = highest(found, len(found) if per_file else top)
    return hits(store, order, found[order], top, per_file=per_file)


def hits(store: Store, rows: NDArray[Any], scores: NDArray[Any], top: int, *, per_file: bool) -> list[Hit]:
    """Return rows as hits, at most `top`; with `per_file`, the first one of each file."""
    found: list[Hit] = []
    seen: set[int] = set()
    for row, score in zip(rows.tolist(), scores.tolist(), strict=True):
        number = int(store.path[row])
        if per_file and number in seen:
            continue
        seen.add(number)
        start_s, end_s = store.times[row].tolist()
        found.append(Hit(store.paths[number], start_s, end_s, score))
        if len(found) == top:
            break
    return found


def scored(folder: Path, n_labels: int) -> Iterator[tuple[Any, NDArray[np.float32], NDArray[np.bool_]]]:
    """Yield a scan of scores in pieces: the rows, their scores [n_rows, n_labels], and which are silent.

    Raises:
        ScanError: a table is damaged, or gone.
    """
    _, parquet = modules()
    for path in tables(folder):
        with readable(path), parquet.ParquetFile(source_of(path)) as file:
            for batch in file.iter_batches(columns=["path", "start_s", "end_s", "scores", "silent"]):
                check_interrupt()
                held = batch.filter(batch["start_s"].is_valid())
                scores = held["scores"].flatten().to_numpy(zero_copy_only=False).reshape(-1, n_labels)
                if len(scores):
                    yield held, scores, held["silent"].fill_null(False).to_numpy(zero_copy_only=False)


def best_of_label(folder: Path, label: str, top: int = 20, *, per_file: bool = False) -> list[Hit]:
    """Return a scan's rows with the highest scores of a label, the best first; silent ones are left out.

    Raises:
        ScanError: there is no scan.
        SearchError: it has no such label, or holds embeddings.
    """
    about = about_scan(folder)
    labels: list[str] = about["labels"]
    if not labels:
        raise SearchError(f"{folder}: expected scores of labels, got embeddings; scan again without --layer")
    if label not in labels:
        raise SearchError(
            f"{folder}: expected a label of the scan, got {label!r:.80}{did_you_mean(label, labels)}"
        )
    column = labels.index(label)
    found: list[Hit] = []
    for held, scores, silent in scored(folder, len(labels)):
        own = np.where(silent, -np.inf, scores[:, column])
        order = highest(own, len(own) if per_file else top)
        if per_file:  # the first row of each file only
            files = held["path"].dictionary_encode().indices.to_numpy(zero_copy_only=False)
            order = order[np.sort(np.unique(files[order], return_index=True)[1])]
        rows = held.select(["path", "start_s", "end_s"]).take(order)
        kept = zip(rows.to_pylist(), own[order].tolist(), strict=True)
        found += [Hit(**row, score=score) for row, score in kept if score > -np.inf]
        found = _first(found, top, per_file=per_file)
    return found


def _first(found: list[Hit], top: int, *, per_file: bool) -> list[Hit]:
    found = sorted(found, key=lambda hit: (-hit.score, hit.path, hit.start_s))
    if per_file:
        found = list({hit.path: hit for hit in reversed(found)}.values())[::-1]
        found.sort(key=lambda hit: (-hit.score, hit.path, hit.start_s))
    return found[:top]


def highest(scores: NDArray[Any], top: int) -> NDArray[Any]:
    """Return the numbers of the highest scores, the highest first, equal ones in their order."""
    if top >= len(scores):
        return np.argsort(-scores, kind="stable")
    limit = np.partition(scores, len(scores) - top)[len(scores) - top]
    rows = np.flatnonzero(scores >= limit)
    return rows[np.argsort(-scores[rows], kind="stable")][:top]
