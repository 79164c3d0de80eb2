"""Searches a million made-up embeddings: time per query looking at all, and by an index with its recall."""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from fastaudio.scanning.entries import Entry
from fastaudio.scanning.rows import FileRows
from fastaudio.scanning.schema import SCHEMA
from fastaudio.scanning.shards import Shards
from fastaudio.searching.neighbours import Neighbours
from fastaudio.searching.search import nearest
from fastaudio.searching.store import opened

PER_FILE = 1000


def embeddings(n_rows: int, width: int, seed: int) -> np.ndarray:
    """Return rows around 2,000 centres, as those of real sound lie in groups."""
    centres = np.random.default_rng(1).normal(size=(2000, width)).astype(np.float32)
    rng = np.random.default_rng(seed)
    rows = centres[rng.integers(0, len(centres), n_rows)]
    return rows + rng.normal(0, 0.7, rows.shape).astype(np.float32)


def main() -> None:
    """Write a scan's tables, search them, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--queries", type=int, default=20)
    parser.add_argument("--index", action="store_true", help="by an index too, which takes minutes to make")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fastaudio-search-"))
    about = {
        "schema": SCHEMA,
        "model": "",
        "card_sha256": "",
        "layer": "x",
        "labels": [],
        "width": args.width,
    }
    about |= {"hop_s": None, "windows": True, "half": True, "channel": None, "columns": []}
    try:
        shards = Shards(folder, about)
        for i in range(args.rows // PER_FILE):
            rows = embeddings(PER_FILE, args.width, 10 + i)
            times = np.stack([np.arange(PER_FILE), np.arange(1, PER_FILE + 1)], axis=1) * 1.0
            entry = Entry(f"{i}.wav", 1, "1")
            shards.write([[FileRows(entry, times, rows, np.zeros(PER_FILE, bool), PER_FILE)]])
        start = time.monotonic()
        store = opened(folder)
        print(f"{len(store)} embeddings of {args.width} gathered in {time.monotonic() - start:.1f} s")
        queries = embeddings(args.queries, args.width, 5)
        nearest(store, queries[0])
        start = time.monotonic()
        exact = [nearest(store, query) for query in queries]
        print(f"looking at all: {(time.monotonic() - start) / len(queries):.3f} s per query")
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"most memory {memory_mb:.0f} MB, with the mapped file")
        if args.index:
            start = time.monotonic()
            index = Neighbours(store, folder)
            print(f"index made in {time.monotonic() - start:.0f} s")
            start = time.monotonic()
            found = [index.nearest(query) for query in queries]
            print(f"by the index: {(time.monotonic() - start) / len(queries) * 1e3:.2f} ms per query")
            places = [[{(hit.path, hit.start_s) for hit in hits} for hits in way] for way in (exact, found)]
            same = [len(a & b) for a, b in zip(*places, strict=True)]
            print(f"recall at 20: {np.mean(same) / 20:.3f}")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
