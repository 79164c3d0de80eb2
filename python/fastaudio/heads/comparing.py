"""Several embedders compared on the same labelled files; the best is kept."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio import cards
from fastaudio._core import FastaudioError, ModelError
from fastaudio._system.text import printable
from fastaudio.heads.fitting import fit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastaudio.heads.data import Source
    from fastaudio.heads.head import Head


@dataclass(frozen=True)
class Tried:
    """One embedder: its name, its metrics and their deviations over the folds, and why there are none."""

    model: str
    metrics: dict[str, float]
    metrics_std: dict[str, float]
    values: int = 0
    seconds: float = 0.0
    failed: str = ""


@dataclass(frozen=True)
class Comparison:
    """Heads on several embedders: the best by balanced accuracy in cross-validation, and all figures.

    The best of many looks a little better than it is; other files tell (`evaluate`).
    """

    best: Head
    tried: tuple[Tried, ...]

    @property
    def report(self) -> str:
        """The table of embedders, the best first."""
        width = max(len(printable(one.model)) for one in self.tried)
        lines = [f"  {'model':<{width}}  values  balanced accuracy      F1  ROC-AUC  seconds"]
        for one in self.tried:
            name = f"  {printable(one.model):<{width}}"
            if one.failed:
                lines.append(f"{name}  {printable(one.failed)}")
                continue
            accuracy, spread = one.metrics["balanced_accuracy"], one.metrics_std["balanced_accuracy"]
            rest = f"{one.metrics['f1']:8.3f} {one.metrics['roc_auc']:8.3f} {one.seconds:8.1f}"
            lines.append(f"{name}  {one.values:6d}     {accuracy:.3f} +- {spread:.3f} {rest}")
        return "\n".join(lines) + "\n"

    def to_list(self) -> list[dict[str, Any]]:
        """Return plain data for JSON."""
        return [
            {"model": one.model, "values": one.values, "seconds": round(one.seconds, 3)}
            | {"failed": one.failed or None}
            | {name: round(value, 6) for name, value in one.metrics.items()}
            | {f"{name}_std": round(value, 6) for name, value in one.metrics_std.items()}
            for one in self.tried
        ]


def shipped_embedders() -> list[str]:
    """Return the names of the models here whose cards call one of their outputs an embedding."""
    names = []
    for path in sorted(Path(cards.MODELS).glob("*/card.json")):
        try:
            data = cards.read_card(path).data
        except ModelError:  # damaged, which matters to those who load it
            continue
        units = [output.get("unit") for output in data.get("outputs", {}).values()]
        if "embedding" in units and data.get("weights") != "untrained":
            names.append(path.parent.name)
    return names


def compare(
    models: Sequence[str] | None,
    files: Sequence[Source],
    labels: Sequence[str] | Sequence[Sequence[str]],
    *,
    told: Callable[[str], None] | None = None,
    **how: Any,
) -> Comparison:
    """Train a head on each of several models, and keep the best.

    Args:
        models: their names or cards; None for all shipped models that have an embedding.
        files: as for `fit`.
        labels: as for `fit`.
        told: called with each model's name before its turn.
        how: the other arguments of `fit`, the same for all.

    Raises:
        FastaudioError, TypeError, ValueError: none of them can be trained; as for `fit`.
    """
    names = shipped_embedders() if models is None else list(models)
    if not names:
        raise ValueError("heads.compare: expected models, got none; name some")
    best: Head | None = None
    tried = []
    for i, name in enumerate(names):
        if told is not None:
            told(name)
        start_s = time.perf_counter()
        try:
            head = fit(name, files, labels, **how)
        except (FastaudioError, ValueError) as error:  # such as a layer that this model hasn't
            if i == len(names) - 1 and best is None:
                raise
            tried.append(Tried(name, {}, {}, failed=str(error)))
            continue
        took_s = time.perf_counter() - start_s
        n_values = len(head.classifier.mean)
        tried.append(Tried(name, head.metrics, head.metrics_std, n_values, took_s))
        if best is None or _rank(head) > _rank(best):
            best = head
    assert best is not None  # else the last one has raised
    order = sorted(tried, key=lambda one: -one.metrics.get("balanced_accuracy", -1.0))
    best.pipeline.card["compared"] = [
        {"model": one.model, "balanced_accuracy": round(one.metrics["balanced_accuracy"], 6)}
        for one in order
        if one.metrics
    ]
    return Comparison(best, tuple(order))


def _rank(head: Head) -> tuple[float, ...]:
    """Return what is larger for the better head; of equal ones, the one that is surer of what is right."""
    loss = 0.0 if head.calibration is None else head.calibration.log_loss
    values = [head.metrics[name] for name in ("balanced_accuracy", "f1", "roc_auc")]
    return *(round(value, 9) for value in values), -loss
