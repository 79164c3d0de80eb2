"""Defines the network of `instruments`: two heads, for families and for instruments, on one small encoder."""

import torch
from spectra import BANDS
from torch import Tensor, nn

RANGE_DB = 70.0
EMBEDDING = 128


class Levels(nn.Module):
    """log10(1 + 10,000 power) -> 0, 70 dB below a window's loudest value, to 1; how loud it is gets lost."""

    def forward(self, mel: Tensor) -> Tensor:
        """Return levels of the same shape."""
        return relative(decibels(mel))


def decibels(mel: Tensor) -> Tensor:
    """Return the power in dB."""
    power = ((mel * 2.302585093).exp() - 1) / 10_000
    return 10 * power.clamp_min(1e-10).log10()


def relative(level_db: Tensor) -> Tensor:
    """Return levels [n, frames, bands] from 0 to 1."""
    return ((level_db - level_db.amax(dim=(1, 2), keepdim=True)) / RANGE_DB + 1).clamp_min(0)


class Envelope(nn.Module):
    """Levels [n, frames, 96] -> what each band does over a window [n, 9, 96].

    Mean, deviation and change, in which loud frames count most, so that silence around a short note doesn't;
    the maximum; the means of four parts; and where the band lies.
    """

    CHANNELS = 9

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("place", torch.linspace(-1, 1, BANDS), persistent=False)

    def forward(self, levels: Tensor) -> Tensor:
        """Return the nine rows."""
        weight = levels.amax(dim=2, keepdim=True) ** 2
        weight = weight / weight.sum(dim=1, keepdim=True).clamp_min(1e-6)
        mean = (levels * weight).sum(dim=1)
        deviation = ((levels - mean.unsqueeze(1)) ** 2 * weight).sum(dim=1).clamp_min(1e-8).sqrt()
        change = ((levels[:, 1:] - levels[:, :-1]).abs() * weight[:, 1:]).sum(dim=1)
        step = levels.shape[1] // 4
        parts = [levels[:, i * step : (i + 1) * step].mean(dim=1) for i in range(4)]
        rows = [mean, 4 * deviation, 8 * change, levels.amax(dim=1), *parts, self.place.expand_as(mean)]
        return torch.stack(rows, dim=1)


class Encoder(nn.Module):
    """Levels [n, frames, 96] -> embedding [n, 128], by filters along frequency."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        sizes = [(Envelope.CHANNELS, width, 7), (width, 2 * width, 5), (2 * width, 2 * width, 5)]
        self.envelope = Envelope()
        self.layers = nn.Sequential(
            *(part for n_in, n_out, size in sizes for part in layer(n_in, n_out, size)),
        )
        self.dense = nn.Sequential(
            nn.Linear(2 * width * BANDS // 8, 2 * EMBEDDING, bias=False),
            nn.BatchNorm1d(2 * EMBEDDING), nn.ReLU(), nn.Dropout(0.3),
            nn.Linear(2 * EMBEDDING, EMBEDDING, bias=False), nn.BatchNorm1d(EMBEDDING), nn.ReLU(),
        )  # fmt: skip

    def forward(self, levels: Tensor) -> Tensor:
        """Return the embedding."""
        return self.dense(self.layers(self.envelope(levels)).flatten(1))


def layer(n_in: int, n_out: int, size: int) -> list[nn.Module]:
    """Return filters along frequency, and the larger of each two bands."""
    filters = nn.Conv1d(n_in, n_out, size, padding=size // 2, bias=False)
    return [filters, nn.BatchNorm1d(n_out), nn.ReLU(), nn.MaxPool1d(2)]


class NoteNetwork(nn.Module):
    """Encoder and heads: levels -> logits of families, logits of instruments."""

    def __init__(self, n_families: int, n_instruments: int) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.drop = nn.Dropout(0.3)
        self.family, self.instrument = nn.Linear(EMBEDDING, n_families), nn.Linear(EMBEDDING, n_instruments)

    def forward(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits [n, families], [n, instruments]."""
        embedding = self.drop(self.encoder(levels))
        return self.family(embedding), self.instrument(embedding)
