"""About the nearest rows, by an index of usearch: for scans so large that looking at all takes too long."""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import check_interrupt
from fastaudio._system.extras import require
from fastaudio._system.growing import kept
from fastaudio._system.writing import full_disk
from fastaudio.searching.search import Hit, highest, hits, similarities
from fastaudio.searching.store import FOLDER, make_own

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from fastaudio.searching.store import Progress, Store

_ADDED = 1 << 14  # rows added to the index at once
_REST = 8  # the index is extended once more than 1 / 8 of the rows aren't in it
_PER_FILE = 16  # rows looked at for each file that is wanted
_OWN = re.compile(r"\.?[0-9a-f]{16}\.usearch")
_WAIT_S = 24 * 3600.0


class Neighbours:
    """An index over a scan's embeddings, kept beside them and mapped into memory.

    Rows that came after the index was made are looked at one by one, until they are an eighth of all: then
    they are added to it.
    """

    def __init__(self, store: Store, folder: Path, progress: Progress | None = None) -> None:
        """Open the index, or make or extend it, which takes minutes per million rows.

        Raises:
            MissingExtra: usearch isn't installed.
            OutputError: it can't be written.
        """
        index_module = require("usearch.index", extra="search", what="search --index")
        self._store = store
        home = folder / FOLDER / "index"
        path = home / f"{store.name}.usearch"

        def new() -> Any:
            return index_module.Index(ndim=store.vectors.shape[1], metric="cos", dtype="f16")

        self._index = self._fresh(new, path)
        if self._index is None:
            make_own(home)
            with kept(str(home / ".lock"), str(home), wait_s=_WAIT_S):
                self._index = self._fresh(new, path)
                if self._index is None:
                    _extend(new(), store, path, progress)
                    self._index = new()
                    self._index.view(str(path))
        self._n_in = min(len(self._index), len(store))

    def _fresh(self, new: Callable[[], Any], path: Path) -> Any:
        """Return the index if it has nearly all rows, else None."""
        if not path.is_file() or path.is_symlink() or path.parent.is_symlink():
            return None
        index = new()
        index.view(str(path))
        return index if (len(self._store) - len(index)) * _REST <= len(self._store) else None

    def nearest(self, vector: NDArray[np.float32], top: int = 20, *, per_file: bool = False) -> list[Hit]:
        """Return about the rows that are most like a vector, the best first; their scores are exact.

        With `per_file`, the best one of each file: more and more are looked at until there are enough.
        """
        wanted = top * _PER_FILE if per_file else top
        top = min(top, len(self._store.paths)) if per_file else top
        found = self._nearest(vector, wanted, top, per_file=per_file)
        while len(found) < top and wanted < len(self._store):
            wanted *= _PER_FILE
            found = self._nearest(vector, wanted, top, per_file=per_file)
        return found

    def _nearest(self, vector: NDArray[np.float32], wanted: int, top: int, *, per_file: bool) -> list[Hit]:
        """Return what is among the first `wanted` rows."""
        n_in = min(self._n_in, wanted)
        found = self._index.search(vector, n_in)
        rows = np.asarray(found.keys, np.int64)
        rows = rows[rows < len(self._store)]
        vectors = np.asarray(self._store.vectors[rows], np.float32)
        lengths = np.maximum(self._store.lengths[rows] * np.linalg.norm(vector), 1e-30)
        scores = (vectors @ vector) / lengths
        rest = similarities(self._store, vector, self._n_in)
        best = highest(rest, min(len(rest), wanted))
        rows, scores = np.append(rows, best + self._n_in), np.append(scores, rest[best])
        order = np.argsort(-scores, kind="stable")
        return hits(self._store, rows[order], scores[order], top, per_file=per_file)


def _extend(index: Any, store: Store, path: Path, progress: Progress | None) -> None:
    """Add the rows that an index on disk lacks, and put it in its place."""
    for old in path.parent.iterdir():
        if _OWN.fullmatch(old.name) and old != path:
            with suppress(OSError):
                old.unlink()
    if path.is_file() and not path.is_symlink():
        index.load(str(path))
    first = len(index)
    for start in range(first, len(store), _ADDED):
        check_interrupt()
        rows = np.asarray(store.vectors[start : start + _ADDED], np.float32)
        index.add(np.arange(start, start + len(rows)), rows)
        if progress is not None:
            progress(min(start + _ADDED, len(store)) - first, len(store) - first)
    new = path.with_name(f".{secrets.token_hex(8)}.usearch")
    try:
        with full_disk(str(path)):
            index.save(str(new))
            new.replace(path)
    finally:
        new.unlink(missing_ok=True)
