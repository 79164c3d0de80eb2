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
from fastaudio.labelled.cutting import run_each, run_stretches
from fastaudio.running.whole import run_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fastaudio.heads.cache import EmbeddingCache
    from fastaudio.heads.data import Examples, Failed, Progress
    from fastaudio.labelled.segment import Segment
    from fastaudio.pipeline import Pipeline
    from fastaudio.running.stream import PipelineStream


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

    embed = partial(_embed, pipeline, cache), partial(_embed_stretches, pipeline, cache)
    with closing(run_each(*embed, given.files, jobs)) as results:
        clips, parts, failed = collect("heads.fit", given, results, progress, take)
    clip = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return Rows(clips, joined(parts), clip, failed, n_cached)


def held(
    pipeline: Pipeline,
    given: Examples,
    rows: Sequence[NDArray[Any]],
    progress: Progress | None,
    *,
    average: bool,
) -> Rows:
    """Take rows that an embedder gave earlier, those of each file, as `read` gives them.

    Raises:
        ValueError: there are rows of more or fewer files, of another width, or of no file.
    """
    if len(rows) != len(given.files):
        raise ValueError(f"heads.fit: expected rows for {len(given.files)} files, got {len(rows)}")
    (spec,) = pipeline.output_specs.values()
    whole = [np.asarray(part, np.float32) for part in rows]
    for file, part in zip(given.files, whole, strict=True):
        if part.ndim != 2 or part.shape[1] != spec.shape[0]:  # noqa: PLR2004
            raise ValueError(
                f"heads.fit: expected rows [n_rows, {spec.shape[0]}] of the embedder for {file!s:.200}, got "
                f"{list(part.shape)}"
            )

    def take(embedded: Embedded) -> NDArray[np.float32]:
        return np.asarray(Mean()(embedded.rows)) if average else embedded.rows

    clips, parts, failed = collect("heads.fit", given, map(Embedded, whole), progress, take)
    clip = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return Rows(clips, joined(parts), clip, failed)


def joined(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Put rows together; each part is dropped once it is copied, so that there are never two of all."""
    start = sum(map(len, parts))
    values = np.empty((start, parts[0].shape[1]), np.float32)
    while parts:
        part = parts.pop()
        values[start - len(part) : start] = part
        start -= len(part)
    return values


def _embed(pipeline: Pipeline, cache: EmbeddingCache | None, path: str) -> Embedded:
    """Return a file's rows, from the cache if it has them."""
    place = None if cache is None else cache.place(path)
    if cache is not None and (kept := cache.load(place)) is not None:
        return Embedded(kept, cached=True)
    with AudioFile(path) as file:
        with file.decode_errors():
            stream = pipeline.open(sample_rate=file.sample_rate, channels=file.channels)
        rows = np.asarray(run_file(stream, file, None))
        whole = not file.truncated  # what is cut short is read each time, so that each run says so
    if whole:
        keep(cache, place, rows)
    return Embedded(rows)


def _embed_stretches(
    pipeline: Pipeline, cache: EmbeddingCache | None, segments: Sequence[Segment]
) -> list[Embedded | Exception]:
    """Return the rows of stretches of one recording, of which the cache may have some."""
    places = [None if cache is None else cache.place(one) for one in segments]
    held = [None if cache is None else cache.load(place) for place in places]
    results: list[Any] = [None if rows is None else Embedded(rows, cached=True) for rows in held]
    missing = [i for i, rows in enumerate(held) if rows is None]
    if missing:
        found = run_stretches(stream_of(pipeline), [segments[i] for i in missing])
        for i, rows in zip(missing, found, strict=True):
            results[i] = rows if isinstance(rows, Exception) else Embedded(np.asarray(rows))
            if not isinstance(rows, Exception):
                keep(cache, places[i], results[i].rows)
    return results


def stream_of(pipeline: Pipeline) -> Callable[[Segment, int, int], PipelineStream]:
    """Return what opens a stream of a pipeline for a stretch, its sample rate and number of channels."""
    return lambda _, rate, channels: pipeline.open(sample_rate=rate, channels=channels)


def keep(cache: EmbeddingCache | None, place: Path | None, rows: NDArray[np.float32]) -> None:
    """Keep rows that are of use, if there is a cache."""
    if cache is not None and len(rows) and np.isfinite(rows).all():
        cache.keep(place, rows)
