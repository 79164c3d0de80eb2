"""Builds TALNet, which gives probabilities of 527 sounds ten times per second and for a recording."""

from itertools import pairwise

import torch
from fastaudio import presets
from labels import AUDIOSET, AUDIOSET_SOURCE
from recipe import Recipe
from torch import Tensor, nn

CONVOLUTIONS = 2  # filters before each pool
POOLS = ((2, 2), (2, 2), (1, 2), (1, 2), (1, 2))  # pools over frames and bands
LEAST = 1e-7  # least probability, for its logarithm in training


class Talnet(nn.Module):
    """Ten convolutions with five pools, a recurrent layer that reads both ways, a dense one.

    Input:  patches [n, frames, 64] of log mel, frames a multiple of 4
    Output: recording [n, labels], frames [n, frames / 4, labels], embedding [n, frames / 4, 32 width]
    """

    def __init__(self, labels: int = len(AUDIOSET), width: int = 32, bands: int = 64) -> None:
        super().__init__()
        widths = [width << step for step in range(len(POOLS))]
        layers: list[nn.Module] = []
        for (channels, filters), pool in zip(pairwise([1, *widths]), POOLS, strict=True):
            for step in range(CONVOLUTIONS):
                layers += [
                    nn.Conv2d(filters if step else channels, filters, 3, padding=1),
                    nn.BatchNorm2d(filters),
                    nn.ReLU(),
                ]
            layers.append(nn.MaxPool2d(pool))
        self.convolutions = nn.Sequential(*layers)
        features = widths[-1] * (bands >> len(POOLS))
        self.recurrent = nn.GRU(features, features // 2, batch_first=True, bidirectional=True)
        self.classifier = nn.Linear(features, labels)

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return probabilities of the recording and of its frames, and the frames' embeddings."""
        features = self.convolutions(patches.unsqueeze(1))  # [n, filters, frames, bands]
        embedding, _ = self.recurrent(features.transpose(1, 2).flatten(2))
        frames = torch.sigmoid(self.classifier(embedding)).clamp(LEAST, 1 - LEAST)
        # This is linear softmax pooling, as in the node LinearSoftmaxPooling.
        recording = frames.square().sum(dim=1) / frames.sum(dim=1)
        return recording, frames, embedding


TALNET = Recipe(
    name="talnet",
    task="sound event detection",
    description="Probabilities of 527 sounds for 10 s at once, and in the output 'frames' every 0.1 s, by a "
    "convolutional network with a recurrent layer.",
    citation="Anurag Kumar, Yun Wang, Vamsi Krishna Ithapu and Christian Fuegen, Do sound event "
    "representations generalize to other audio tasks? A case study in audio transfer learning, Interspeech "
    "2021, after Yun Wang, Juncheng Li and Florian Metze, A comparison of five multiple instance learning "
    "pooling functions for sound event detection with weak labeling, ICASSP 2019.",
    parameters=9_980_527,
    stated="none; layers as it describes them",
    build=lambda divisor: Talnet(width=32 // divisor),
    front=presets.talnet,
    outputs={
        "recording": ("probability of each sound in the patch, by linear softmax pooling", "probability"),
        "frames": ("probability of each sound, ten times per second", "probability"),
        "embedding": (
            "recurrent layer, ten times per second; its mean over time is what is transferred",
            "embedding",
        ),
    },
    labels=AUDIOSET,
    label_source=AUDIOSET_SOURCE,
    free={"patches": 1, "frames": 1, "embedding": 1},
)
