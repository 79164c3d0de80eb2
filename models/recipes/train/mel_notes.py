"""Reads notes as mel spectra, which are quick to train on, with their tags and MFCC statistics."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import fastaudio as fa
import numpy as np
import torch
from instruments import RATE_HZ, Batch, Notes, read_manifest, read_samples
from tag_words import PADDING, Vocabulary, words_of
from torch import Tensor, nn
from transfer import mfcc_statistics

SIDE = 64  # 64 bands, and 64 frames of 31.25 ms, which is 2 s
RANGE_DB = 80.0


def mel_spectrum() -> fa.Node:
    """Return the node that gives the power in 64 bands every 31.25 ms."""
    return fa.MelSpectrogram(sample_rate=RATE_HZ, n_fft=1024, hop_length=500, n_mels=SIDE, f_min=50)


def front() -> fa.Node:
    """Return the node that gives what exported networks take: windows of 2 s in dB [n, 64, 64]."""
    return mel_spectrum() >> fa.Log(kind="dB") >> fa.Patches(length=SIDE)


class Relative(nn.Module):
    """Decibels [n, frames, bands] from 0, 80 dB below a window's loudest value, to 1; loudness is lost."""

    def forward(self, decibels: Tensor) -> Tensor:
        """Return values of the same shape."""
        below = decibels - decibels.amax(dim=(1, 2), keepdim=True)
        return (below / RANGE_DB + 1).clamp_min(0)


def decibels(power: Tensor) -> Tensor:
    """Return what `front` makes of the power."""
    return 10 * power.clamp_min(1e-10).log10()


@dataclass(frozen=True)
class TaggedBatch(Batch):
    """Notes as mel power [n, 64, 64], MFCC statistics as their feature, and ids of their tags."""

    words: Tensor
    """Ids [n, t], 0 for none."""

    def __getitem__(self, rows: Tensor) -> "TaggedBatch":
        return TaggedBatch(self.power[rows], self.feature[rows], self.target[rows], self.words[rows])


def read_mel_notes(
    folder: Path, progress: Callable[[int, int], None] | None = None
) -> tuple[Notes, Vocabulary]:
    """Read a folder of notes and the words of its training programs, which takes seconds for a thousand."""
    rows = read_manifest(folder)
    vocabulary = Vocabulary([row for row in rows if row["split"] == "train"])
    ids = [vocabulary.ids(words_of(row)) for row in rows]
    longest = max(map(len, ids))
    words = torch.tensor([[*row, *[PADDING] * (longest - len(row))] for row in ids])
    mel, cepstrum = mel_spectrum(), mfcc_statistics()
    power, feature = [], []
    for i, row in enumerate(rows):
        samples = read_samples(folder / row["file"])
        power.append(mel(samples)[:SIDE])
        feature.append(cepstrum(samples).ravel())
        if progress is not None:
            progress(i + 1, len(rows))
    families = sorted({row["family"] for row in rows})
    target = torch.tensor([families.index(row["family"]) for row in rows])
    parts = (torch.from_numpy(np.stack(part)) for part in (power, feature))
    batch = TaggedBatch(*parts, target=target, words=words)
    program = torch.tensor([int(row["gm_program"]) for row in rows])
    is_test = torch.tensor([row["split"] == "test" for row in rows])
    return Notes(batch, families, program, is_test), vocabulary
