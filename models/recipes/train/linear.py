"""Trains a linear classifier on fixed embeddings; its decay is chosen on held-out programs.

Source: Kumar, Wang, Ithapu & Fuegen, section 2.1: embeddings are standardised by the training data and
    scaled to unit length before a linear layer
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

DECAYS = (1e-4, 1e-3, 1e-2)
FOLDS = 4


class Scaling(nn.Module):
    """Scales embeddings before the linear layer by mean and deviation of training rows [n, d]."""

    def __init__(self, x: Tensor, *, unit_length: bool) -> None:
        super().__init__()
        self.unit_length = unit_length
        self.register_buffer("mean", x.mean(dim=0))
        self.register_buffer("std", x.std(dim=0, correction=0).clamp_min(1e-6))

    def forward(self, x: Tensor) -> Tensor:
        """Return rows, of length sqrt(d) if `unit_length`, so that one range of decays suits all."""
        scaled = (x - self.mean) / self.std
        return functional.normalize(scaled, dim=1) * x.shape[1] ** 0.5 if self.unit_length else scaled


def fit(x: Tensor, y: Tensor, n_labels: int, decay: float) -> nn.Linear:
    """Return the layer of least cross-entropy + decay * the weights' squares; the same every time."""
    layer = nn.Linear(x.shape[1], n_labels)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = functional.cross_entropy(layer(x), y) + decay * layer.weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return layer


def accuracy(layer: nn.Linear, x: Tensor, y: Tensor) -> float:
    """Return the share of rows whose largest logit is their label's."""
    return float((layer(x).argmax(dim=1) == y).double().mean())


def choose_decay(
    x: Tensor,
    y: Tensor,
    program: Tensor,
    n_labels: int,
    *,
    unit_length: bool,
    decays: Sequence[float] = DECAYS,
) -> float:
    """Return the decay that is best on programs left out in turn; of equal ones the largest."""
    programs = program.unique()
    fold = torch.arange(len(programs)) % min(FOLDS, len(programs))
    place = fold[torch.searchsorted(programs, program)]
    right = dict.fromkeys(decays, 0.0)
    for held_out in fold.unique():
        learn, score = place != held_out, place == held_out
        scaling = Scaling(x[learn], unit_length=unit_length)
        for decay in decays:
            layer = fit(scaling(x[learn]), y[learn], n_labels, decay)
            right[decay] += accuracy(layer, scaling(x[score]), y[score]) * int(score.sum())
    return max(decays, key=lambda decay: (right[decay], decay))


def classifier(
    x: Tensor, y: Tensor, program: Tensor, n_labels: int, *, unit_length: bool = True
) -> nn.Sequential:
    """Return the module that gives logits [n, n_labels] of rows as they are, scaling included."""
    decay = choose_decay(x, y, program, n_labels, unit_length=unit_length)
    scaling = Scaling(x, unit_length=unit_length)
    return nn.Sequential(scaling, fit(scaling(x), y, n_labels, decay))
