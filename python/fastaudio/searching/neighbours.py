"""About the nearest rows, by an index of usearch: for scans so large that looking at all takes too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import check_interrupt
from fastaudio._system.extras import require
from fastaudio._system.writing import writing
from fastaudio.searching.search import Hit, hits

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fastaudio.searching.store import Progress, Store

_ADDED = 1 << 14  # rows added to the index at once


class Neighbours:
    """An index over a scan's embeddings, kept beside them and mapped into memory."""

    def __init__(self, store: Store, folder: Path, progress: Progress | None = None) -> None:
        """Open the index, or make it, which takes minutes per million rows.

        Raises:
            MissingExtra: usearch isn't installed.
            OutputError: it can't be written.
        """
        index_module = require("usearch.index", extra="search", what="search --index")
        self._store = store
        path = folder / ".search" / f"{store.name}.usearch"
        self._index: Any = index_module.Index(ndim=store.vectors.shape[1], metric="cos", dtype="f16")
        if not path.is_file():
            for start in range(0, len(store), _ADDED):
                check_interrupt()
                rows = np.asarray(store.vectors[start : start + _ADDED], np.float32)
                self._index.add(np.arange(start, start + len(rows)), rows)
                if progress is not None:
                    progress(min(start + _ADDED, len(store)), len(store))
            with writing(path, force=True, follow=False) as out:
                out.write(self._index.save())
        self._index.view(str(path))

    def nearest(self, vector: NDArray[np.float32], top: int = 20, *, per_file: bool = False) -> list[Hit]:
        """Return about the rows that are most like a vector, the best first; their scores are exact."""
        found = self._index.search(vector, min(len(self._store), top * 16 if per_file else top))
        rows = np.asarray(found.keys, np.int64)
        vectors = np.asarray(self._store.vectors[rows], np.float32)
        lengths = np.maximum(self._store.lengths[rows] * np.linalg.norm(vector), 1e-30)
        scores = (vectors @ vector) / lengths
        order = np.argsort(-scores, kind="stable")
        return hits(self._store, rows[order], scores[order], top, per_file=per_file)
