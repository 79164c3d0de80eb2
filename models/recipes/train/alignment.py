"""Aligns audio with tags by an autoencoder whose embedding is drawn to the tags of its sound.

Source: Favory, Drossos, Virtanen & Serra, Learning contextual tag embeddings for cross-modal alignment of
    audio and tags, ICASSP 2021
"""

from typing import ClassVar

import numpy as np
import torch
from alignment_networks import Aligned, pad
from contrastive_losses import generalised_kl, nt_xent
from instruments import Batch
from mel_notes import Relative, TaggedBatch, decibels
from methods import Augment
from tag_words import PADDING, Vocabulary, drop_some
from torch import Tensor, nn
from torch.nn import functional


class Alignment(nn.Module):
    """All parts with their loss, equation (6).

    A batch brings sounds whose tags are known; `pool`, where given, holds sounds without tags. As many of
    these are drawn, only to be reconstructed.
    """

    name: ClassVar[str] = "alignment"
    audio_weight: ClassVar[float] = 5.0
    contrast_weight: ClassVar[float] = 10.0
    temperature: ClassVar[float] = 0.1
    tag_dropout: ClassVar[float] = 0.5
    """Share of a note's tags left out each time; the family stays, because it must be known alone, too."""

    def __init__(self, n_words: int) -> None:
        super().__init__()
        self.relative = Relative()
        self.net = Aligned(n_words)
        self.pool: Tensor | None = None

    def loss(self, batch: TaggedBatch, augment: Augment) -> Tensor:  # noqa: ARG002  # only full spectra are augmented
        """Return what training lowers."""
        power = batch.power
        if self.pool is not None and self.audio_weight:
            power = torch.cat([power, self.pool[torch.randint(len(self.pool), (len(batch),))]])
        patches = self.relative(decibels(power))
        embedding, projection = self.net(patches)
        loss = torch.zeros(())
        if self.audio_weight:
            loss = loss + self.audio_weight * generalised_kl(patches, self.net.decoder(embedding))
        if self.contrast_weight:
            ids = self._some_words(batch.words)
            contrast = nt_xent(projection[: len(batch)], self.net.tags(ids), self.temperature, same(ids))
            loss = loss + self.contrast_weight * contrast
        return loss

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return embedding z_a and projection phi_a."""
        return self.net(self.relative(decibels(batch.power)))  # type: ignore[no-any-return]

    def _some_words(self, words: Tensor) -> Tensor:
        rng = np.random.default_rng(int(torch.randint(2**31, ())))
        lists = [[i for i in row if i != PADDING] for row in words.tolist()]
        return pad([sorted(drop_some(rng, row, self.tag_dropout)) for row in lists])


class Autoencoder(Alignment):
    """The reconstruction alone, without tags."""

    name = "autoencoder"
    contrast_weight = 0.0


class ContrastOnly(Alignment):
    """The contrast with tags alone, without the decoder."""

    name = "contrast-only"
    audio_weight = 0.0


def same(ids: Tensor) -> Tensor:
    """Return a number for each row of ids [n], equal for equal rows."""
    return torch.unique(ids, dim=0, return_inverse=True)[1]


@torch.no_grad()
def embed(method: Alignment, batch: Batch, size: int = 128) -> tuple[Tensor, Tensor]:
    """Return embeddings and projections of whole notes."""
    method.eval()
    parts = [method(batch[rows]) for rows in torch.arange(len(batch)).split(size)]
    embeddings, projections = zip(*parts, strict=True)
    return torch.cat(embeddings), torch.cat(projections)


@torch.no_grad()
def tag_bank(method: Alignment, vocabulary: Vocabulary, families: list[str]) -> Tensor:
    """Return the embedding of each family's name alone [n_families, d], of unit length."""
    method.eval()
    ids = pad([vocabulary.ids([family]) for family in families])
    return functional.normalize(method.net.tags(ids), dim=1)


def cosines(projection: Tensor, bank: Tensor) -> Tensor:
    """Return what fastaudio's Similarity gives for projections: no classifier is trained."""
    return functional.normalize(projection, dim=1) @ bank.T
