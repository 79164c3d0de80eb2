"""Training by Adam on random segments of clips, with a part of the clips kept for validation.

Source: Alonso-Jimenez, Bogdanov, Pons and Serra, Tensorflow audio models in Essentia, ICASSP 2020,
    section 3.1
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from fastaudio.heads.folds import deal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Float64: TypeAlias = NDArray[np.float64]
    Layer: TypeAlias = tuple[Float64, Float64]

SEGMENT_S = 3.0
"""Length of the segments that are learnt from."""

EPOCHS, BATCH = 150, 32
RATE, PATIENCE = 1e-3, 75
PARTS = 5  # one of them is for validation, so 20 %

_DECAYS = (0.9, 0.999)  # of Adam's means
_SMALL = 1e-7


@dataclass(frozen=True)
class Clips:
    """Rows of clips, one clip after another, as segments are drawn from them.

    Attributes:
        rows: what is learnt from [n_rows, n_values].
        truth: which labels each clip has [n_clips, n_labels].
        first: index of each clip's first row [n_clips].
        count: its number of rows [n_clips].
        groups: number of each clip's group [n_clips].
    """

    rows: Float64
    truth: NDArray[np.bool_]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    groups: NDArray[np.int64]

    def segments(
        self, clips: NDArray[np.int64], n_rows: int | None, rng: np.random.Generator | None
    ) -> tuple[Float64, Float64, Float64]:
        """Return rows, their truth and their shares; those of a segment have equal shares, which sum to 1.

        A segment is `n_rows` rows from a random place of a clip, or all of them if there are fewer, or if
        `n_rows` is None.
        """
        count = self.count[clips]
        taken = count if n_rows is None else np.minimum(count, n_rows)
        latest = count - taken
        start = self.first[clips] + (0 if rng is None else rng.integers(0, latest + 1))
        whose = np.repeat(np.arange(len(clips)), taken)
        at = start[whose] + np.arange(len(whose)) - np.repeat(np.cumsum(taken) - taken, taken)
        return self.rows[at], self.truth[clips][whose].astype(np.float64), 1 / taken[whose]


def learn(
    clips: Clips, sizes: Sequence[int], labels: Sequence[str], *, multi: bool, n_rows: int, seed: int
) -> list[Layer]:
    """Return weights and biases of dense layers, whose widths are `sizes`, with a ReLU between two.

    A fifth of the clips, whole groups of each label, is kept for validation: if its loss hasn't decreased for
    75 epochs, the learning rate is halved. There are 150 epochs, in batches of a random segment of each of
    32 clips. The last weights are returned.

    Raises:
        ValueError: no part can be kept without taking all files of a label; the message names one.
    """
    rng = np.random.default_rng(seed)
    learnt, held = _split(clips, labels, seed)
    layers = _start(rng, sizes)
    optimiser = _Adam([part for layer in layers for part in layer])
    least, since = np.inf, 0
    validation = clips.segments(held, None, None)
    for _ in range(EPOCHS):
        order = rng.permutation(learnt)
        for batch in np.split(order, range(BATCH, len(order), BATCH)):
            optimiser.step(_gradients(layers, *clips.segments(batch, n_rows, rng), multi=multi))
        loss = _loss(layers, *validation, multi=multi)
        since = 0 if loss < least else since + 1
        least = min(loss, least)
        if since == PATIENCE:
            optimiser.rate, since = optimiser.rate / 2, 0
    return layers


class _Adam:
    """Kingma and Ba's optimiser, ICLR 2015, which changes parameters in place."""

    def __init__(self, parameters: Sequence[Float64]) -> None:
        self.rate = RATE
        self._parameters = parameters
        self._means = [np.zeros_like(part) for part in parameters]
        self._squares = [np.zeros_like(part) for part in parameters]
        self._steps = 0

    def step(self, gradients: Sequence[Float64]) -> None:
        self._steps += 1
        # The means begin at 0, which this makes good.
        rate = self.rate * np.sqrt(1 - _DECAYS[1] ** self._steps) / (1 - _DECAYS[0] ** self._steps)
        for k, gradient in enumerate(gradients):
            mean, square = self._means[k], self._squares[k]
            mean += (1 - _DECAYS[0]) * (gradient - mean)
            square += (1 - _DECAYS[1]) * (gradient**2 - square)
            self._parameters[k][...] -= rate * mean / (np.sqrt(square) + _SMALL)


def scores(layers: Sequence[Layer], *, multi: bool) -> Callable[[Float64], Float64]:
    """Return what gives the layers' probabilities for rows: independent with `multi`, else they sum to 1."""

    def of(rows: Float64) -> Float64:
        return _probabilities(_activations(layers, rows)[-1], multi=multi)

    return of


def _split(clips: Clips, labels: Sequence[str], seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return clips to learn from and those for validation; no label is in the latter alone."""
    part = deal(clips.truth, clips.groups, PARTS, seed)
    there = clips.truth.any(axis=0)
    left = [clips.truth[part != k].any(axis=0) for k in range(int(part.max()) + 1)]
    for k, labels_left in enumerate(left):
        if labels_left[there].all():
            return np.flatnonzero(part != k), np.flatnonzero(part == k)
    gone = int(np.flatnonzero(there & ~np.min(left, axis=0))[0])
    raise ValueError(
        f"heads.fit: expected files of {labels[gone]!r:.80} for learning and for validation, got too few; "
        "protocol='paper' needs at least 4 files, or groups of them, of each label: add some, or leave out "
        "the protocol"
    )


def _start(rng: np.random.Generator, sizes: Sequence[int]) -> list[Layer]:
    """Return layers as Keras starts them, which the paper used: Glorot's uniform weights, no bias."""
    layers = []
    for n_in, n_out in pairwise(sizes):
        most = np.sqrt(6 / (n_in + n_out))
        layers.append((rng.uniform(-most, most, (n_in, n_out)), np.zeros(n_out)))
    return layers


def _activations(layers: Sequence[Layer], rows: Float64) -> list[Float64]:
    """Return what goes into each layer, and the logits."""
    found = [rows]
    for i, (weights, biases) in enumerate(layers):
        logits = found[-1] @ weights + biases
        found.append(np.maximum(logits, 0) if i < len(layers) - 1 else logits)
    return found


def _probabilities(logits: Float64, *, multi: bool) -> Float64:
    if multi:
        return 0.5 * (1 + np.tanh(0.5 * logits))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Float64 = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def _gradients(
    layers: Sequence[Layer], rows: Float64, truth: Float64, shares: Float64, *, multi: bool
) -> list[Float64]:
    """Return the gradient of the mean loss of segments for each weight and bias."""
    found = _activations(layers, rows)
    weighed = (shares / shares.sum())[:, None] / (truth.shape[1] if multi else 1)
    back = (_probabilities(found[-1], multi=multi) - truth) * weighed
    gradients: list[Float64] = []
    for (weights, _), came in zip(reversed(layers), reversed(found[:-1]), strict=True):
        gradients[:0] = [came.T @ back, back.sum(axis=0)]
        back = (back @ weights.T) * (came > 0)
    return gradients


def _loss(layers: Sequence[Layer], rows: Float64, truth: Float64, shares: Float64, *, multi: bool) -> float:
    """Return the mean cross-entropy of segments; with `multi` the mean over labels of each one's."""
    logits = _activations(layers, rows)[-1]
    if multi:
        each = (np.logaddexp(0, logits) - truth * logits).mean(axis=1)
    else:
        highest = logits.max(axis=1, keepdims=True)
        logs = logits - highest - np.log(np.exp(logits - highest).sum(axis=1, keepdims=True))
        each = -(truth * logs).sum(axis=1)
    return float((each * shares).sum() / shares.sum())
