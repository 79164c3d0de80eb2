"""Training a head: embeddings of labelled files, cross-validation, and the model that comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import ModelError
from fastaudio.heads import embedders, metrics
from fastaudio.heads.cards import card_of, notes_of
from fastaudio.heads.classifier import Classifier, Kind, Options, train
from fastaudio.heads.data import Examples, PathLike, Progress, examples
from fastaudio.heads.evaluation import Evaluation
from fastaudio.heads.extras import require
from fastaudio.heads.folds import check, check_learnt, deal
from fastaudio.heads.head import Head
from fastaudio.heads.rows import Rows, read

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fastaudio.pipeline import Pipeline

TOLERANCE = 1e-5
"""How far scores of the exported head may be from scikit-learn's."""

_KINDS = ("linear", "mlp")


def fit(
    embedder: str | os.PathLike[str] | Pipeline,
    files: Sequence[PathLike],
    labels: Sequence[str] | Sequence[Sequence[str]],
    *,
    kind: Kind = "linear",
    layer: str | None = None,
    groups: Sequence[Any] | None = None,
    folds: int = 5,
    average: bool = False,
    l2: bool = False,
    balanced: bool = True,
    hidden: int = 100,
    penalty: float = 10.0,
    seed: int = 0,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Head:
    """Train a head for labels of one's own on a model's embedding.

    Rows are standardised by the training files, and classified by one dense layer or two. How good that
    is comes from cross-validation: each file is judged by a head that learnt from other files, of other
    groups; its scores are the mean over its windows. The head returned learnt from all of them.

    Windows are the embedder's: clips shorter than one repeat their rows, or are padded, as its card says,
    in training and running alike; `Pipeline.with_hop` makes more of them.

    Args:
        embedder: name or card of a model, or a pipeline whose rows are embeddings.
        files: paths.
        labels: of each file: one, for scores that sum to 1; or a list, for scores on their own.
        kind: "linear", one dense layer (variant A of Alonso-Jimenez et al.), or "mlp", a hidden one before
            it (variant B).
        layer: the model's output to learn from; None for the first that its card calls an embedding.
        groups: of each file, anything that compares: recordings of one artist, say. A group's files are
            never both learnt from and judged. None: each file for itself.
        folds: parts that the files are dealt into.
        average: one row a clip, the mean of its windows: scores come at the end. False: each window is a
            row, a clip's windows together weigh as much as another's, and scores stream.
        l2: divide standardised rows by their length, as Kumar et al. do.
        balanced: labels weigh alike, however many files each has; not for "mlp" with lists of labels.
        hidden: units of the hidden layer.
        penalty: of the squared weights, against a loss that is one file's at most: scikit-learn's 1 / C.
        seed: of folds, and of "mlp".
        jobs: files at once; one for each processor core by default.
        progress: called with "embedding" or "training", how much is done, and the total.

    Raises:
        TypeError, ValueError: labels that can't be learnt (each error names one), lengths that differ, an
            option outside its range, rows that aren't vectors.
        ModelError: no such model, or an export that doesn't give scikit-learn's scores.
        MissingExtra: no scikit-learn, or no onnx.

    Source: Alonso-Jimenez, Bogdanov, Pons and Serra, Tensorflow audio models in Essentia, ICASSP 2020,
        section 4; Kumar, Wang, Ithapu and Fuegen, Do sound event representations generalize to other
        audio tasks?, Interspeech 2021
    """
    for package in ("sklearn", "onnx"):
        require(package, extra="train", what="heads.fit")
    _check_options(kind, folds, hidden, penalty)
    asked = examples("heads.fit", files, labels, groups)
    _check_labels(asked)
    pipeline = embedders.embedder_of(embedder, layer, average=average)
    options = Options(kind, asked.multi, balanced, l2, hidden, float(penalty), seed)

    rows = read(pipeline, asked, jobs, progress)
    try:
        _check_labels(rows.clips)
    except ValueError as error:  # there would have been enough
        path, reason = rows.failed[0]
        raise ValueError(f"{error}; {len(rows.failed)} can't be read: {path}: {reason}, ...") from error
    judged = _cross_validate(rows, options, folds, progress)
    classifier = train(rows.values, rows.of_rows(rows.clips.truth), rows.shares, options)
    if progress is not None:
        progress("training", len(judged.folds) + 1, len(judged.folds) + 1)
    metrics_of = {name: [part[name] for part in judged.folds] for name in metrics.NAMES}
    means = {name: metrics.mean(np.array(values)) for name, values in metrics_of.items()}
    stds = {name: metrics.std(np.array(values)) for name, values in metrics_of.items()}
    card = card_of(
        pipeline,
        clips=rows.clips,
        options=options,
        classifier=classifier,
        means=means,
        stds=stds,
        n_folds=len(judged.folds),
        average=average,
    )
    tagger = embedders.tagger_of(pipeline, classifier, rows.clips.labels, card)
    _check_export(tagger, classifier, rows)
    notes = notes_of(card, converged=classifier.converged)
    evaluation = Evaluation(
        rows.clips.labels, rows.clips.truth, judged.scores, asked.multi, rows.failed, tagger.name
    )
    licence = embedders.licence_of(pipeline)
    return Head(rows.clips.labels, means, stds, evaluation, rows.failed, tagger, classifier, notes, licence)


@dataclass(frozen=True)
class _Judged:
    """Cross-validation: scores of each clip [n_clips, n_labels], and the metrics of each fold."""

    scores: NDArray[np.float64]
    folds: list[dict[str, float]]


def _cross_validate(rows: Rows, options: Options, n_folds: int, progress: Progress | None) -> _Judged:
    clips = rows.clips
    fold_of = deal(clips.truth, clips.groups, n_folds, options.seed)
    check_learnt(clips.truth, fold_of, clips.labels)
    total = int(fold_of.max()) + 2  # and the one trained on all
    scores = np.zeros(clips.truth.shape)
    found = []
    for fold in range(total - 1):
        learnt = rows.of_rows(fold_of != fold)
        truth = rows.of_rows(clips.truth)[learnt]
        one = train(rows.values[learnt], truth, rows.shares[learnt], options)
        judged = np.flatnonzero(fold_of == fold)
        scores[judged] = rows.clip_means(one.scores(rows.values[~learnt]), judged)
        of_labels = metrics.of_labels(clips.truth[judged], scores[judged], multi=options.multi)
        found.append(metrics.macro(of_labels))
        if progress is not None:
            progress("training", fold + 1, total)
    return _Judged(scores, found)


def _check_export(tagger: Pipeline, classifier: Classifier, rows: Rows) -> None:
    """Refuse a model that doesn't give scikit-learn's scores: of all rows, and of each label's first file."""
    want = classifier.scores(rows.values)
    got = np.asarray(embedders.head_alone(classifier)(rows.values))
    error = float(np.abs(got - want).max())
    for k in range(len(rows.clips.labels)):
        first = int(np.flatnonzero(rows.clips.truth[:, k])[0])
        tags = tagger(rows.clips.files[first])
        error = max(error, float(np.abs(tags.scores - want[rows.clip == first]).max()))
    if not error <= TOLERANCE:
        raise ModelError(
            f"heads.fit: expected an exported head within {TOLERANCE:g} of scikit-learn's scores, got "
            f"{error:.1e}; a larger penalty makes smaller weights"
        )


def _check_options(kind: str, n_folds: int, hidden: int, penalty: float) -> None:
    if kind not in _KINDS:
        raise ValueError(f"heads.fit: expected kind 'linear' or 'mlp', got {kind!r}")
    for name, value, least in (("folds", n_folds, 2), ("hidden", hidden, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"heads.fit: expected {name} as an int of at least {least}, got {value!r}")
    if not 0 < penalty < np.inf:
        raise ValueError(f"heads.fit: expected penalty above 0, got {penalty!r}")


def _check_labels(clips: Examples) -> None:
    if len(clips.labels) < 2:  # noqa: PLR2004  # there is nothing to tell apart
        got = ", ".join(map(repr, clips.labels)) or "none"
        raise ValueError(
            f"heads.fit: expected at least 2 labels, got {got}; give files without it another label"
        )
    check(clips.truth, clips.groups, clips.labels, grouped=clips.grouped)
