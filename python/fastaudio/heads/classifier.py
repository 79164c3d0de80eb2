"""Classifiers of rows: standardise, perhaps scale to one length, then one dense layer or two."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from fastaudio._system.waiting import elsewhere
from fastaudio.heads import adam
from fastaudio.heads.extras import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastaudio.heads.data import Examples

    Float64: TypeAlias = NDArray[np.float64]
    _Layer: TypeAlias = tuple[Float64, Float64]
    _Fitted: TypeAlias = tuple[list[_Layer], Callable[[Float64], Float64], bool]

Kind: TypeAlias = Literal["linear", "mlp"]
Protocol: TypeAlias = Literal["paper"]

_STEPS = 2000  # at most, for the linear solver; some tens usually do
_CONSTANT = 1e-6  # relative to the mean or the largest deviation; less is rounding
_EPOCHS = 150  # as in Alonso-Jimenez et al. (2020)
_BATCH, _LARGE_BATCH, _MANY_ROWS = 32, 256, 20_000


@dataclass(frozen=True)
class Options:
    """Training options of a classifier; see `fit`."""

    kind: Kind
    multi: bool
    balanced: bool
    l2: bool
    hidden: int
    penalty: float
    seed: int
    standardise: bool = True
    protocol: Protocol | None = None


@dataclass(frozen=True)
class Classifier:
    """A trained classifier.

    Attributes:
        mean: mean of the training rows [n_values], for standardisation; zeros without it.
        std: their standard deviation [n_values]; ones without it.
        l2: whether these rows are then divided by their length.
        layers: weights [n_in, n_out] and biases [n_out] of each layer, with a ReLU between two.
        multi: whether scores are independent (sigmoid) or sum to one (softmax).
        reference: gives the probabilities of what was trained, scikit-learn's or `adam`'s, for such rows.
        converged: whether the solver converged; always true of "mlp", which learns for fixed epochs.
    """

    mean: Float64
    std: Float64
    l2: bool
    layers: tuple[_Layer, ...]
    multi: bool
    reference: Callable[[Float64], Float64]
    converged: bool

    def scores(self, rows: NDArray[np.float32]) -> Float64:
        """Return what was trained makes of rows [n_rows, n_values]: probabilities [n_rows, n_labels]."""
        return self.reference(_prepare(rows, self.mean, self.std, l2=self.l2))

    def logits(self, rows: NDArray[np.float32]) -> Float64:
        """Return what the last layer gives [n_rows, n_labels] for rows [n_rows, n_values]."""
        return _through(self.layers, _unit(_prepare(rows, self.mean, self.std, l2=self.l2), l2=self.l2))

    def calibrated(self, scale: Float64, offset: Float64) -> Classifier:
        """Return a classifier whose last layer gives scale [n_labels] * what it gave + offset [n_labels]."""
        *before, (weights, biases) = self.layers
        layers = (*before, (weights * scale, biases * scale + offset))

        def reference(ready: Float64) -> Float64:
            return probabilities(_through(layers, _unit(ready, l2=self.l2)), multi=self.multi)

        return replace(self, layers=layers, reference=reference)


def probabilities(logits: Float64, *, multi: bool) -> Float64:
    """Return scores: sigmoid with `multi`, else softmax over the last axis."""
    if multi:
        independent: Float64 = np.exp(-np.logaddexp(0, -logits))
        return independent
    raised: Float64 = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Float64 = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def _through(layers: tuple[_Layer, ...], x: Float64) -> Float64:
    for i, (weights, biases) in enumerate(layers):
        x = (x if i == 0 else np.maximum(x, 0)) @ weights + biases
    return x


def _unit(ready: Float64, *, l2: bool) -> Float64:
    """Return rows as the layers take them, which with l2 have length 1."""
    return ready / np.sqrt(ready.shape[1]) if l2 else ready


def train(
    rows: NDArray[np.float32], truth: NDArray[np.bool_], shares: Float64, options: Options
) -> Classifier:
    """Train on rows [n_rows, n_values] that have the labels `truth` [n_rows, n_labels].

    `shares` is each row's share of its clip; the shares of a clip sum to 1.
    """
    mean, std = _statistics(rows, shares, options)
    ready = _prepare(rows, mean, std, l2=options.l2)
    warning: Any = require("sklearn.exceptions", extra="train", what="heads.fit").ConvergenceWarning
    # On small matrices several threads wait for each other; on a busy machine that takes minutes.
    one_thread = require("threadpoolctl", extra="train", what="heads.fit").threadpool_limits
    fit = _mlp if options.kind == "mlp" else _linear

    def learn() -> _Fitted:
        with one_thread(1):
            return fit(ready, truth, shares, options)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", warning)  # `converged` says it
        # Elsewhere, since scikit-learn takes Ctrl-C for the end of training, and goes on with what it has.
        layers, reference, converged = elsewhere(learn)
    return _made(mean, std, layers, options, reference, converged=converged)


def train_by_protocol(
    rows: NDArray[np.float32], clip: NDArray[np.int64], clips: Examples, options: Options, n_rows: int
) -> Classifier:
    """Train by the paper's protocol on rows [n_rows, n_values], of which `clip` says the clip, in order.

    `n_rows` is the number of rows that a segment has.

    Raises:
        ValueError: too few files of a label, so that none can be kept for validation.
    """
    found, first, count = np.unique(clip, return_index=True, return_counts=True)
    mean, std = _statistics(rows, 1 / np.repeat(count, count), options)
    ready = _prepare(rows, mean, std, l2=options.l2)
    given = adam.Clips(ready, clips.truth[found], first, count, clips.groups[found])
    inner = [options.hidden] if options.kind == "mlp" else []
    sizes = [rows.shape[1], *inner, len(clips.labels)]
    how: dict[str, Any] = {"multi": options.multi, "n_rows": n_rows, "seed": options.seed}
    one_thread = require("threadpoolctl", extra="train", what="heads.fit").threadpool_limits

    def learn() -> list[_Layer]:
        with one_thread(1):
            return adam.learn(given, sizes, clips.labels, **how)

    layers = elsewhere(learn)
    return _made(mean, std, layers, options, adam.scores(layers, multi=options.multi), converged=True)


def _made(
    mean: Float64,
    std: Float64,
    layers: list[_Layer],
    options: Options,
    reference: Callable[[Float64], Float64],
    *,
    converged: bool,
) -> Classifier:
    first, *rest = layers
    if options.l2:  # trained on rows of length sqrt(n_values), but exported rows have length 1
        first = (first[0] * np.sqrt(len(mean)), first[1])
    return Classifier(mean, std, options.l2, (first, *rest), options.multi, reference, converged)


def _statistics(rows: NDArray[np.float32], shares: Float64, options: Options) -> tuple[Float64, Float64]:
    """Return mean and standard deviation of rows, or 0 and 1 if they aren't to be standardised."""
    if not options.standardise:
        return np.zeros(rows.shape[1]), np.ones(rows.shape[1])
    mean = _rounded(np.average(rows, axis=0, weights=shares))
    std = _rounded(np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=shares)))
    constant = std <= _CONSTANT * np.maximum(np.abs(mean), std.max())
    std[constant] = 1  # standardised, such values are about 0
    return mean, std


def _rounded(values: Float64) -> Float64:
    """Round to float32, so that the exported head subtracts the same values as the trained one."""
    return values.astype(np.float32).astype(np.float64)


def _prepare(rows: NDArray[np.float32], mean: Float64, std: Float64, *, l2: bool) -> Float64:
    """Return standardised rows; with l2 they all have the length that makes their mean square 1."""
    ready: Float64 = (rows - mean) / std
    if l2:
        lengths = np.linalg.norm(ready, axis=1, keepdims=True)
        ready *= np.sqrt(rows.shape[1]) / np.where(lengths > 0, lengths, 1)
    return ready


def balance(truth: NDArray[np.bool_], shares: Float64, *, balanced: bool) -> Float64:
    """Return row weights that make all classes count equally and keep the sum."""
    if not balanced:
        return shares
    sums = truth.T @ shares
    each: Float64 = (truth / np.maximum(sums, 1e-30)).sum(axis=1)
    balanced_shares: Float64 = shares * each * (shares.sum() / truth.shape[1])
    return balanced_shares


def _linear(ready: Float64, truth: NDArray[np.bool_], shares: Float64, options: Options) -> _Fitted:
    model = require("sklearn.linear_model", extra="train", what="heads.fit").LogisticRegression

    def fit(classes: NDArray[np.bool_]) -> Any:
        weights = balance(classes, shares, balanced=options.balanced)
        one = model(C=1 / options.penalty, max_iter=_STEPS)
        return one.fit(ready, classes.argmax(axis=1), sample_weight=weights)

    if not options.multi:
        whole = fit(truth)
        layer = _two_columns(whole.coef_.T, whole.intercept_)
        return [layer], whole.predict_proba, _converged(whole)
    each = [fit(np.stack([~column, column], axis=1)) for column in truth.T]
    weights = np.concatenate([one.coef_ for one in each]).T
    biases = np.concatenate([one.intercept_ for one in each])

    def reference(x: Float64) -> Float64:
        return np.stack([one.predict_proba(x)[:, 1] for one in each], axis=1)

    return [(weights, biases)], reference, all(map(_converged, each))


def _converged(model: Any) -> bool:
    return bool(np.max(model.n_iter_) < _STEPS)


def _mlp(ready: Float64, truth: NDArray[np.bool_], shares: Float64, options: Options) -> _Fitted:
    model = require("sklearn.neural_network", extra="train", what="heads.fit").MLPClassifier
    batch = min(_BATCH if len(ready) < _MANY_ROWS else _LARGE_BATCH, len(ready))
    one = model(
        (options.hidden,),
        alpha=options.penalty * batch / len(ready),  # scikit-learn divides alpha by the rows of a batch
        batch_size=batch,
        max_iter=_EPOCHS,
        random_state=options.seed,
    )
    weights = shares
    if not options.multi:  # no weight of a row balances all of its labels
        weights = balance(truth, shares, balanced=options.balanced)
    target = truth.astype(np.int64) if options.multi else truth.argmax(axis=1)
    one.fit(ready, target, sample_weight=weights)
    layers = list(zip(one.coefs_, one.intercepts_, strict=True))
    if not options.multi:
        layers[-1] = _two_columns(*layers[-1])
    return layers, one.predict_proba, True


def _two_columns(weights: Float64, biases: Float64) -> _Layer:
    """Return a layer with at least two columns: scikit-learn keeps a single one for two classes."""
    if weights.shape[1] > 1:
        return weights, biases
    both = np.array([[-0.5, 0.5]])
    return weights @ both, biases @ both
