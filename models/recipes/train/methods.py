"""Defines the methods compared: each is a network, how it runs, and the loss it is trained to lower.

**To add one**: subclass `Method` in a module of your own, give it a name and put the class into
`METHODS`. Parts are built in `__init__`; `forward(batch)` gives logits [n, n_labels] as at inference;
`loss(batch, augment)` gives the scalar to be lowered. `loss` gets the notes as they are and calls
`augment(batch)` itself: once, or once for each view it needs. The trainer moves every parameter of the
module, so parts needed in training only (a projection) are simply attributes.
"""

from collections.abc import Callable
from typing import ClassVar

import torch
from harmonic_network import EMBEDDING, Decoder, Encoder, HarmonicFilterbank, count
from instruments import Batch
from losses import con_reg, dis_reg
from torch import Tensor, nn
from torch.nn import functional

FEATURE = 200
FEATURE_PARAMETERS = 787_159  # MusiCNN's parameters, as its card says

Augment = Callable[[Batch], Batch]


class Method(nn.Module):
    """A network to be trained; this base learns from labels alone."""

    name: ClassVar[str]
    needs_feature: ClassVar[bool] = False
    """Whether the pre-trained network has to run at inference."""

    def __init__(self, n_labels: int) -> None:
        super().__init__()
        self.n_labels = n_labels
        self.filterbank = HarmonicFilterbank()
        self.encoder = Encoder()
        self.decoder = Decoder(n_labels)

    def embedding(self, batch: Batch) -> Tensor:
        """Return what the network makes of the sound itself [n, 96]."""
        return self.encoder(self.filterbank(batch.power))

    def forward(self, batch: Batch) -> Tensor:
        """Return logits [n, n_labels]."""
        return self.decoder(self.embedding(batch))

    def loss(self, batch: Batch, augment: Augment) -> Tensor:
        """Return what training lowers, for one batch."""
        batch = augment(batch)
        return classification(self(batch), batch)

    def inference_modules(self) -> list[nn.Module]:
        """Return the parts that run at inference, the pre-trained network aside."""
        return [self.filterbank, self.encoder, self.decoder]

    def inference_parameters(self) -> int:
        """Return the number of parameters that inference needs, the pre-trained network's included."""
        own = sum(count(module) for module in self.inference_modules())
        return own + (FEATURE_PARAMETERS if self.needs_feature else 0)


def classification(logits: Tensor, batch: Batch, smoothing: float = 0.1) -> Tensor:
    """Return the cross-entropy, with labels smoothed a little."""
    return functional.cross_entropy(logits, batch.target, label_smoothing=smoothing)


class Plain(Method):
    """Labels alone."""

    name = "plain"


class ConReg(Method):
    """Embeddings are drawn towards the feature, seen through a 1 x 1 convolution."""

    name = "con-reg"
    alpha = 1.0  # the paper has 5, which does worse on held-out training programs here

    def __init__(self, n_labels: int) -> None:
        super().__init__(n_labels)
        self.project = nn.Linear(FEATURE, EMBEDDING)  # a 1 x 1 convolution over the only row

    def loss(self, batch: Batch, augment: Augment) -> Tensor:
        """Return cross-entropy + alpha * Con-Reg."""
        batch = augment(batch)
        embedding = self.embedding(batch)
        regulariser = con_reg(embedding, self.project(batch.feature))
        return classification(self.decoder(embedding), batch) + self.alpha * regulariser


class ConRegAsPrinted(ConReg):
    """The same with the paper's weight."""

    name = "con-reg-5"
    alpha = 5.0


class DisReg(Method):
    """Distances between embeddings are drawn towards those between features."""

    name = "dis-reg"
    alpha = 1.0  # as in the paper

    def loss(self, batch: Batch, augment: Augment) -> Tensor:
        """Return cross-entropy + alpha * Dis-Reg."""
        batch = augment(batch)
        embedding = self.embedding(batch)
        regulariser = dis_reg(embedding, batch.feature)
        return classification(self.decoder(embedding), batch) + self.alpha * regulariser


class FeatureOnly(Method):
    """The decoder on the feature."""

    name = "feature-only"
    needs_feature = True

    def __init__(self, n_labels: int) -> None:
        super().__init__(n_labels)
        del self.filterbank, self.encoder
        self.standardise = standardise()
        self.decoder = Decoder(n_labels, FEATURE)

    def forward(self, batch: Batch) -> Tensor:
        """Return logits [n, n_labels]."""
        return self.decoder(self.standardise(batch.feature))

    def inference_modules(self) -> list[nn.Module]:
        """Return the decoder alone."""
        return [self.decoder]


class Concat(Method):
    """The decoder on embedding and feature side by side."""

    name = "concat"
    needs_feature = True

    def __init__(self, n_labels: int) -> None:
        super().__init__(n_labels)
        self.standardise = standardise()
        self.decoder = Decoder(n_labels, EMBEDDING + FEATURE)

    def forward(self, batch: Batch) -> Tensor:
        """Return logits [n, n_labels]."""
        feature = self.standardise(batch.feature)
        return self.decoder(torch.cat([self.embedding(batch), feature], dim=1))


class Film(Method):
    """The feature scales and shifts the embedding: f(v) * l + h(v), f and h linear."""

    name = "film"
    needs_feature = True

    def __init__(self, n_labels: int) -> None:
        super().__init__(n_labels)
        self.standardise = standardise()
        self.gamma = nn.Linear(FEATURE, EMBEDDING)
        self.beta = nn.Linear(FEATURE, EMBEDDING)
        nn.init.ones_(self.gamma.bias)

    def forward(self, batch: Batch) -> Tensor:
        """Return logits [n, n_labels]."""
        feature = self.standardise(batch.feature)
        return self.decoder(self.gamma(feature) * self.embedding(batch) + self.beta(feature))

    def inference_modules(self) -> list[nn.Module]:
        """Return the two linear layers too."""
        return [*super().inference_modules(), self.gamma, self.beta]


def standardise() -> nn.Module:
    """Return what gives the feature mean 0 and spread 1, as seen in training; nothing is learnt."""
    return nn.BatchNorm1d(FEATURE, affine=False)


METHODS: dict[str, type[Method]] = {
    method.name: method for method in (Plain, ConReg, ConRegAsPrinted, DisReg, FeatureOnly, Concat, Film)
}
