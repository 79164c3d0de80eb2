"""Searches a million embeddings: time per query looking at all, and by an index with its recall; memory.

The embeddings are those of real sound, mixed: aisfx (512 numbers) hears windows of the clips of --clips, each
alone, louder or softer, with another clip, and with noise. These are a few thousand; each row of the million
lies between one of them and one of its 32 nearest, with a twentieth of its length as noise. Queries are made
the same way, and aren't among the rows.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import soundfile
from fastaudio.decoding.folders import find_audio
from fastaudio.scanning.entries import Entry
from fastaudio.scanning.rows import FileRows
from fastaudio.scanning.schema import SCHEMA
from fastaudio.scanning.shards import Shards
from fastaudio.searching.neighbours import Neighbours
from fastaudio.searching.search import nearest
from fastaudio.searching.store import opened

if TYPE_CHECKING:
    from fastaudio.searching.store import Store

PER_FILE = 1000
WIDTH = 512
WINDOW_S, RATE_HZ = 2.4, 22_050
NEAR = 32


def heard(clips: Path, n_rows: int) -> np.ndarray:
    """Return embeddings of windows of clips, alone, mixed and with noise, [n_rows, WIDTH]."""
    length = round(WINDOW_S * RATE_HZ)
    sounds = []
    for path in find_audio(clips).files:
        try:
            samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            continue
        at = np.arange(0, len(samples) / rate_hz, 1 / RATE_HZ)
        own = np.interp(at, np.arange(len(samples)) / rate_hz, samples.mean(axis=1))
        if len(own) > length:
            sounds.append(own.astype(np.float32))
    rng = np.random.default_rng(1)

    def window() -> np.ndarray:
        sound = sounds[rng.integers(len(sounds))]
        start = rng.integers(len(sound) - length)
        return sound[start : start + length] * np.float32(10 ** rng.uniform(-1, 0))

    pipeline = fa.Pipeline.load("aisfx")
    rows = np.empty((n_rows, WIDTH), np.float32)
    for i in range(n_rows):
        samples = window() + (window() if i % 3 == 1 else 0)
        if i % 3 == 0:
            samples = samples + rng.normal(0, 10 ** rng.uniform(-3, -1), length).astype(np.float32)
        rows[i] = np.asarray(pipeline(np.clip(samples, -1, 1).astype(np.float32), sample_rate=RATE_HZ))[0]
    return rows


class Made:
    """Makes rows between real embeddings that are near each other."""

    def __init__(self, real: np.ndarray) -> None:
        unit = real / np.maximum(np.linalg.norm(real, axis=1, keepdims=True), 1e-9)
        likeness = unit @ unit.T
        np.fill_diagonal(likeness, -1)
        self._real, self._near = real, np.argpartition(-likeness, NEAR, axis=1)[:, :NEAR]

    def rows(self, n_rows: int, seed: int) -> np.ndarray:
        """Return rows [n_rows, WIDTH]."""
        rng = np.random.default_rng(seed)
        first = rng.integers(0, len(self._real), n_rows)
        second = self._near[first, rng.integers(0, NEAR, n_rows)]
        share = rng.random((n_rows, 1), np.float32)
        rows = self._real[first] * share + self._real[second] * (1 - share)
        noise = rng.normal(size=rows.shape).astype(np.float32) / np.sqrt(np.float32(WIDTH))
        return rows + 0.05 * noise * np.linalg.norm(rows, axis=1, keepdims=True)


def write(folder: Path, made: Made, n_rows: int, *, half: bool) -> None:
    """Write a scan's tables."""
    about = {"schema": SCHEMA, "model": "aisfx", "card_sha256": "", "layer": "embedding", "labels": []}
    about |= {"width": WIDTH, "hop_s": None, "windows": True, "half": half, "channel": None, "columns": []}
    shards = Shards(folder, about)
    times = np.stack([np.arange(PER_FILE), np.arange(1, PER_FILE + 1)], axis=1) * 1.0
    silent = np.zeros(PER_FILE, bool)
    files = n_rows // PER_FILE
    for start in range(0, files, 20):
        pieces = [
            FileRows(Entry(f"{i}.wav", 1, "1"), times, made.rows(PER_FILE, 10 + i), silent, PER_FILE)
            for i in range(start, min(start + 20, files))
        ]
        shards.write([pieces])


def look(store: Store, queries: np.ndarray) -> list[list[tuple[str, float]]]:
    """Print how long looking at all rows takes, and how long reading them alone does."""
    vectors = store.vectors.view(np.uint64)
    vectors.max()  # into memory
    start = time.monotonic()
    vectors.max()
    read_s = time.monotonic() - start
    took, found = [], []
    before_s = time.process_time()
    for query in queries:
        start = time.monotonic()
        hits = nearest(store, query)
        took.append(time.monotonic() - start)
        found.append([(hit.path, hit.start_s) for hit in hits])
    cpu_s = (time.process_time() - before_s) / len(queries)
    size_gb = store.vectors.nbytes / 1e9
    print(
        f"looking at all: {np.median(took):.3f} s per query, median of {len(took)}, the fastest "
        f"{min(took):.3f} s, {cpu_s:.3f} processor seconds; "
        f"reading the {size_gb:.2f} GB once, in one thread: {read_s:.3f} s"
    )
    return found


def main() -> None:
    """Write a scan's tables, search them, and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=Path, default=Path(__file__).parent.parent / "examples")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--real", type=int, default=2000, help="embeddings of real sound (%(default)s)")
    parser.add_argument("--queries", type=int, default=30)
    parser.add_argument("--full", action="store_true", help="float32, not float16")
    parser.add_argument("--index", action="store_true", help="by an index too, which takes minutes to make")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fastaudio-search-"))
    try:
        made = Made(heard(args.clips, args.real))
        write(folder, made, args.rows, half=not args.full)
        start = time.monotonic()
        store = opened(folder)
        kind = "float32" if args.full else "float16"
        print(
            f"{len(store)} embeddings of {WIDTH} {kind} gathered in {time.monotonic() - start:.1f} s; "
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        )
        start = time.monotonic()
        opened(folder)
        print(f"opened again in {time.monotonic() - start:.3f} s")
        queries = made.rows(args.queries, 5)
        exact = look(store, queries)
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"most memory {memory_mb:.0f} MB, with the mapped file")
        if args.index:
            start, before_s = time.monotonic(), time.process_time()
            index = Neighbours(store, folder)
            cpu_s = time.process_time() - before_s
            (path,) = (folder / ".search" / "index").glob("*.usearch")
            print(
                f"index made in {time.monotonic() - start:.0f} s ({cpu_s:.0f} processor seconds), "
                f"{path.stat().st_size / 1e9:.2f} GB"
            )
            index.nearest(queries[0])
            took, found = [], []
            for query in queries:
                start = time.monotonic()
                hits = index.nearest(query)
                took.append(time.monotonic() - start)
                found.append([(hit.path, hit.start_s) for hit in hits])
            print(f"by the index: {np.median(took) * 1e3:.2f} ms per query (median of {len(took)})")
            same = [len(set(a) & set(b)) for a, b in zip(exact, found, strict=True)]
            print(f"recall at 20: {np.mean(same) / 20:.3f}")
            memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"most memory {memory_mb:.0f} MB, with making the index")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
