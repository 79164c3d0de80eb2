"""Defines a harmonic CNN small enough for a thousand notes, after Won et al., ICASSP 2020.

It keeps the learnt harmonic filterbank in dB, BatchNorm over the harmonics, residual blocks with max-pools,
the maximum over time, and two dense layers. It differs in a stem of stride 2, few channels, and the maximum
over frequency too.
"""

import numpy as np
import torch
from torch import Tensor, nn

N_HARMONIC, N_LEVELS, N_BINS = 6, 128, 257
FRAMES = 126  # frames of a window of 2 s
EMBEDDING = 96


class HarmonicFilterbank(nn.Module):
    """Power spectrum [n, frames, 257] -> dB on harmonics [n, frames, 6, 128]; Q is one learnt number.

    It equals what fastaudio's `HarmonicSpectrogram(q=[q]) >> Log(kind="dB")` computes from samples.
    """

    def __init__(self) -> None:
        super().__init__()
        notes = 24 + np.arange(N_LEVELS) / 2
        harmonics = np.arange(1, N_HARMONIC + 1)[:, None]
        centre_hz = (harmonics * 440 * 2 ** ((notes - 69) / 12)).reshape(-1, 1)
        bin_hz = np.linspace(0, 8000, N_BINS)
        distance = 2 * np.abs(bin_hz - centre_hz) / (0.1079 * centre_hz + 24.7)
        self.register_buffer("distance", torch.tensor(distance), persistent=False)
        self.q = nn.Parameter(torch.ones(1))

    def forward(self, power: Tensor) -> Tensor:
        """Return the decibels [n, frames, 6, 128]."""
        weights = (1 - self.distance * self.q).clamp(min=0)  # float64, because some are close to zero
        bands = power @ weights.T.float()
        return (10 * torch.log10(bands.clamp(min=1e-10))).unflatten(-1, (N_HARMONIC, N_LEVELS))


class Residual(nn.Module):
    """Two convolutions beside the identity, then a max-pool."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            *convolution(channels, channels), nn.ReLU(), *convolution(channels, channels)
        )
        self.outer = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))

    def forward(self, x: Tensor) -> Tensor:
        """Return [n, channels, height // 2, width // 2]."""
        return self.outer(x + self.inner(x))


def convolution(n_in: int, n_out: int, size: int = 3, stride: int = 1) -> list[nn.Module]:
    """Return a convolution without bias and its BatchNorm."""
    return [nn.Conv2d(n_in, n_out, size, stride, size // 2, bias=False), nn.BatchNorm2d(n_out)]


class Encoder(nn.Module):
    """The dB of a window [n, frames, 6, 128] -> embedding [n, 96]; takes any number of frames from 16 up.

    Levels are taken relative to the window's loudest band, 80 dB down, so loudness doesn't matter.
    """

    RANGE_DB = 80.0

    def __init__(self, width: int = EMBEDDING // 4) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm2d(N_HARMONIC)
        self.layers = nn.Sequential(
            *convolution(N_HARMONIC, width, 5, 2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            Residual(width),
            *convolution(width, 2 * width),
            nn.ReLU(),
            Residual(2 * width),
            *convolution(2 * width, 4 * width),
            nn.ReLU(),
            Residual(4 * width),
        )

    def forward(self, decibels: Tensor) -> Tensor:
        """Return the embedding [n, 96]."""
        relative = decibels - decibels.amax((1, 2, 3), keepdim=True)
        x = self.normalise(relative.clamp(min=-self.RANGE_DB).permute(0, 2, 3, 1))
        x = x.contiguous(memory_format=torch.channels_last)  # this is faster on a processor
        return self.layers(x).amax((2, 3))


class Decoder(nn.Module):
    """An embedding [n, n_in] -> logits [n, n_labels]."""

    def __init__(self, n_labels: int, n_in: int = EMBEDDING, hidden: int = EMBEDDING) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_in, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(hidden, n_labels),
        )

    def forward(self, embedding: Tensor) -> Tensor:
        """Return logits [n, n_labels]."""
        return self.layers(embedding)


def count(module: nn.Module) -> int:
    """Return the number of learnt parameters."""
    return sum(p.numel() for p in module.parameters())
