"""Builds a network in the style of WEANet, with attention for each class over segments of a recording.

The paper fixes log mel of 64 bands at 100 frames/s, four blocks of two convolutions and a pool, four more of
convolutions alone, 2,048 values out of the fifth, and attention by class. Widths and kernels are ours, so the
number of parameters isn't the paper's, and its weights wouldn't fit.
"""

from itertools import pairwise

import torch
from fastaudio import Node, Patches, presets
from labels import AUDIOSET, AUDIOSET_SOURCE
from recipe import Recipe
from torch import Tensor, nn

WIDTHS = (64, 128, 256, 512)  # filters of blocks 1 to 4
EMBEDDING, HIDDEN = 2048, 1024  # filters of block 5, and of blocks 6 and 7
FRAMES = 1000


class Block(nn.Sequential):
    """Convolution, normalisation, ReLU."""

    def __init__(
        self, channels: int, filters: int, kernel: tuple[int, int], padding: tuple[int, int]
    ) -> None:
        convolution = nn.Conv2d(channels, filters, kernel, padding=padding)
        super().__init__(convolution, nn.BatchNorm2d(filters), nn.ReLU())


class WeanetStyle(nn.Module):
    """Eight blocks of convolutions, then attention by class.

    Input:  patches [n, frames, 64] of log mel, at least 16 frames
    Output: recording [n, labels], segments [n, frames / 16, labels],
            embedding [n, frames / 16, 2048 / divisor]
    """

    def __init__(self, labels: int = len(AUDIOSET), divisor: int = 1, bands: int = 64) -> None:
        super().__init__()
        widths = [width // divisor for width in WIDTHS]
        layers: list[nn.Module] = []
        for channels, filters in pairwise([1, *widths]):
            layers += [Block(channels, filters, (3, 3), (1, 1)), Block(filters, filters, (3, 3), (1, 1))]
            layers.append(nn.MaxPool2d(2))
        self.blocks = nn.Sequential(*layers)
        embedding, hidden = EMBEDDING // divisor, HIDDEN // divisor
        # The fifth covers the bands that are left: from here on time is the only axis.
        self.fifth = Block(widths[-1], embedding, (3, bands >> len(WIDTHS)), (1, 0))
        self.sixth = Block(embedding, hidden, (1, 1), (0, 0))
        self.seventh = Block(hidden, hidden, (1, 1), (0, 0))
        self.eighth = nn.Conv2d(hidden, labels, 1)
        self.attention = nn.Conv2d(hidden, labels, 1)

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return probabilities of the recording and of its segments, and the segments' embeddings."""
        embedding = self.fifth(self.blocks(patches.unsqueeze(1)))  # [n, filters, segments, 1]
        hidden = self.seventh(self.sixth(embedding))
        segments = torch.sigmoid(self.eighth(hidden))
        weights = torch.softmax(self.attention(hidden), dim=2)
        recording = (weights * segments).sum(dim=(2, 3))
        return recording, _by_time(segments), _by_time(embedding)


def _by_time(segments: Tensor) -> Tensor:
    return segments.squeeze(3).transpose(1, 2)


def front() -> Node:
    """Return the paper's frames in patches of 10 s, the length of AudioSet's clips."""
    return presets.weanet() >> Patches(length=FRAMES)


WEANET_STYLE = Recipe(
    name="weanet-style",
    task="sound event detection",
    description="Probabilities of 527 sounds for 10 s at once, by convolutions and attention for each class "
    "over segments of 0.16 s. In the style of WEANet-SUSTAIN: the paper leaves widths and kernels open, "
    "these are ours.",
    citation="After Anurag Kumar, Yun Wang, Vamsi Krishna Ithapu and Christian Fuegen, Do sound event "
    "representations generalize to other audio tasks? A case study in audio transfer learning, Interspeech "
    "2021, and Anurag Kumar and Vamsi Krishna Ithapu, A sequential self teaching approach for improving "
    "generalization in sound event recognition, ICML 2020.",
    parameters=21_509_342,
    stated="none; widths are ours",
    build=lambda divisor: WeanetStyle(divisor=divisor),
    front=front,
    outputs={
        "recording": ("probability of each sound in the patch, by attention", "probability"),
        "segments": ("probability of each sound, every 0.16 s", "probability"),
        "embedding": ("fifth block, every 0.16 s; its mean over time is what is transferred", "embedding"),
    },
    labels=AUDIOSET,
    label_source=AUDIOSET_SOURCE,
    free={"patches": 1, "segments": 1, "embedding": 1},
)
