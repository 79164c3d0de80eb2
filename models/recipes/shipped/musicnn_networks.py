"""Defines MusiCNN and its VGG baseline in PyTorch, filled from TensorFlow checkpoints.

Source: Pons et al., End-to-end learning for music audio tagging at scale, ISMIR 2018; Pons and
Serra, musicnn, late-breaking demo, ISMIR 2019. Reference: the graphs in `musicnn` 0.1.0 (PyPI).
"""

from collections.abc import Sequence

import torch
from musicnn_layers import (
    EPSILON,
    Dense,
    Pool,
    Pooled,
    Weights,
    load_linear,
    load_norm,
    numbered,
)
from split_convolution import Temporal, Timbral
from torch import Tensor, nn
from torch.nn import functional


class MusiCNN(nn.Module):
    """Tags of a patch and every layer that has a name; 787,159 parameters in the checkpoint.

    Input:  log-mel [n, frames, 96]; any number of frames, trained on 187
    Output: in the order of `OUTPUTS`: [n, 50], [n, 200], [n, 753] twice, rows [n, frames, width], [n, 200]
    """

    ROWS = ("timbral", "temporal", "cnn1", "cnn2", "cnn3")
    OUTPUTS = ("taggram", "penultimate", "mean_pool", "max_pool", *ROWS, "dense")

    def __init__(self) -> None:
        super().__init__()
        self.norm_in = nn.BatchNorm2d(1, eps=EPSILON)
        self.timbral = nn.ModuleList((Timbral(204, 38, 7, (2, 2), 48), Timbral(204, 67, 7, (3, 2), 80)))
        self.temporal = nn.ModuleList(Temporal(51, frames) for frames in (128, 64, 32))
        self.dense = nn.ModuleList((Dense(561), Dense(64), Dense(64)))
        self.norm_pool = nn.BatchNorm1d(1506, eps=EPSILON)
        self.penultimate = nn.Linear(1506, 200)
        self.norm_out = nn.BatchNorm1d(200, eps=EPSILON)
        self.tags = nn.Linear(200, 50)

    @torch.no_grad()
    def load(self, weights: Weights) -> None:
        """Take every weight from a checkpoint."""
        load_norm(self.norm_in, weights, numbered("batch_normalization", 0))
        for index, block in enumerate((*self.timbral, *self.temporal, *self.dense)):
            assert isinstance(block, Timbral | Temporal | Dense)
            conv = numbered("conv2d", index)
            block.load(weights, conv, numbered("batch_normalization", index + 1))
        load_norm(self.norm_pool, weights, numbered("batch_normalization", 9))
        load_linear(self.penultimate, weights, "dense")
        load_norm(self.norm_out, weights, numbered("batch_normalization", 10))
        load_linear(self.tags, weights, "dense_1")

    def forward(self, melspectrogram: Tensor) -> tuple[Tensor, ...]:
        """Return all of `OUTPUTS`."""
        x = self.norm_in(melspectrogram.unsqueeze(1)).transpose(2, 3)
        timbral = torch.cat([block(x) for block in self.timbral], dim=1)
        temporal = torch.cat([block(x) for block in self.temporal], dim=1)
        front = torch.cat([timbral, temporal], dim=1)
        cnn1 = self.dense[0](front)
        cnn2 = self.dense[1](cnn1) + cnn1
        cnn3 = self.dense[2](cnn2) + cnn2
        features = torch.cat([front, cnn1, cnn2, cnn3], dim=1).squeeze(2)
        max_pool = features.amax(dim=2)
        mean_pool = features.mean(dim=2)
        # The classifier's weights expect the two interleaved, the maximum first.
        pooled = self.norm_pool(torch.stack([max_pool, mean_pool], dim=2).flatten(1))
        dense = self.penultimate(pooled)
        penultimate = self.norm_out(functional.relu(dense))
        taggram = torch.sigmoid(self.tags(penultimate))
        rows = [y.squeeze(2).transpose(1, 2) for y in (timbral, temporal, cnn1, cnn2, cnn3)]
        return (taggram, penultimate, mean_pool, max_pool, *rows, dense)


class Vgg(nn.Module):
    """Tags of a patch and every pool; 605,748 parameters in the checkpoint.

    Input:  log-mel [n, 187, 96]
    Output: in the order of `OUTPUTS`: [n, 50], [n, 256], then pools [n, frames, bands, 128]
    """

    ROWS = ()
    OUTPUTS = ("taggram", "flat", "pool1", "pool2", "pool3", "pool4", "pool5")

    def __init__(self, pools: Sequence[Pool]) -> None:
        super().__init__()
        self.norm_in = nn.BatchNorm2d(1, eps=EPSILON)
        channels = (1, 128, 128, 128, 128)
        blocks = zip(channels, pools, strict=True)
        self.blocks = nn.ModuleList(Pooled(c, 128, (3, 3), pool) for c, pool in blocks)
        self.tags = nn.Linear(256, 50)

    @torch.no_grad()
    def load(self, weights: Weights) -> None:
        """Take every weight from a checkpoint."""
        load_norm(self.norm_in, weights, numbered("batch_normalization", 0))
        for index, block in enumerate(self.blocks, start=1):
            assert isinstance(block, Pooled)
            block.load(weights, f"{index}CNN", numbered("batch_normalization", index))
        load_linear(self.tags, weights, "dense")

    def forward(self, melspectrogram: Tensor) -> tuple[Tensor, ...]:
        """Return all of `OUTPUTS`."""
        x = self.norm_in(melspectrogram.unsqueeze(1))
        pools = []
        for block in self.blocks:
            x = block(x)
            pools.append(x.permute(0, 2, 3, 1))
        flat = pools[-1].flatten(1)
        return (torch.sigmoid(self.tags(flat)), flat, *pools)
