"""Rows of labelled clips, which a head learns from."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import Mean
from fastaudio.decoding.audio_file import AudioFile
from fastaudio.heads.results import Embedded, collect
from fastaudio.running.whole import run_file, run_many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fastaudio.heads.cache import EmbeddingCache
    from fastaudio.heads.data import Examples, Failed, Progress
    from fastaudio.pipeline import Pipeline
    from fastaudio.running.whole import Progress as Seconds


@dataclass(frozen=True)
class Rows:
    """Rows of labelled clips.

    Attributes:
        clips: the clips that gave rows.
        values: the rows, clip after clip [n_rows, n_values].
        clip: index of each row's clip [n_rows].
        failed: path and reason of each file that gave no rows.
        n_cached: how many clips' rows came from the cache.
    """

    clips: Examples
    values: NDArray[np.float32]
    clip: NDArray[np.int64]
    failed: Failed
    n_cached: int = 0

    def without(self, labels: Sequence[str]) -> Rows:
        """Return the same rows without labels that no clip has."""
        return replace(self, clips=self.clips.without(labels))

    @property
    def shares(self) -> NDArray[np.float64]:
        """Each row's share of its clip: 1 / the clip's number of rows."""
        counts = np.bincount(self.clip, minlength=len(self.clips.files))
        return 1.0 / counts[self.clip]

    def of_rows(self, of_clips: NDArray[Any]) -> NDArray[Any]:
        """Repeat what is given per clip for each of the clip's rows."""
        return of_clips[self.clip]

    def clip_means(self, scores: NDArray[np.float64], clips: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the mean score of each of the `clips`, given the scores of their rows in order."""
        sums = np.zeros((len(self.clips.files), scores.shape[1]))
        np.add.at(sums, self.clip[np.isin(self.clip, clips)], scores)
        counts = np.bincount(self.clip, minlength=len(sums))[:, None]
        means: NDArray[np.float64] = (sums / counts)[clips]
        return means


def read(
    pipeline: Pipeline,
    given: Examples,
    jobs: int | None,
    progress: Progress | None,
    *,
    cache: EmbeddingCache | None = None,
    average: bool = False,
) -> Rows:
    """Run an embedder over labelled files; those that give no row are left out and listed.

    Rows that the cache has aren't computed again, and new ones are kept. `average` gives one row per file.
    """
    n_cached = 0

    def take(embedded: Embedded) -> NDArray[np.float32]:
        nonlocal n_cached
        n_cached += embedded.cached
        return np.asarray(Mean()(embedded.rows)) if average else embedded.rows

    with closing(run_many(partial(_embed, pipeline, cache), given.files, jobs)) as results:
        clips, parts, failed = collect("heads.fit", given, results, progress, take)
    clip = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    values = np.empty((len(clip), parts[0].shape[1]), np.float32)
    start = len(values)
    while parts:  # each part is dropped once it is copied, so that there are never two of all
        part = parts.pop()
        values[start - len(part) : start] = part
        start -= len(part)
    return Rows(clips, values, clip, failed, n_cached)


def _embed(
    pipeline: Pipeline, cache: EmbeddingCache | None, path: str, *, progress: Seconds | None
) -> Embedded:
    """Return a file's rows, from the cache if it has them."""
    place = None if cache is None else cache.place(path)
    if cache is not None and (kept := cache.load(place)) is not None:
        return Embedded(kept, cached=True)
    with AudioFile(path) as file:
        with file.decode_errors():
            stream = pipeline.open(sample_rate=file.sample_rate, channels=file.channels)
        rows = np.asarray(run_file(stream, file, progress))
        whole = not file.truncated  # what is cut short is read each time, so that each run says so
    if cache is not None and whole and len(rows) and np.isfinite(rows).all():
        cache.keep(place, rows)
    return Embedded(rows)
