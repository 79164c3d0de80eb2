"""Trains with contrastive regularisation: labels, and telling each sound from all others, mixed or not.

Source: Lee & Lee, Cross-domain semi-supervised audio event classification using contrastive
    regularization, algorithm 1. A small network takes the place of ResNet50V2.
"""

from typing import ClassVar

import torch
from contrastive_losses import nt_xent
from harmonic_network import Decoder, convolution
from instruments import Batch
from mel_notes import Relative, decibels
from methods import Augment, Method, classification
from mixing import Mixing, batch_split_mixing
from torch import Tensor, nn
from torch.nn import functional

EMBEDDING, PROJECTION, HIDDEN = 96, 64, 128


class MelEncoder(nn.Module):
    """Decibels [n, frames, bands] to an embedding [n, 96]: the largest over time and bands."""

    def __init__(self) -> None:
        super().__init__()
        self.relative = Relative()
        self.layers = nn.Sequential(
            *convolution(1, 24, 5, 2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            *convolution(24, 48),
            nn.ReLU(),
            nn.MaxPool2d(2),
            *convolution(48, EMBEDDING),
            nn.ReLU(),
        )

    def forward(self, rows: Tensor) -> Tensor:
        """Return embeddings."""
        x = self.relative(rows).unsqueeze(1).contiguous(memory_format=torch.channels_last)
        return self.layers(x).amax(dim=(2, 3))  # type: ignore[no-any-return]


class Projection(nn.Module):
    """The branch g_p: a hidden layer, and rows of unit length [n, 64]."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(EMBEDDING, HIDDEN, bias=False),
            nn.BatchNorm1d(HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, PROJECTION),
        )

    def forward(self, embedding: Tensor) -> Tensor:
        """Return the projection."""
        return functional.normalize(self.layers(embedding), dim=1)


class CrossEntropy(Method):
    """The baseline: the same network from labels alone; as in the paper, sounds aren't changed."""

    name = "cross-entropy"

    def __init__(self, n_labels: int) -> None:
        super().__init__(n_labels)
        del self.filterbank
        self.encoder, self.decoder = MelEncoder(), Decoder(n_labels, EMBEDDING, HIDDEN)
        self.projection = Projection()  # the baseline has it too, so that both start from the same weights

    def embedding(self, batch: Batch) -> Tensor:
        """Return embeddings [n, 96]."""
        return self.encoder(decibels(batch.power))

    def loss(self, batch: Batch, augment: Augment) -> Tensor:  # noqa: ARG002  # only full spectra are augmented
        """Return cross-entropy."""
        return classification(self(batch), batch)

    def inference_modules(self) -> list[nn.Module]:
        """Return extractor and classifier."""
        return [self.encoder, self.decoder]


class NtXent(CrossEntropy):
    """Cross-entropy + weight * NT-Xent between sounds and their batch-split mixes.

    `pool`, where given, holds sounds without labels: each step draws `n_unlabelled` of them, or with None
    as many as there are labelled ones. Without it, the labelled sounds alone are contrasted, which is the
    paper's ablation "-Unlabeled".
    """

    name = "nt-xent"
    weight = 0.05
    temperature = 0.1
    n_unlabelled: ClassVar[int | None] = None
    smoothing: ClassVar[float] = 0.1  # of labels
    mixing: ClassVar[Mixing] = Mixing()

    def __init__(self, n_labels: int) -> None:
        super().__init__(n_labels)
        self.pool: Tensor | None = None

    def loss(self, batch: Batch, augment: Augment) -> Tensor:  # noqa: ARG002
        """Return line 12 of algorithm 1; all sounds share one pass through the extractor."""
        power = batch.power
        if self.pool is not None:
            n = len(batch) if self.n_unlabelled is None else self.n_unlabelled
            power = torch.cat([power, self.pool[torch.randint(len(self.pool), (n,))]])
        halves, mixed = batch_split_mixing(power, self.mixing)
        embedding = self.encoder(decibels(torch.cat([power, mixed.flatten(0, 1)])))
        projection = self.projection(embedding)
        original = projection[: len(power)][halves]
        augmented = projection[len(power) :].reshape(original.shape)
        pairs = zip(original, augmented, strict=True)
        regulariser = torch.stack([nt_xent(a, b, self.temperature) for a, b in pairs]).sum()
        logits = self.decoder(embedding[: len(batch)])
        return classification(logits, batch, self.smoothing) + self.weight * regulariser


class WithoutMixing(NtXent):
    """The paper's ablation "-Mixing": a sound's partner is itself, moved in time."""

    name = "nt-xent -mixing"
    mixing = Mixing(only_offset=True)


class AsPrinted(NtXent):
    """The paper's temperature and batches, for `contrastive_printed.py`, which has its training."""

    name = "nt-xent as printed"
    temperature = 0.01
    n_unlabelled = 32
    smoothing = 0.0


class AsPrintedWithoutMixing(AsPrinted):
    """The ablation in the paper's own settings."""

    name = "nt-xent as printed -mixing"
    mixing = Mixing(only_offset=True)
