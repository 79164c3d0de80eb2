"""Rows of labelled clips, as a head learns from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.heads.data import Examples, Failed, Progress, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio.pipeline import Pipeline


@dataclass(frozen=True)
class Rows:
    """Rows of labelled clips.

    Attributes:
        clips: those that gave rows.
        values: all rows, clip after clip [n_rows, n_values].
        clip: place of each row's clip [n_rows].
        failed: files that gave none: path and reason.
    """

    clips: Examples
    values: NDArray[np.float32]
    clip: NDArray[np.int64]
    failed: Failed

    @property
    def shares(self) -> NDArray[np.float64]:
        """What part of its clip each row is."""
        counts = np.bincount(self.clip, minlength=len(self.clips.files))
        return 1.0 / counts[self.clip]

    def of_rows(self, of_clips: NDArray[Any]) -> NDArray[Any]:
        """Return for each row what holds of its clip."""
        return of_clips[self.clip]

    def clip_means(self, scores: NDArray[np.float64], clips: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the mean of scores over the rows of each of some clips."""
        sums = np.zeros((len(self.clips.files), scores.shape[1]))
        np.add.at(sums, self.clip[np.isin(self.clip, clips)], scores)
        counts = np.bincount(self.clip, minlength=len(sums))[:, None]
        means: NDArray[np.float64] = (sums / counts)[clips]
        return means


def read(pipeline: Pipeline, asked: Examples, jobs: int | None, progress: Progress | None) -> Rows:
    """Run an embedder over labelled files; those that give no row are left out, and listed.

    Raises:
        ValueError: no file gives any.
    """
    parts: list[NDArray[np.float32]] = []
    kept, failed = [], []
    for file, result in rows_of(pipeline, asked.files, jobs, progress):
        kept.append(not isinstance(result, str))
        if isinstance(result, str):
            failed.append((file, result))
        else:
            parts.append(result)
    if not parts:
        raise ValueError(f"heads.fit: expected files that can be read, got none; {': '.join(failed[0])}")
    clip = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return Rows(asked.only(np.array(kept)), np.concatenate(parts), clip, tuple(failed))
