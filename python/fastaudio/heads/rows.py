"""Rows of labelled clips, which a head learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.heads.data import Examples, Failed, Progress, results_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio.pipeline import Pipeline


@dataclass(frozen=True)
class Rows:
    """Rows of labelled clips.

    Attributes:
        clips: the clips that gave rows.
        values: the rows, clip after clip [n_rows, n_values].
        clip: index of each row's clip [n_rows].
        failed: path and reason of each file that gave no rows.
    """

    clips: Examples
    values: NDArray[np.float32]
    clip: NDArray[np.int64]
    failed: Failed

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


def read(pipeline: Pipeline, given: Examples, jobs: int | None, progress: Progress | None) -> Rows:
    """Run an embedder over labelled files; those that give no row are left out and listed."""
    clips, parts, failed = results_of("heads.fit", pipeline, given, jobs, progress)
    clip = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return Rows(clips, np.concatenate(parts), clip, failed)
