"""Reads the notes that a method learns from; fastaudio computes once what networks see of each.

A folder of them holds `manifest.csv` with the columns file, split (train or test), family (the label)
and gm_program (the instrument; no program is in both splits).
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import fastaudio as fa
import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor

RATE_HZ = 16_000
CLIP = 2 * RATE_HZ  # samples
SPECTROGRAM = {"sample_rate": RATE_HZ, "n_fft": 512, "hop_length": 256, "pad_mode": "reflect"}
FEATURE_MODEL = "musicnn-mtt"
MANIFEST = "manifest.csv"
COLUMNS = {"file", "split", "family", "gm_program"}


@dataclass(frozen=True)
class Batch:
    """Notes as a method's loss and forward take them."""

    power: Tensor
    """Power spectrum [n, frames, 257], as HarmonicSpectrogram sees it."""
    feature: Tensor
    """Pre-trained feature of the whole note [n, 200]."""
    target: Tensor
    """Index of the family [n]."""

    def __len__(self) -> int:
        return len(self.target)

    def __getitem__(self, rows: Tensor) -> "Batch":
        return Batch(self.power[rows], self.feature[rows], self.target[rows])

    def to(self, device: torch.device) -> "Batch":
        """Return the same notes on a device."""
        return Batch(self.power.to(device), self.feature.to(device), self.target.to(device))

    def with_power(self, power: Tensor) -> "Batch":
        """Return the same notes with another spectrum."""
        return replace(self, power=power)


@dataclass(frozen=True)
class Notes:
    """All notes of a folder, in the manifest's order."""

    batch: Batch
    families: list[str]
    program: Tensor
    """General MIDI program of each note [n]."""
    is_test: Tensor

    def split(self, fold: int | None = None) -> tuple[Tensor, Tensor]:
        """Return the rows to learn from and those to score on.

        Without a fold these are the folder's own. With one, the test notes stay out altogether: one
        training program of each family, the fold-th, is held out in their place.
        """
        if fold is None:
            return torch.nonzero(~self.is_test)[:, 0], torch.nonzero(self.is_test)[:, 0]
        held_out = torch.zeros_like(self.is_test)
        for family in range(len(self.families)):
            of_family = (self.batch.target == family) & ~self.is_test
            programs = self.program[of_family].unique()  # sorted
            held_out |= of_family & (self.program == programs[fold % len(programs)])
        return torch.nonzero(~held_out & ~self.is_test)[:, 0], torch.nonzero(held_out)[:, 0]

    def sample(self, rows: Tensor, fraction: float, seed: int) -> Tensor:
        """Draw a share of each family's rows; with one seed the smaller share is in the larger."""
        generator = torch.Generator().manual_seed(seed)
        parts = []
        for family in range(len(self.families)):
            own = rows[self.batch.target[rows] == family]
            own = own[torch.randperm(len(own), generator=generator)]
            parts.append(own[: max(1, round(fraction * len(own)))])
        return torch.cat(parts)


def feature_branch(model: str = FEATURE_MODEL) -> fa.Node:
    """Return the node that gives MusiCNN's penultimate layer for each window of 2 s of samples."""
    folder = Path(fa.cards.MODELS) / model
    mel = fa.MelSpectrogram(**SPECTROGRAM, n_mels=96) >> fa.Log(kind="log10", scale=10_000, offset=1)
    net = fa.OnnxModel(str(folder / "model.onnx"), outputs=["penultimate"])
    return each_window(mel) >> net


def each_window(front: fa.Node) -> fa.Node:
    """Return the node that runs a front end over each window of 2 s; the last one is padded with zeros."""
    return fa.Each(front, clip_length=CLIP, last="pad")


def read_notes(
    folder: Path, model: str = FEATURE_MODEL, progress: Callable[[int, int], None] | None = None
) -> Notes:
    """Read a folder of notes, which takes a quarter of a minute for a thousand."""
    rows = read_manifest(folder)
    families = sorted({row["family"] for row in rows})
    spectrum = fa.Spectrogram(**SPECTROGRAM)
    branch = feature_branch(model)
    power, feature = [], []
    for i, row in enumerate(rows):
        samples = read_samples(folder / row["file"])
        power.append(spectrum(samples))
        feature.append(branch(samples)[0])
        if progress is not None:
            progress(i + 1, len(rows))
    batch = Batch(_stack(power), _stack(feature), torch.tensor([families.index(r["family"]) for r in rows]))
    program = torch.tensor([int(row["gm_program"]) for row in rows])
    return Notes(batch, families, program, torch.tensor([row["split"] == "test" for row in rows]))


def is_notes(folder: Path) -> bool:
    """Tell whether a folder is one of notes with a manifest of this form."""
    if not (folder / MANIFEST).is_file():
        return False
    with (folder / MANIFEST).open(encoding="utf-8", newline="") as file:
        return set(csv.DictReader(file).fieldnames or ()) >= COLUMNS


def read_manifest(folder: Path) -> list[dict[str, str]]:
    """Return the manifest's rows."""
    with (folder / MANIFEST).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_samples(path: Path) -> NDArray[np.float32]:
    """Return a note's samples, checked: mono, 16 kHz, 2 s."""
    samples, rate_hz = soundfile.read(path, dtype="float32")
    if rate_hz != RATE_HZ or samples.shape != (CLIP,):
        got = f"{samples.shape} at {rate_hz} Hz"
        raise ValueError(f"{path}: expected ({CLIP},) samples at {RATE_HZ} Hz, got {got}")
    return samples


def _stack(rows: Sequence[NDArray[np.float32]]) -> Tensor:
    return torch.from_numpy(np.stack(rows))
