"""Reads any labelled sound as clips: a manifest, tables of labels, or a published collection.

`fastaudio.labelled.read` knows their forms; a clip may have several labels, or none of them. Folds that are
called train, validation (valid, val, dev) and test (eval) are the splits; where there is no validation, or no
test, a fifth of the groups to train on is. Of other folds the last is the test and the one before it the
validation; without folds, a fifth of the groups is each. What is beyond ten minutes of a clip is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import fastaudio as fa
import numpy as np
from fastaudio import labelled
from fastaudio.decoding.audio_file import AudioFile
from fastaudio.labelled import cutting
from fastaudio.labelled.segment import Segment
from instruments import RATE_HZ
from numpy.typing import NDArray

LONGEST_S = 600  # what is beyond is left out
PARTS = 5
SPLIT_OF = {"train": "train", "test": "test", "eval": "test"} | dict.fromkeys(
    ("validation", "valid", "val", "dev"), "validation"
)


@dataclass(frozen=True)
class Sound:
    """A clip's samples, mono at 16 kHz, its labels and its split; and its file, if it is a whole one."""

    samples: NDArray[np.float32]
    labels: Sequence[str]
    split: str
    path: str | None = None


def sounds(source: Path) -> tuple[int, Iterator[Sound]]:
    """Return how many clips there are, and what gives each; what can't be read is printed.

    Raises:
        ValueError: there is no labelled sound.
    """
    found = labelled.read(source)
    for place, reason in found.left_out:
        print(f"{place}: {reason}")
    groups = found.groups or [file.path if isinstance(file, Segment) else file for file in found.files]
    splits = splits_of(found.folds, groups)

    def each() -> Iterator[Sound]:
        results = cutting.run_each(_whole, _stretches, found.files, 1)
        for file, result, labels, split in zip(found.files, results, found.labels, splits, strict=True):
            samples = np.zeros(0) if isinstance(result, Exception) else mono(result)
            if len(samples):
                yield Sound(samples, labels, split, None if isinstance(file, Segment) else str(file))
            else:
                print(result if isinstance(result, Exception) else f"{file}: expected sound, got none")

    return len(found.files), each()


def splits_of(folds: Sequence[str] | None, groups: Sequence[str]) -> list[str]:
    """Return the split of each clip; a group is in one, unless its folds differ."""
    names = sorted(set(folds or ()), key=lambda fold: (len(fold), fold))
    if folds is None or set(map(str.lower, names)) <= SPLIT_OF.keys():
        splits = ["train"] * len(groups) if folds is None else [SPLIT_OF[fold.lower()] for fold in folds]
        learnt = dict.fromkeys(group for group, split in zip(groups, splits, strict=True) if split == "train")
        number = {group: i % PARTS for i, group in enumerate(learnt)}
        for part, split in enumerate(("validation", "test"), start=PARTS - 2):
            if split not in splits:
                of_train = zip(groups, splits, strict=True)
                splits = [
                    split if own == "train" and number[group] == part else own for group, own in of_train
                ]
        return splits
    own = dict(zip(names[-2:], ("validation", "test")[-len(names) :], strict=True))
    return [own.get(fold, "train") for fold in folds]


def mono(sound: cutting.Samples) -> NDArray[np.float32]:
    """Return the mean of the channels at 16 kHz."""
    samples = sound.values.mean(axis=1, dtype=np.float32)
    if sound.sample_rate == RATE_HZ or not len(samples):
        return samples
    return np.asarray(fa.Resample(input_rate=sound.sample_rate, output_rate=RATE_HZ)(samples))


def _sink(_: Segment, sample_rate: int, channels: int) -> cutting.Samples:
    return cutting.Samples(sample_rate, channels, most=LONGEST_S * sample_rate)


def _stretches(segments: Sequence[Segment]) -> Sequence[object]:
    return cutting.run_stretches(_sink, segments)


def _whole(path: str) -> cutting.Samples:
    with AudioFile(path) as file:
        sink = _sink(Segment(path, 0, 1), file.sample_rate, file.channels)
        for block in file.blocks():
            sink.feed(block)
            if file.samples_read >= sink.most:
                break
    return sink
