"""Defines Hung and Lerch's five methods at full size: a harmonic CNN and a pre-trained feature over time.

Source: Hung and Lerch, Feature-informed embedding space regularization for audio classification, EUSIPCO
    2022, sections II and III; encoder, decoder and training are Won et al.'s, whose code they follow

The encoder is the one in papers/, which is put on the path.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from losses import con_reg, dis_reg
from torch import Tensor, nn
from torch.nn import functional

sys.path.append(str(Path(__file__).resolve().parents[1] / "papers"))

from harmonic_cnn import HarmonicCnn
from labels import DCASE17
from recipe import count_parameters


@dataclass(frozen=True)
class Feature:
    """A pre-trained feature: rows [frames, size] at a rate of their own."""

    name: str
    size: int
    rate_hz: float
    parameters: int
    """Of the networks that compute it, which inference needs unless the method only trains with it."""


VGGISH = Feature("vggish", 128, 1 / 0.96, 72_141_184)
OPENL3 = Feature("openl3", 512, 10.0, 4_687_042)
COMBINED = Feature("combined", 640, 10.0, 72_141_184 + 4_687_042)
# Others, whose weights are at hand.
YAMNET = Feature("yamnet", 1024, 1 / 0.48, 3_729_481)
MUSICNN = Feature("musicnn", 200, 16_000 / (187 * 256), 787_159)
AISFX = Feature("aisfx", 512, 44_100 / (50 * 1024), 4_686_144)
NO_FEATURE = Feature("none", 1, 1.0, 0)
"""What `none` takes, which looks at none."""
FEATURES = {one.name: one for one in (VGGISH, OPENL3, COMBINED, YAMNET, MUSICNN, AISFX)}


def align(feature: Tensor, frames: int) -> Tensor:
    """Return a feature [n, any, d] at the times of an embedding's frames: rows are repeated or averaged.

    Frame t of T begins after t / T of the patch. Where the feature has more rows than that, a frame has the
    mean of those that begin within it; else the last row that began by then.
    """
    rows = feature.shape[1]
    if rows == frames:
        return feature
    if rows < frames:
        return feature[:, torch.arange(frames) * rows // frames]
    whose = torch.arange(rows) * frames // rows
    sums = feature.new_zeros(len(feature), frames, feature.shape[2]).index_add_(1, whose, feature)
    return sums / torch.bincount(whose, minlength=frames).to(feature)[:, None]


class Method(nn.Module):
    """A harmonic CNN alone, as Won et al. have it: the baseline, and what the others are made of.

    Input:  patches [n, 6, 128, frames] in dB, feature [n, any, size]
    Output: logits [n, labels] of labels that don't exclude one another
    """

    name: ClassVar[str] = "none"
    at_inference: ClassVar[bool] = False
    """Whether the feature is needed then."""

    def __init__(
        self, labels: int, feature: Feature, width: int = 128, last: int | tuple[int, int] = 2
    ) -> None:
        super().__init__()
        self.feature = feature
        self.net = HarmonicCnn(labels, width, last=last)
        self.size = 2 * width

    def frames(self, patches: Tensor, feature: Tensor) -> Tensor:  # noqa: ARG002  # others take it
        """Return what the decoder sees, [n, frames, any]."""
        return self.net.frames(patches)

    def forward(self, patches: Tensor, feature: Tensor) -> Tensor:
        """Return logits; frames are pooled by their maximum before the decoder, as in Won et al.'s code."""
        return self.net.decoder(self.frames(patches, feature).amax(dim=1))  # type: ignore[no-any-return]

    def loss(self, patches: Tensor, feature: Tensor, truth: Tensor) -> Tensor:
        """Return the binary cross-entropy, the mean over labels, for truth [n, labels] of 0 and 1."""
        return functional.binary_cross_entropy_with_logits(self(patches, feature), truth)

    def parameters_trained(self) -> int:
        """Return the number of Table II's first columns."""
        return count_parameters(self)

    def parameters_run(self) -> int:
        """Return the number of Table II's last columns: the feature's networks too, not what only trains."""
        return count_parameters(self) + (self.feature.parameters if self.at_inference else 0)


class ConReg(Method):
    """Frames of the embedding are drawn to the feature's, seen through a 1 x 1 convolution: equation 2."""

    name = "con-reg"
    alpha = 5.0

    def __init__(
        self, labels: int, feature: Feature, width: int = 128, last: int | tuple[int, int] = 2
    ) -> None:
        super().__init__(labels, feature, width, last)
        self.project = nn.Conv1d(feature.size, self.size, 1)

    def loss(self, patches: Tensor, feature: Tensor, truth: Tensor) -> Tensor:
        """Return equation 1."""
        frames = self.net.frames(patches)
        logits = self.net.decoder(frames.amax(dim=1))
        loss = functional.binary_cross_entropy_with_logits(logits, truth)
        return loss + self.alpha * self.regulariser(frames, align(feature, frames.shape[1]))

    def regulariser(self, frames: Tensor, feature: Tensor) -> Tensor:
        """Return the mean cosine distance over sounds and frames."""
        projected = self.project(feature.transpose(1, 2)).transpose(1, 2)
        return con_reg(frames.flatten(0, 1), projected.flatten(0, 1))

    def parameters_run(self) -> int:
        """Return the number without the convolution, which only trains."""
        return count_parameters(self.net)


class DisReg(ConReg):
    """Distances between sounds' embeddings are drawn towards those between their features: equation 3."""

    name = "dis-reg"
    alpha = 1.0

    def __init__(
        self, labels: int, feature: Feature, width: int = 128, last: int | tuple[int, int] = 2
    ) -> None:
        super().__init__(labels, feature, width, last)
        del self.project

    def regulariser(self, frames: Tensor, feature: Tensor) -> Tensor:
        """Return the mean difference of distances over frames and pairs of different sounds."""
        pairs = zip(frames.unbind(dim=1), feature.unbind(dim=1), strict=True)
        return torch.stack([dis_reg(a, b) for a, b in pairs]).mean()


class FeatureOnly(Method):
    """The decoder on the feature; the CNN is gone."""

    name = "feature-only"
    at_inference = True

    def __init__(
        self, labels: int, feature: Feature, width: int = 128, last: int | tuple[int, int] = 2
    ) -> None:
        super().__init__(labels, feature, width, last)
        del self.net.norm, self.net.blocks
        self.net.decoder[0] = nn.Linear(feature.size, self.size)

    def frames(self, patches: Tensor, feature: Tensor) -> Tensor:  # noqa: ARG002
        """Return the feature as it is."""
        return feature


class Concat(Method):
    """The decoder on embedding and feature side by side."""

    name = "concat"
    at_inference = True

    def __init__(
        self, labels: int, feature: Feature, width: int = 128, last: int | tuple[int, int] = 2
    ) -> None:
        super().__init__(labels, feature, width, last)
        self.net.decoder[0] = nn.Linear(self.size + feature.size, self.size)

    def frames(self, patches: Tensor, feature: Tensor) -> Tensor:
        """Return both."""
        frames = self.net.frames(patches)
        return torch.cat([frames, align(feature, frames.shape[1])], dim=2)


class Film(Method):
    """The feature scales and shifts the embedding: equation 4."""

    name = "film"
    at_inference = True

    def __init__(
        self, labels: int, feature: Feature, width: int = 128, last: int | tuple[int, int] = 2
    ) -> None:
        super().__init__(labels, feature, width, last)
        self.gamma, self.beta = (nn.Linear(feature.size, self.size) for _ in range(2))

    def frames(self, patches: Tensor, feature: Tensor) -> Tensor:
        """Return the embedding scaled and shifted."""
        frames = self.net.frames(patches)
        aligned = align(feature, frames.shape[1])
        return self.gamma(aligned) * frames + self.beta(aligned)


METHODS: dict[str, type[Method]] = {
    method.name: method for method in (Method, FeatureOnly, Concat, Film, ConReg, DisReg)
}


def table_2(labels: int = len(DCASE17)) -> Mapping[tuple[str, str], tuple[int, int]]:
    """Return parameters in training and at inference by method and feature, the paper's Table II in full."""
    with torch.device("meta"):
        return {
            (method.name, feature.name): (net.parameters_trained(), net.parameters_run())
            for method in METHODS.values()
            if method is not Method
            for feature in (VGGISH, OPENL3, COMBINED)
            for net in [method(labels, feature)]
        }
