"""Builds Harmonic CNN, which gives tags by a residual network on a harmonic spectrogram."""

from dataclasses import replace

import torch
from fastaudio import presets
from labels import DCASE17, DCASE17_SOURCE, MTAT, MTAT_SOURCE
from recipe import Recipe
from torch import Tensor, nn
from torch.nn import functional


class Block(nn.Sequential):
    """Convolution 3 x 3, normalisation, ReLU."""

    def __init__(self, channels: int, filters: int) -> None:
        convolution = nn.Conv2d(channels, filters, 3, padding=1)
        super().__init__(convolution, nn.BatchNorm2d(filters), nn.ReLU())


class Residual(nn.Module):
    """Two convolutions added to what went in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Block(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return rows of the same shape."""
        return functional.relu(x + self.norm(self.second(self.first(x))))


class HarmonicCnn(nn.Module):
    """Seven blocks and two dense layers.

    Input:  patches [n, harmonics, 128, frames] in dB
    Output: scores [n, labels], embedding [n, 2 width]

    The 5 s (313 frames) that it was made for end as one frame; more frames are pooled by their maximum. With
    `last` of 2, for sound events, they end as two.
    """

    def __init__(
        self,
        labels: int = len(MTAT),
        width: int = 128,
        harmonics: int = 6,
        last: int | tuple[int, int] = (2, 3),
    ) -> None:
        super().__init__()
        wide = 2 * width
        self.norm = nn.BatchNorm2d(harmonics)
        self.blocks = nn.Sequential(
            *(Block(harmonics, width), nn.MaxPool2d(2)),
            *(Residual(width), nn.MaxPool2d(2)),
            *(Residual(width), nn.MaxPool2d(2)),
            *(Residual(width), nn.MaxPool2d(2)),
            *(Block(width, wide), nn.MaxPool2d(2)),
            *(Residual(wide), nn.MaxPool2d(last)),
            *(Residual(wide), nn.MaxPool2d(last)),
        )
        self.decoder = nn.Sequential(
            nn.Linear(wide, wide), nn.BatchNorm1d(wide), nn.ReLU(), nn.Dropout(0.5), nn.Linear(wide, labels)
        )

    def frames(self, patches: Tensor) -> Tensor:
        """Return the embedding of each frame [n, frames / 288, 2 width], or / 128 with `last` of 2."""
        return self.blocks(self.norm(patches)).amax(dim=2).transpose(1, 2)  # type: ignore[no-any-return]

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores and the embedding before the dense layers."""
        embedding = self.frames(patches).amax(dim=1)
        return torch.sigmoid(self.decoder(embedding)), embedding


OUTPUTS = {
    "scores": ("score of each tag", "probability"),
    "embedding": ("what the regularisations shape: the encoder's output", "embedding"),
}

HARMONIC_CNN = Recipe(
    name="harmonic-cnn",
    task="music auto-tagging",
    description="Scores of 50 music tags every 5 s, by a residual network on six harmonics of 128 notes. The "
    "learned width q of the harmonic filters is one more parameter, of the front end.",
    citation="Yun-Ning Hung and Alexander Lerch, Feature-informed Embedding Space Regularization For Audio "
    "Classification, EUSIPCO 2022, after Minz Won, Sanghyuk Chun, Oriol Nieto and Xavier Serra, Data-driven "
    "Harmonic Filters for Audio Representation Learning, ICASSP 2020.",
    parameters=3_631_550,
    stated="approx. 3.6 M",
    build=lambda divisor: HarmonicCnn(width=128 // divisor),
    front=presets.harmonic_cnn,
    outputs=OUTPUTS,
    labels=MTAT,
    label_source=MTAT_SOURCE,
    layout="nfct",
    free={"patches": 3},
)

HARMONIC_CNN_DCASE = replace(
    HARMONIC_CNN,
    name="harmonic-cnn-dcase",
    task="sound event tagging",
    description="Scores of 17 sounds of traffic and warning every 5 s, by a residual network on six "
    "harmonics of 128 notes. Its last two pools halve the time, and two frames of 5 s are left.",
    parameters=3_623_069,
    build=lambda divisor: HarmonicCnn(len(DCASE17), width=128 // divisor, last=2),
    labels=DCASE17,
    label_source=DCASE17_SOURCE,
)
