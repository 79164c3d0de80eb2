"""Reads clips with labels, and their pre-trained feature, for the five methods at full size.

A folder of them holds `manifest.csv` with the columns file, split (train, validation or test) and labels,
which are separated by semicolons. Other labelled sound is read as `clip_sources` says.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import fastaudio as fa
import numpy as np
import torch
from clip_sources import Sound, sounds
from fastaudio.heads.cache import EmbeddingCache
from informed import Feature
from instruments import MANIFEST, read_manifest
from numpy.typing import NDArray
from torch import Tensor

RATE_HZ = 16_000
WINDOW = 5 * RATE_HZ  # samples
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Clip:
    """Samples at 16 kHz, at least a window of them, and rows of the feature over the same time."""

    samples: Tensor
    feature: Tensor
    truth: Tensor
    split: str


@dataclass(frozen=True)
class Batch:
    """Windows of clips: samples [n, 80,000], feature rows [n, any, size], truth [n, labels]."""

    samples: Tensor
    feature: Tensor
    truth: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Return the same on a device."""
        return Batch(self.samples.to(device), self.feature.to(device), self.truth.to(device))


class Clips:
    """Clips of a folder, in memory: 0.64 MB for 10 s."""

    def __init__(self, clips: Sequence[Clip], labels: Sequence[str], feature: Feature) -> None:
        self.clips, self.labels, self.feature = list(clips), list(labels), feature
        self.rows = max(1, round(feature.rate_hz * WINDOW / RATE_HZ))

    def of(self, split: str) -> list[int]:
        """Return the indices of a split's clips."""
        return [i for i, clip in enumerate(self.clips) if clip.split == split]

    def truth(self, chosen: Sequence[int]) -> NDArray[np.bool_]:
        """Return which labels these clips have [n, labels]."""
        return torch.stack([self.clips[i].truth for i in chosen]).numpy() > 0

    def windows(self, chosen: Sequence[int], starts: Sequence[int]) -> Batch:
        """Return a window of each of these clips, which begins at that sample."""
        parts = [self._window(self.clips[i], start) for i, start in zip(chosen, starts, strict=True)]
        samples, feature = (torch.stack(part) for part in zip(*parts, strict=True))
        return Batch(samples, feature, torch.stack([self.clips[i].truth for i in chosen]))

    def random(self, chosen: Sequence[int]) -> Batch:
        """Return a window from a random place of each of these clips."""
        lengths = [len(self.clips[i].samples) - WINDOW for i in chosen]
        return self.windows(chosen, [int(torch.randint(most + 1, ())) for most in lengths])

    def spread(self, clip: int, n: int) -> Batch:
        """Return `n` windows of one clip, at equal steps from its beginning."""
        step = (len(self.clips[clip].samples) - WINDOW) // n
        return self.windows([clip] * n, [k * step for k in range(n)])

    def _window(self, clip: Clip, start: int) -> tuple[Tensor, Tensor]:
        first = int(start / RATE_HZ * self.feature.rate_hz)
        at = (first + torch.arange(self.rows)).clamp(max=len(clip.feature) - 1)
        return clip.samples[start : start + WINDOW], clip.feature[at]


def read_clips(
    folder: Path,
    feature: Feature,
    embedder: fa.Pipeline | None,
    progress: Callable[[int, int], None] | None = None,
    *,
    kept: EmbeddingCache | None = None,
) -> Clips:
    """Read a folder or other labelled sound; clips shorter than a window are filled up with zeros.

    Without an embedder the feature is zeros. Rows of whole files that `kept` has aren't computed again, and
    new ones go there.

    Raises:
        ValueError: a split isn't known or is empty, a clip has no label, or the embedder gives other rows.
    """
    n_sounds, found_sounds = (_of_folder if is_folder(folder) else sounds)(folder)
    clips, names = [], list[Sequence[str]]()
    for i, sound in enumerate(found_sounds):
        padded = np.pad(sound.samples, (0, max(0, WINDOW - len(sound.samples)))).astype(np.float32)
        found = rows_of(sound, embedder, kept) if embedder else np.zeros((1, feature.size), np.float32)
        if found.ndim != 2 or found.shape[1] != feature.size or not len(found):  # noqa: PLR2004
            raise ValueError(
                f"{sound.path or folder}: expected rows [n, {feature.size}] of {feature.name}, "
                f"got {found.shape}"
            )
        clips.append(Clip(torch.from_numpy(padded), torch.from_numpy(found), torch.empty(0), sound.split))
        names.append(sound.labels)
        if progress is not None:
            progress(i + 1, n_sounds)
    labels = sorted({label for own in names for label in own})
    truths = (torch.tensor([float(label in own) for label in labels]) for own in names)
    clips = [replace(clip, truth=truth) for clip, truth in zip(clips, truths, strict=True)]
    found_splits = {clip.split for clip in clips}
    if missing := [split for split in SPLITS if split not in found_splits]:
        raise ValueError(f"{folder}: expected clips of each split, got none of {', '.join(missing)}")
    return Clips(clips, labels, feature)


def rows_of(sound: Sound, embedder: fa.Pipeline, kept: EmbeddingCache | None) -> NDArray[np.float32]:
    """Return the feature of a sound."""
    if not sound.path:  # a stretch of a file
        return np.asarray(embedder(sound.samples, sample_rate=RATE_HZ), dtype=np.float32)
    place = kept.place(sound.path) if kept else None
    found = kept.load(place) if kept else None
    if found is None:
        found = np.asarray(embedder(sound.path), dtype=np.float32)
        if kept:
            kept.keep(place, found)
    return found


def is_folder(folder: Path) -> bool:
    """Tell whether a folder has a manifest of this form."""
    return (folder / MANIFEST).is_file() and {"file", "split", "labels"} <= set(read_manifest(folder)[0])


def _of_folder(folder: Path) -> tuple[int, Iterator[Sound]]:
    rows = read_manifest(folder)

    def each() -> Iterator[Sound]:
        whole = fa.Pipeline(fa.Resample(input_rate=RATE_HZ, output_rate=RATE_HZ))
        for row in rows:
            if row["split"] not in SPLITS or not names_of(row):
                wanted = f"labels and a split of {', '.join(SPLITS)}"
                raise ValueError(f"{row['file']}: expected {wanted}, got {row}")
            path = str(folder / row["file"])
            yield Sound(np.asarray(whole(path)), names_of(row), row["split"], path)

    return len(rows), each()


def names_of(row: dict[str, str]) -> list[str]:
    """Return a clip's labels."""
    return [name.strip() for name in row["labels"].split(";") if name.strip()]
