"""Defines an audio autoencoder and a tag encoder that share one space.

Source: Favory et al., sections 2.1 and 2.2, in a smaller size: 64 bands and frames, up to 64 channels.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from mel_notes import SIDE
from tag_words import PADDING
from torch import Tensor, nn

CHANNELS = (16, 32, 64, 64, 64)


class AudioEncoder(nn.Module):
    """Patches [n, 64, 64] to embeddings z_a [n, 256]: equation (1) and the layer normalisation after it."""

    def __init__(self, channels: Sequence[int] = CHANNELS, dropout: float = 0.25) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            *[
                nn.Sequential(
                    nn.Conv2d(a, b, 4, stride=2, padding=1),
                    nn.BatchNorm2d(b),
                    nn.ReLU(),
                    nn.Dropout(dropout),
                )
                for a, b in zip((1, *channels), channels, strict=False)
            ]
        )
        side = SIDE >> len(channels)
        self.shape = (channels[-1], side, side)
        self.width = channels[-1] * side * side
        self.normalise = nn.LayerNorm(self.width)

    def forward(self, patches: Tensor) -> Tensor:
        """Return z_a, what a classifier takes."""
        hidden: Tensor = self.blocks(patches.unsqueeze(1))
        return self.normalise(hidden.flatten(1))  # type: ignore[no-any-return]


class AudioDecoder(nn.Module):
    """Embeddings [n, 256] back to patches [n, 64, 64] from 0 to 1: equation (2)."""

    def __init__(self, channels: Sequence[int] = CHANNELS, dropout: float = 0.25) -> None:
        super().__init__()
        side = SIDE >> len(channels)
        self.shape = (channels[-1], side, side)
        back = (*reversed(channels), 1)
        layers: list[nn.Module] = []
        for a, b in pairwise(back):
            layers += [
                nn.Dropout(dropout),
                nn.ConvTranspose2d(a, b, 4, stride=2, padding=1),
                nn.BatchNorm2d(b),
                nn.ReLU(),
            ]
        # A sigmoid of ReLU's output gives no value below 0.5, so the last layer has no ReLU.
        self.blocks = nn.Sequential(*layers[:-1])

    def forward(self, embeddings: Tensor) -> Tensor:
        """Return the reconstruction."""
        return self.blocks(embeddings.reshape(-1, *self.shape)).squeeze(1).sigmoid()  # type: ignore[no-any-return]


class TagEncoder(nn.Module):
    """Ids of tags [n, t], 0 for none, to embeddings phi_w [n, width]: equations (3) and (4).

    Multi-head self-attention without positions, since tags have no order; each head's output goes through
    the one output layer; the sum over tags and heads is normalised. Padding neither attends nor counts.
    Word vectors are trained with the rest: a corpus of a few dozen words can't teach word2vec anything.
    """

    def __init__(self, n_words: int, width: int, *, word_width: int = 64, heads: int = 4) -> None:
        super().__init__()
        self.words = nn.Embedding(n_words + 1, word_width, padding_idx=PADDING)
        self.dropout = nn.Dropout(0.1)
        self.heads, self.word_width = heads, word_width
        self.query, self.key, self.value = (
            nn.Linear(word_width, heads * word_width, bias=False) for _ in range(3)
        )
        self.output = nn.Linear(word_width, width, bias=False)
        self.normalise = nn.LayerNorm(width)

    def forward(self, ids: Tensor) -> Tensor:
        """Return phi_w."""
        n, t = ids.shape
        words = self.dropout(self.words(ids))
        query, key, value = (
            layer(words).reshape(n, t, self.heads, self.word_width).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        there = ids != PADDING
        weights = query @ key.transpose(2, 3) / self.word_width**0.5
        weights = weights.masked_fill(~there[:, None, None, :], -1e9).softmax(dim=-1)
        rows = self.output(weights @ value) * there[:, None, :, None]
        return self.normalise(rows.sum(dim=(1, 2)))  # type: ignore[no-any-return]


class Aligned(nn.Module):
    """All parts, and the layer that takes audio to the tags' space: phi_a of equation (5)."""

    def __init__(self, n_words: int, *, heads: int = 4, dropout: float = 0.25) -> None:
        super().__init__()
        self.encoder = AudioEncoder(dropout=dropout)
        self.decoder = AudioDecoder(dropout=dropout)
        self.tags = TagEncoder(n_words, self.encoder.width, heads=heads)
        self.to_tags = nn.Linear(self.encoder.width, self.encoder.width, bias=False)

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Return embedding z_a and projection phi_a."""
        embedding = self.encoder(patches)
        return embedding, self.to_tags(embedding)


def pad(ids: Sequence[Sequence[int]]) -> Tensor:
    """Return lists of ids as one tensor [n, longest], filled up with padding."""
    longest = max(1, *(len(row) for row in ids))
    return torch.tensor([[*row, *[PADDING] * (longest - len(row))] for row in ids])
