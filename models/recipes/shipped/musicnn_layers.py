"""Defines the layers of MusiCNN and VGG for speed: the originals' numbers in another order.

The originals convolve, activate, normalise and pool. Here the pool comes right after the
convolution, so that the rest sees only what survives it. `SignedNorm` and `Pooled` explain how.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

Weights = Mapping[str, NDArray[np.float32]]

BANDS = 96
EPSILON = 1e-3  # every batch normalisation in the original graphs has this
LANES = 16  # ONNX Runtime keeps its blocked layout up to a pool if channels are a multiple of it


@dataclass(frozen=True)
class Pool:
    """Size and stride of a max-pool, each (frames, bands)."""

    size: tuple[int, int]
    stride: tuple[int, int]


class SignedNorm(nn.Module):
    """ReLU and normalisation of what was pooled before them.

    Input:  [n, lanes, frames, bands], each filter times its `sign`
    Output: [n, filters, frames, bands]

    A pool commutes with an increasing map. Where a normalisation's scale is negative the map
    decreases, so that filter stays negated until it is pooled. Changing a sign loses no bit.
    """

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.filters = filters
        self.norm = nn.BatchNorm2d(filters, eps=EPSILON)
        self.sign: Tensor
        self.register_buffer("sign", torch.ones(filters, 1, 1))

    def load(self, weights: Weights, conv: str, norm: str) -> tuple[Tensor, Tensor]:
        """Take a normalisation; return its convolution's signed kernel and bias, lanes filled."""
        load_norm(self.norm, weights, norm)
        self.sign.copy_(torch.where(self.norm.weight < 0, -1.0, 1.0).reshape(-1, 1, 1))
        kernel = torch.from_numpy(weights[f"{conv}/kernel"]).permute(3, 2, 0, 1)
        bias = torch.from_numpy(weights[f"{conv}/bias"])
        idle = lanes(self.filters) - self.filters
        kernel = functional.pad(kernel * self.sign.reshape(-1, 1, 1, 1), (0, 0) * 3 + (0, idle))
        return kernel, functional.pad(bias * self.sign.flatten(), (0, idle))

    def forward(self, pooled: Tensor) -> Tensor:
        """Drop idle filters, undo the signs, activate, normalise."""
        used = pooled if pooled.shape[1] == self.filters else pooled[:, : self.filters]
        normalised: Tensor = self.norm(functional.relu(used * self.sign))
        return normalised


class Pooled(nn.Module):
    """Convolution, max-pool, ReLU, normalisation: the original pools last.

    Input:  [n, channels, frames, bands]
    Output: [n, filters, pooled frames, pooled bands]
    """

    def __init__(self, channels: int, filters: int, kernel: tuple[int, int], pool: Pool) -> None:
        super().__init__()
        # A pool one band wide steps over some bands, which needn't be computed.
        skip = pool.stride[1] if pool.size[1] == 1 else 1
        # "same" puts the odd frame of an even kernel at the end, as TensorFlow does.
        padding = "same" if skip == 1 else (kernel[0] // 2, kernel[1] // 2)
        self.conv = nn.Conv2d(channels, lanes(filters), kernel, (1, skip), padding)
        self.pool = nn.MaxPool2d(pool.size, (pool.stride[0], pool.stride[1] // skip))
        self.norm = SignedNorm(filters)

    def load(self, weights: Weights, conv: str, norm: str) -> None:
        """Take the named convolution and normalisation from a checkpoint."""
        load_conv(self.conv, *self.norm.load(weights, conv, norm))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, pool, then activate and normalise."""
        pooled: Tensor = self.norm(self.pool(self.conv(x)))
        return pooled


class Dense(nn.Module):
    """Seven frames of all channels, ReLU, normalisation. [n, channels, 1, frames] -> [n, 64, ...].

    Frames lie along the last axis: convolutions run fastest along it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 64, (1, 7), padding=(0, 3))
        self.norm = nn.BatchNorm2d(64, eps=EPSILON)

    def load(self, weights: Weights, conv: str, norm: str) -> None:
        """Take the named convolution and normalisation from a checkpoint."""
        load_norm(self.norm, weights, norm)
        # In the checkpoint the channels take the place of the bands.
        kernel = torch.from_numpy(weights[f"{conv}/kernel"]).permute(3, 1, 2, 0)
        load_conv(self.conv, kernel, torch.from_numpy(weights[f"{conv}/bias"]))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, activate, normalise."""
        normalised: Tensor = self.norm(functional.relu(self.conv(x)))
        return normalised


def lanes(filters: int) -> int:
    """Count the filters with the idle ones, all zero, that fill the last block."""
    return -(-filters // LANES) * LANES


def numbered(name: str, index: int) -> str:
    """Return the name TensorFlow gives the layer of that kind with that index."""
    return f"{name}_{index}" if index else name


def load_conv(conv: nn.Conv2d, kernel: Tensor, bias: Tensor | None = None) -> None:
    """Fill a convolution; both have a bias or neither."""
    conv.weight.copy_(kernel)
    if conv.bias is not None and bias is not None:
        conv.bias.copy_(bias)


def load_norm(norm: nn.BatchNorm1d | nn.BatchNorm2d, weights: Weights, name: str) -> None:
    """Take scale, offset and moving statistics from a checkpoint."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.weight.copy_(torch.from_numpy(weights[f"{name}/gamma"]))
    norm.bias.copy_(torch.from_numpy(weights[f"{name}/beta"]))
    norm.running_mean.copy_(torch.from_numpy(weights[f"{name}/moving_mean"]))
    norm.running_var.copy_(torch.from_numpy(weights[f"{name}/moving_variance"]))


def load_linear(linear: nn.Linear, weights: Weights, name: str) -> None:
    """Take a fully connected layer from a checkpoint."""
    linear.weight.copy_(torch.from_numpy(weights[f"{name}/kernel"]).T)
    linear.bias.copy_(torch.from_numpy(weights[f"{name}/bias"]))
