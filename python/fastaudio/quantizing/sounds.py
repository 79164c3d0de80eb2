"""The sounds of a folder: one half to calibrate with, the other to find the differences of scores."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastaudio._core import FastaudioError, check_interrupt
from fastaudio.decoding.audio_file import AudioFile
from fastaudio.decoding.folders import find_audio
from fastaudio.quantizing.refusing import QuantizeError
from fastaudio.running.adapt import SILENCE_DB
from fastaudio.tags import Tags

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastaudio.pipeline import Pipeline


@dataclass(frozen=True)
class Sounds:
    """Sound files, and what the pipeline gives for those that were held out.

    Attributes:
        calibrating: files to calibrate with.
        scores: for each file that was held out, its clip's scores, [n_labels].
        failed: why each other file was left out, by path.
    """

    calibrating: list[str]
    scores: dict[str, NDArray[np.float32]]
    failed: dict[str, str]

    def difference(self, pipeline: Pipeline) -> float:
        """Return the largest difference of a clip's scores over all files that were held out."""
        worst = 0.0
        for file, wanted in self.scores.items():
            got = clip_scores(pipeline, file)
            worst = max(
                worst, float(np.abs(got - wanted).max(initial=0)) if np.isfinite(got).all() else np.inf
            )
        return worst


def clip_scores(pipeline: Pipeline, file: str) -> NDArray[np.float32]:
    """Return the scores of a file as a whole, the means over its windows."""
    tags = pipeline(file)
    if not isinstance(tags, Tags):
        raise QuantizeError(
            f"quantize: expected a pipeline that ends in Tags, got one that gives {type(tags).__name__}; "
            "the bound is one of scores, so add Tags"
        )
    return tags.mean()


def _scores(pipeline: Pipeline, file: str, first_with: dict[bytes, str]) -> NDArray[np.float32] | str:
    """Return a file's scores, or why it tells nothing; `first_with` has the files so far by their samples."""
    samples = _heard(file)
    if samples is None:
        return "expected sound, got silence"
    if (first := first_with.setdefault(samples, file)) != file:
        return f"expected other sound than the files before, got that of {first}"
    found = clip_scores(pipeline, file)
    return found if np.isfinite(found).all() else "expected sound for a window or more, got less"


def _heard(file: str) -> bytes | None:
    """Return a hash of a file's samples; None if all are silent."""
    digest, peak = hashlib.sha256(), 0.0
    with AudioFile(file) as sound:
        digest.update(f"{sound.sample_rate} {sound.channels}".encode())
        for block in sound.blocks():
            check_interrupt()
            values = np.ascontiguousarray(block, dtype=np.float32)
            peak = max(peak, float(np.abs(values).max(initial=0)))
            digest.update(values.tobytes())
    return digest.digest() if peak > 10 ** (SILENCE_DB / 20) else None


def split(
    pipeline: Pipeline, folder: str | os.PathLike[str], step: Callable[[int], None] | None = None
) -> Sounds:
    """Share a folder's files out in the order of their paths: the first to calibrate, the second held out.

    Files are left out that can't be read, are too short for a window, are silent, or hold the samples of one
    before them: a bound that holds over such sounds says nothing.

    Args:
        pipeline: what gives the scores.
        folder: it is searched with the folders below it.
        step: called after each file, with their number.

    Raises:
        QuantizeError: there are fewer than two files that give scores and differ.
    """
    if not Path(folder).is_dir():
        raise QuantizeError(f"{folder}: expected a folder of sounds to calibrate with, got no folder")
    files = find_audio(folder).files
    scores: dict[str, NDArray[np.float32]] = {}
    failed: dict[str, str] = {}
    first_with: dict[bytes, str] = {}
    for file in files:
        try:
            found = _scores(pipeline, file, first_with)
        except QuantizeError:
            raise
        except FastaudioError as error:
            failed[file] = str(error)
        else:
            if isinstance(found, str):
                failed[file] = f"{file}: {found}"
            else:
                scores[file] = found
        if step is not None:
            step(len(files))
    usable = list(scores)
    if len(usable) < 2:  # noqa: PLR2004  # one to calibrate with, one held out
        raise QuantizeError(
            f"{folder}: expected two different sounds or more, one half to calibrate with and one held out, "
            f"got {len(usable)} and {len(failed)} left out; add some like those that the model is for",
            failed,
        )
    return Sounds(usable[::2], {file: scores[file] for file in usable[1::2]}, failed)
