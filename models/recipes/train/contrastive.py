"""Contrastive regularisation: labels are learnt beside telling each sound from all others, mixed or not.

Source: Lee & Lee, Cross-domain semi-supervised audio event classification using contrastive
    regularization, algorithm 1
"""

from typing import ClassVar

import torch
from contrastive_losses import nt_xent
from harmonic_network import EMBEDDING
from instruments import Batch
from methods import Augment, Method, classification
from mixing import Mixing, batch_split_mixing
from torch import Tensor, nn
from torch.nn import functional

PROJECTION = 64


class Projection(nn.Module):
    """The branch g_p: a hidden layer, and rows of unit length [n, 64]."""

    def __init__(self, n_in: int = EMBEDDING, hidden: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_in, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, PROJECTION),
        )

    def forward(self, embedding: Tensor) -> Tensor:
        """Return the projection."""
        return functional.normalize(self.layers(embedding), dim=1)


class NtXent(Method):
    """Cross-entropy + weight * NT-Xent between sounds and their batch-split mixes.

    `pool`, where given, holds sounds without labels: each step draws as many of them as there are labelled
    ones. Without, the labelled sounds alone are contrasted, the paper's ablation "-Unlabeled".
    """

    name = "nt-xent"
    weight: ClassVar[float] = 0.05
    temperature: ClassVar[float] = 0.01
    mixing: ClassVar[Mixing] = Mixing()

    def __init__(self, n_labels: int) -> None:
        super().__init__(n_labels)
        self.projection = Projection()
        self.pool: Batch | None = None

    def loss(self, batch: Batch, augment: Augment) -> Tensor:
        """Return line 12 of algorithm 1; the sounds share one pass through the extractor."""
        seen = augment(batch if self.pool is None else join(batch, draw(self.pool, len(batch))))
        halves, mixed = batch_split_mixing(seen.power, self.mixing)
        embedding = self.encoder(self.filterbank(torch.cat([seen.power, mixed.flatten(0, 1)])))
        labelled = batch.target
        logits = self.decoder(embedding[: len(labelled)])
        projection = self.projection(embedding)
        original = projection[: len(seen)][halves]
        augmented = projection[len(seen) :].reshape(original.shape)
        regulariser = sum(nt_xent(a, b, self.temperature) for a, b in zip(original, augmented, strict=True))
        return classification(logits, batch) + self.weight * regulariser


def draw(pool: Batch, n: int) -> Batch:
    """Return n sounds drawn from the pool."""
    return pool[torch.randint(len(pool), (n,))]


def join(a: Batch, b: Batch) -> Batch:
    """Return the sounds of both."""
    pairs = ((a.power, b.power), (a.feature, b.feature), (a.target, b.target))
    return Batch(*(torch.cat(pair) for pair in pairs))
