"""Training a head: embeddings of labelled files, cross-validation, and the resulting model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from fastaudio._core import ModelError
from fastaudio._system.text import listed
from fastaudio.cards.licences import licence_of
from fastaudio.heads import embedders
from fastaudio.heads.adam import SEGMENT_S
from fastaudio.heads.augmenting import Augment, altered
from fastaudio.heads.cache import EmbeddingCache
from fastaudio.heads.calibration import Calibration, calibrate
from fastaudio.heads.classifier import Classifier, Kind, Options, Protocol, probabilities
from fastaudio.heads.data import Examples, Progress, Source, examples, refusal
from fastaudio.heads.evaluation import Evaluation, run_tagger
from fastaudio.heads.extras import require
from fastaudio.heads.folds import check, check_given
from fastaudio.heads.head import Head
from fastaudio.heads.head_card import card_of, notes_of
from fastaudio.heads.identity import rows_sha256
from fastaudio.heads.judging import cross_validate, folds_of, learn, over_folds
from fastaudio.heads.over_files import best_thresholds
from fastaudio.heads.rows import Rows, held, read
from fastaudio.running.limits import limits
from fastaudio.tags import Tags

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fastaudio._core import Cancel
    from fastaudio.pipeline import Pipeline

TOLERANCE = 1e-5
"""Largest difference allowed between the scores of the exported head and scikit-learn's."""


def fit(
    embedder: str | os.PathLike[str] | Pipeline,
    files: Sequence[Source],
    labels: Sequence[str] | Sequence[Sequence[str]],
    *,
    kind: Kind = "linear",
    layer: str | None = None,
    groups: Sequence[Any] | None = None,
    folds: int = 5,
    fold_of: Sequence[Any] | None = None,
    average: bool = False,
    l2: bool = False,
    standardise: bool | None = None,
    protocol: Protocol | None = None,
    balanced: bool = True,
    hidden: int = 100,
    penalty: float = 10.0,
    seed: int = 0,
    augment: int | Augment = 0,
    calibrated: bool = True,
    jobs: int | None = None,
    progress: Progress | None = None,
    cache: str | os.PathLike[str] | None = None,
    allow_missing: bool | None = None,
    rows: Sequence[NDArray[Any]] | None = None,
    timeout_s: float | None = None,
    cancel: Cancel | None = None,
) -> Head:
    """Train a head for your own labels on a model's embedding.

    Rows are standardised by the training files and classified by one dense layer or two, which scikit-learn
    fits. Cross-validation measures how good that is: each file is judged by a head that learnt from other
    files, of other groups; its scores are the mean over its windows. The head that is returned learnt from
    all files.

    Windows are the embedder's. Clips shorter than one repeat their rows or are padded, as its card says, both
    in training and later; `Pipeline.with_hop` gives more windows.

    Args:
        embedder: a model's name or card, or a pipeline whose rows are embeddings.
        files: paths, or stretches of recordings as `fastaudio.labelled.Segment`.
        labels: one label per file, for scores that sum to 1, or a list per file, for independent scores.
        kind: "linear" for one dense layer (variant A of Alonso-Jimenez et al.), "mlp" for a hidden layer
            before it (variant B).
        layer: the model's output to learn from; None takes the first that its card calls an embedding.
        groups: each file's group, anything that compares, such as the artist. Files of one group are never
            both learnt from and judged. None makes each file a group.
        folds: number of parts that the files are dealt into.
        fold_of: each file's fold, a number or a name, such as ESC-50's; then `folds` means nothing.
        average: whether each clip is one row, the mean of its windows; scores then come at the end. If not,
            each window is a row, all clips weigh the same in total, and scores stream.
        l2: whether to divide rows by their length after standardising, as Kumar et al. do.
        standardise: whether to standardise rows; None does, unless a protocol is given.
        protocol: "paper" trains as Alonso-Jimenez et al. do: Adam from a learning rate of 0.001, 150 epochs,
            batches of 32 random segments of 3 s, a fifth of the files for validation, and half the rate if
            its loss hasn't decreased for 75 epochs. It is for hundreds of files: from some tens, 150
            epochs are too few steps. `penalty` and `balanced` then mean nothing. None has scikit-learn
            minimise the loss with `penalty`: to the end, or "mlp" by Adam in 150 epochs.
        balanced: whether labels weigh the same however many files they have; "mlp" ignores it for lists of
            labels.
        hidden: number of units of the hidden layer.
        penalty: factor of the squared weights in a loss that sums over files; scikit-learn's 1 / C.
        seed: seed of the folds, of "mlp" and of `augment`.
        augment: how many altered copies of each file to learn from too, or how as `Augment`: louder or
            softer, shifted, with noise, mixed with another. No file is judged by its copies.
        calibrated: whether scores are made probabilities: a temperature, or for lists of labels a scale and
            an offset for each label, is learnt in cross-validation and goes into the last layer. If not,
            scores are scikit-learn's.
        jobs: files at once; None for one per processor core.
        progress: called with "embedding" or "training", how much is done, and the total.
        cache: a folder where embeddings are kept and found again, so that training again with other options
            costs seconds and an interrupted run goes on. A file that was changed is embedded again. The
            folder may be shared by models, and deleted at any time.
        allow_missing: what to do about files that can't be used, which `Head.failed` lists. None goes on
            without them, but refuses if a label loses all of its files; True goes on without such labels
            too, which `Head.lost` lists; False refuses if there is any such file.
        rows: the embedder's rows of each file or stretch, float32 [n_rows, n_values], as a scan has kept them
            (`fastaudio.reviewing.training` finds them); then no sound is read. None runs the embedder.
        timeout_s: seconds after which to give up; None for any time.
        cancel: ends the call when another thread cancels it.

    Raises:
        TypeError, ValueError: labels can't be learnt (the message names one), lengths differ, an option is
            outside its range, rows aren't vectors, files can't be used and `allow_missing` forbids it, or
            a label has too few files for the protocol's validation.
        OutputError: the cache's folder can't be made or written into.
        StateError: `embedder` is an isolated pipeline.
        ModelError: there is no such model, or the exported head doesn't give scikit-learn's scores.
        MissingExtra: scikit-learn or onnx isn't installed.
        TimedOut, Cancelled: it was ended early.

    Source: Alonso-Jimenez, Bogdanov, Pons and Serra, Tensorflow audio models in Essentia, ICASSP 2020,
        section 3.1; Kumar, Wang, Ithapu and Fuegen, Do sound event representations generalize to other
        audio tasks?, Interspeech 2021
    """
    for package in ("sklearn", "onnx"):
        require(package, extra="train", what="heads.fit")
    _check_options(kind, folds, hidden, penalty)
    if protocol not in (None, *get_args(Protocol)):
        raise ValueError(f"heads.fit: expected protocol 'paper' or None, got {protocol!r:.80}")
    how_altered = augment if isinstance(augment, Augment) else Augment(copies=augment)
    _check_augment(how_altered, protocol, has_sound=rows is None)
    given = examples("heads.fit", files, labels, groups, fold_of=fold_of)
    _check_labels(given)
    with limits("heads.fit", timeout_s, cancel):
        base = embedders.embedder_of(embedder, layer)
        pipeline = embedders.averaged(base) if average else base
        scaled = protocol is None if standardise is None else standardise
        how = kind, given.multi, balanced, l2, hidden, float(penalty), seed
        options = Options(*how, standardise=scaled, protocol=protocol)

        kept = None if cache is None else EmbeddingCache(cache, base)
        means = pipeline is not base
        found = (
            read(base, given, jobs, progress, cache=kept, average=means)
            if rows is None
            else held(base, given, rows, progress, average=means)
        )
        lost = given.lost(found.clips)
        found = _usable(found, given, lost, allow_missing)
        clips = found.clips
        in_fold = folds_of(clips, folds, seed)
        more = None
        if how_altered.copies:
            how_read: dict[str, Any] = {"jobs": jobs, "progress": progress, "cache": kept, "seed": seed}
            more = altered(base, clips, in_fold, how_altered, average=means, **how_read)
        n_rows = embedders.rows_within(pipeline, SEGMENT_S)
        judged, scores = cross_validate(found, more, options, in_fold, n_rows, progress=progress)
        classifier = learn(found, more, np.ones(len(clips.files), np.bool_), options, n_rows)
        calibration: Calibration | None = None
        if calibrated:
            _check_logits(classifier, found.values)
            calibration = calibrate(judged)
            scores, classifier = calibration.scores, calibration.apply(classifier)
        n_folds = int(in_fold.max()) + 1
        if progress is not None:
            progress("training", n_folds + 1, n_folds + 1)

        averages, stds = over_folds(clips, scores, in_fold)
        least = dict(zip(clips.labels, best_thresholds(clips.truth, scores).tolist(), strict=True))
        measured: dict[str, Any] = {"means": averages, "stds": stds, "n_folds": n_folds, "average": average}
        measured |= {"augment": how_altered, "calibration": calibration, "thresholds": least} | {
            "rows_sha256": rows_sha256(base)
        }
        card = card_of(pipeline, clips, options, classifier, **measured)
        tagger = embedders.tagger_of(pipeline, classifier, clips.labels, card)
        _check_export(tagger, classifier, found, jobs, has_sound=rows is None)
        about = found.failed, tagger.name, lost
        evaluation = Evaluation(clips.labels, clips.truth, scores, clips.multi, *about)
        notes, licence = notes_of(card, converged=classifier.converged), embedders.licence_of(pipeline)
        parts = evaluation, found.failed, tagger, classifier, notes, licence
        told: dict[str, Any] = {"calibration": calibration, "thresholds": card["thresholds"]}
        told |= {"n_cached": found.n_cached, "licence_text": licence_of(pipeline.node)}
        return Head(clips.labels, averages, stds, *parts, **told)


def _usable(rows: Rows, given: Examples, lost: Sequence[str], allow_missing: bool | None) -> Rows:
    """Return the rows without lost labels; refuse what `allow_missing` forbids, and too few files."""
    if rows.failed and allow_missing is False:
        text = f"expected embeddings of every file, got none of {len(rows.failed)}"
        raise ValueError(refusal("heads.fit", text, rows.failed))
    if lost and not allow_missing:
        names = listed([repr(label) for label in lost])
        text = f"expected files of each label that can be used, got none of {names}"
        theirs = given.of(lost)
        raise ValueError(refusal("heads.fit", text, tuple(one for one in rows.failed if one[0] in theirs)))
    rows = rows.without(lost)
    try:
        _check_labels(rows.clips)
    except ValueError as error:  # with all files there were enough
        path, reason = rows.failed[0]
        raise ValueError(f"{error}; {len(rows.failed)} can't be read: {path}: {reason}, ...") from error
    return rows


def _check_logits(classifier: Classifier, values: NDArray[np.float32]) -> None:
    """Refuse layers that don't give scikit-learn's scores, which calibration doesn't see any more."""
    ours = probabilities(classifier.logits(values), multi=classifier.multi)
    _check_error(float(np.abs(ours - classifier.scores(values)).max()))


def _check_export(
    tagger: Pipeline, classifier: Classifier, rows: Rows, jobs: int | None, *, has_sound: bool
) -> None:
    """Refuse an export with other scores than the classifier's, for all rows and each label's first file.

    Without sound, rows go through the head as it was exported only.
    """
    want = classifier.scores(rows.values)
    got = np.asarray(embedders.head_alone(classifier)(rows.values))
    error = float(np.abs(got - want).max())
    firsts = np.unique(rows.clips.truth.argmax(axis=0)).tolist() if has_sound else []
    results = run_tagger(tagger, [rows.clips.files[i] for i in firsts], jobs)
    for first, tags in zip(firsts, results, strict=True):
        if not isinstance(tags, Tags):
            raise ModelError(f"heads.fit: expected tags of the exported head, got {type(tags).__name__}")
        error = max(error, float(np.abs(tags.scores - want[rows.clip == first]).max()))
    _check_error(error)


def _check_error(error: float) -> None:
    if not error <= TOLERANCE:
        raise ModelError(
            f"heads.fit: expected an exported head within {TOLERANCE:g} of scikit-learn's scores, got "
            f"{error:.1e}; a larger penalty makes smaller weights, and calibrated=False (--no-calibrate) "
            "leaves them so"
        )


def _check_options(kind: str, n_folds: int, hidden: int, penalty: float) -> None:
    if kind not in get_args(Kind):
        raise ValueError(f"heads.fit: expected kind 'linear' or 'mlp', got {kind!r:.80}")
    for name, value, least in (("folds", n_folds, 2), ("hidden", hidden, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"heads.fit: expected {name} as an int of at least {least}, got {value!r:.80}")
    if not 0 < penalty < np.inf:
        raise ValueError(f"heads.fit: expected penalty above 0, got {penalty!r:.80}")


def _check_augment(augment: Augment, protocol: str | None, *, has_sound: bool) -> None:
    if augment.copies and protocol is not None:
        raise ValueError("heads.fit: expected no augment with protocol 'paper', got it; leave one out")
    if augment.copies and not has_sound:
        raise ValueError("heads.fit: expected no augment with rows, which can't be altered; leave one out")


def _check_labels(clips: Examples) -> None:
    if len(clips.labels) < 2:  # noqa: PLR2004  # one label leaves nothing to tell apart
        got = ", ".join(map(repr, clips.labels)) or "none"
        raise ValueError(
            f"heads.fit: expected at least 2 labels, got {got}; give files without it another label"
        )
    check(clips.truth, clips.groups, clips.labels, grouped=clips.grouped)
    if clips.folds is not None:
        check_given(clips.folds, clips.groups)
