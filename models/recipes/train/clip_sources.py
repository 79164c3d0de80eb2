"""Reads any labelled sound as clips: a manifest, tables of labels, or a published collection.

`fastaudio.labelled.read` knows their forms; a clip may have several labels, or none of them. Folds that are
called train, validation (valid, val, dev) and test (eval) are the splits; where there is no validation, or no
test, a fifth of the groups to train on is. Of other folds the last is the test and the one before it the
validation; without folds, a fifth of the groups is each. What is beyond ten minutes of a clip is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from beginnings import beginnings, mono
from fastaudio import labelled
from fastaudio.labelled.segment import Segment
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
        results = beginnings(found.files, LONGEST_S)
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
