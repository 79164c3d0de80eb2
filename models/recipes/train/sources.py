"""Reads any labelled sound as notes: a manifest, tables of labels, or a published collection.

`fastaudio.labelled.read` knows their forms. What is learnt from is the first 2 s of each, mono at 16 kHz; a
shorter sound is followed by silence. The last fold is for the test, or without folds a fifth of the groups.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import fastaudio as fa
import numpy as np
import torch
from beginnings import beginnings, mono
from fastaudio import labelled
from fastaudio.labelled import cutting
from instruments import CLIP, FEATURE_MODEL, RATE_HZ, SPECTROGRAM, Batch, Notes, feature_branch
from numpy.typing import NDArray

TEST_PART = 5  # one group in so many


def read_labelled(
    source: Path, model: str = FEATURE_MODEL, progress: Callable[[int, int], None] | None = None
) -> Notes:
    """Return labelled sound as notes; its label stands for the family, its group for the program.

    Raises:
        ValueError: files have several labels, or none can be read; what can't is printed.
    """
    found = labelled.read(source)
    if found.several:
        raise ValueError(f"{source}: expected one label per file, got lists of labels; choose one for each")
    for place, reason in found.left_out:
        print(f"{place}: {reason}")
    spectrum, branch = fa.Spectrogram(**SPECTROGRAM), feature_branch(model)
    power, feature, kept = [], [], []
    for i, result in enumerate(beginnings(found.files, CLIP // RATE_HZ + 1)):
        if isinstance(result, Exception):
            print(result)
        else:
            samples = two_seconds(result)
            power.append(torch.from_numpy(spectrum(samples)))
            feature.append(torch.from_numpy(branch(samples)[0]))
            kept.append(i)
        if progress is not None:
            progress(i + 1, len(found.files))
    if not kept:
        raise ValueError(f"{source}: expected sound that can be read, got none")
    labels = [found.labels[i][0] for i in kept]
    families = sorted(set(labels))
    groups = numbers(found.groups or [str(file) for file in found.files])[kept]
    target = torch.tensor([families.index(label) for label in labels])
    batch = Batch(torch.stack(power), torch.stack(feature), target)
    return Notes(
        batch, families, groups, is_test(groups, [found.folds[i] for i in kept] if found.folds else None)
    )


def is_test(groups: torch.Tensor, folds: Sequence[str] | None) -> torch.Tensor:
    """Return which notes are for the test."""
    if folds is not None:
        name = "test" if "test" in folds else max(folds, key=lambda fold: (len(fold), fold))
        return torch.tensor([fold == name for fold in folds])
    return numbers(groups.tolist()) % TEST_PART == TEST_PART - 1


def numbers(names: Sequence[object]) -> torch.Tensor:
    """Return the same number for equal names, from 0."""
    known = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([known[name] for name in names])


def two_seconds(sound: cutting.Samples) -> NDArray[np.float32]:
    """Return 2 s of sound, mono at 16 kHz."""
    samples = mono(sound)[:CLIP]
    return np.pad(samples, (0, CLIP - len(samples))).astype(np.float32)
