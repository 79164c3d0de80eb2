"""The card of a head: its labels, its training, and the model that it builds on."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fastaudio.heads import embedders
from fastaudio.labelled.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastaudio.heads.augmenting import Augment
    from fastaudio.heads.calibration import Calibration
    from fastaudio.heads.classifier import Classifier, Options
    from fastaudio.heads.data import Examples
    from fastaudio.pipeline import Pipeline

_CARRIED = ("licence", "copyright", "citation", "outputs")  # copied from the embedder's card
_EMBEDDER = ("name", "version", "authors", "source", "trained_on", "weights")


def card_of(
    embedder: Pipeline,
    clips: Examples,
    options: Options,
    classifier: Classifier,
    *,
    means: Mapping[str, float],
    stds: Mapping[str, float],
    n_folds: int,
    average: bool,
    augment: Augment,
    calibration: Calibration | None,
    thresholds: Mapping[str, float],
    rows_sha256: str,
) -> dict[str, Any]:
    """Return the card of a head's pipeline, without its nodes."""
    from sklearn import __version__ as sklearn_version  # noqa: PLC0415  # heads.fit made sure of it

    base = embedder.card
    n_labels, n_files = len(clips.labels), len(clips.files)
    (spec,) = embedder.output_specs.values()
    when = "of each clip" if average or not spec.rate_hz else f"every {1 / spec.rate_hz:.3g} s"
    what = f"{embedders.layer_of(embedder)!r} of {base.get('name', 'a pipeline')}"
    size = sum(weights.size + biases.size for weights, biases in classifier.layers)
    unit = "stretches" if any(isinstance(file, Segment) for file in clips.files) else "files"
    n_groups = len(set(clips.groups.tolist()))
    in_groups = f" in {n_groups} groups, none both learnt from and judged" if clips.grouped else ""
    by_solver = options.protocol is None
    given = "" if clips.folds is None else ", folds as given"
    head = {
        "kind": options.kind,
        "protocol": options.protocol,
        "layer": embedders.layer_of(embedder),
        "values": len(classifier.mean),
        "rows_sha256": rows_sha256,
        "average": average,
        "l2": options.l2,
        "standardise": options.standardise,
        "balanced": by_solver and options.balanced and not (options.multi and options.kind == "mlp"),
        "penalty": options.penalty if by_solver else None,
        "seed": options.seed,
        "folds": n_folds,
        "files": n_files,
        "groups": n_groups if clips.grouped else None,
        "labels": dict(zip(clips.labels, clips.truth.sum(axis=0).tolist(), strict=True)),
        "several_labels_a_file": options.multi,
        "scikit-learn": str(sklearn_version),
    }
    if options.kind == "mlp":
        head["hidden"] = options.hidden
    if augment.copies:
        head["augment"] = asdict(augment)
    card = {key: base[key] for key in _CARRIED if key in base}
    card["outputs"] = dict(base.get("outputs", {})) | {
        "scores": {"purpose": "score of each label", "unit": "probability", "shape": [n_labels]}
    }
    if isinstance(base.get("parameters"), int):
        card["parameters"] = base["parameters"] + size + 2 * len(classifier.mean)
    return {
        "name": "head",
        "version": "1.0.0",
        "task": f"{n_labels} custom labels",
        "description": f"Scores of {n_labels} labels {when}, by a head on {what}.",
        "trained_on": f"{n_files} {unit} of {n_labels} labels",
        "embedder": {key: base[key] for key in _EMBEDDER if key in base},
        "head": head,
        "metrics": _numbers(means)
        | {f"{name}_std": value for name, value in _numbers(stds).items()}
        | {"by": f"{n_folds}-fold cross-validation on these {n_files} {unit}{in_groups}{given}"},
        "calibration": None if calibration is None else calibration.to_card(),
        "thresholds": {label: round(value, 6) for label, value in thresholds.items()},
    } | card


def notes_of(card: Mapping[str, Any], *, converged: bool) -> tuple[str, ...]:
    """Return the first lines of a report, which say how the head was trained."""
    head, base = card["head"], card["embedder"]
    model = " ".join(str(base[key]) for key in ("name", "version") if key in base) or "a pipeline"
    notes = [
        f"{card['trained_on']}; {head['kind']} head on {head['layer']!r} of {model}, {head['values']} values",
        f"{card['metrics']['by']}, mean +- standard deviation:",
    ]
    if base.get("weights") == "untrained":
        notes.insert(1, "the embedder's weights are untrained: it never learnt from any sound")
    if not converged:
        notes.insert(1, "the solver stopped before it had converged; a larger penalty is easier to solve")
    return tuple(notes)


def _numbers(values: Mapping[str, float]) -> dict[str, float]:
    """Return the values that aren't NaN, rounded."""
    return {name: round(value, 6) for name, value in values.items() if not math.isnan(value)}
