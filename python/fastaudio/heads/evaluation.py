"""Measuring how well a model finds the labels of files."""

from __future__ import annotations

import json
import math
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import StateError
from fastaudio._system.text import printable
from fastaudio.heads import metrics, over_files, report
from fastaudio.heads.data import Failed, Progress, Source, examples
from fastaudio.heads.results import collect
from fastaudio.heads.rows import stream_of
from fastaudio.labelled.cutting import run_each, run_stretches
from fastaudio.labelled.segment import Segment
from fastaudio.pipeline import IsolatedPipeline, Pipeline
from fastaudio.running.limits import limits
from fastaudio.tags import Tags

if TYPE_CHECKING:
    import os
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray

    from fastaudio._core import Cancel
    from fastaudio.labelled.segment import File

SCHEMA = "fastaudio.evaluation/1"
"""Name and version of the JSON form; a change of meaning raises the number."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Labels and scores of files, and the metrics that follow from them.

    Attributes:
        labels: names of the labels.
        truth: which labels each file has [n_files, n_labels].
        scores: scores of each file [n_files, n_labels].
        multi: whether a file may have any number of labels.
        failed: path and reason of each file that couldn't be read.
        model: name of the model that gave the scores.
        lost: labels none of whose files could be used.
        threshold: score from which a label counts if a file may have several; one, or one per label.
    """

    labels: tuple[str, ...]
    truth: NDArray[np.bool_]
    scores: NDArray[np.floating]
    multi: bool
    failed: Failed = ()
    model: str | None = None
    lost: tuple[str, ...] = ()
    threshold: float | NDArray[np.float64] = metrics.THRESHOLD

    @property
    def metrics(self) -> dict[str, float]:
        """Balanced accuracy, F1, ROC-AUC and PR-AUC, each the mean over the labels that occur, and others.

        Over files, these are accuracy and top-5 accuracy (of more than five labels) if a file has one label,
        lwlrap and F1 per file if it may have several.
        """
        how: dict[str, Any] = {"multi": self.multi, "threshold": self.threshold}
        return metrics.macro(self.of_labels) | over_files.of_files(self.truth, self.scores, **how)

    @property
    def of_labels(self) -> dict[str, NDArray[np.float64]]:
        """The metrics of each label [n_labels]; NaN for labels that don't occur."""
        return metrics.of_labels(self.truth, self.scores, multi=self.multi, threshold=self.threshold)

    @property
    def best_thresholds(self) -> dict[str, float]:
        """Each label's threshold of best F1 on these files, from 0 to 1; labels that don't occur have none.

        They flatter these very files: measure them on others, by `evaluate(..., threshold=)`.
        """
        found = over_files.best_thresholds(self.truth, self.scores)
        return {
            label: float(value)
            for label, value in zip(self.labels, found, strict=True)
            if not math.isnan(value)
        }

    @property
    def confusion(self) -> NDArray[np.int64] | None:
        """Number of files with each label (row) taken for each label (column); None if files have several."""
        return None if self.multi else metrics.confusion(self.truth, self.scores)

    @property
    def report(self) -> str:
        """Metrics, a table of labels, the confusion matrix, and the files that failed, as text."""
        n_labels = int(self.truth.any(axis=0).sum())
        lines = [f"{len(self.truth)} files of {n_labels} labels", *report.metric_lines(self.metrics), ""]
        return "\n".join([*lines, *self.tables()]) + "\n"

    def tables(self) -> list[str]:
        """Return the report's lines that follow the metrics."""
        confusion = self.confusion
        lines = report.label_lines(self.labels, self.truth.sum(axis=0), self.of_labels, confusion)
        matrix = [] if confusion is None else report.confusion_lines(self.labels, confusion)
        failed = report.failed_lines(self.failed, self.lost)
        return [*lines, *(["", *matrix] if matrix else []), *(["", *failed] if failed else [])]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; undefined metrics are None."""
        of_labels, confusion = self.of_labels, self.confusion
        counts = self.truth.sum(axis=0)
        return {
            "schema": SCHEMA,
            "model": self.model,
            "files": len(self.truth),
            "threshold": np.asarray(self.threshold).tolist() if self.multi else None,
            "metrics": {name: _plain(value) for name, value in self.metrics.items()},
            "labels": [
                {"label": label, "files": int(counts[k])}
                | {name: _plain(values[k]) for name, values in of_labels.items()}
                for k, label in enumerate(self.labels)
            ],
            "confusion": None if confusion is None else confusion.tolist(),
            "failed": [{"path": path, "reason": reason} for path, reason in self.failed],
            "lost_labels": list(self.lost),
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def plot_confusion(self, path: str | os.PathLike[str]) -> None:
        """Draw the confusion matrix into a file.

        Raises:
            ValueError: files have several labels, so that none is taken for another.
            MissingExtra: matplotlib isn't installed.
        """
        from fastaudio.heads import plots  # noqa: PLC0415  # needed for drawing only

        confusion = self.confusion
        if confusion is None:
            raise ValueError("plot_confusion: expected one label per file, got lists of labels")
        plots.plot_confusion(path, self.labels, confusion)

    def __str__(self) -> str:
        return printable(self.report, lines=True)


def evaluate(
    model: str | os.PathLike[str] | Pipeline,
    files: Sequence[Source],
    labels: Sequence[str] | Sequence[Sequence[str]],
    *,
    threshold: over_files.Threshold = metrics.THRESHOLD,
    jobs: int | None = None,
    progress: Progress | None = None,
    timeout_s: float | None = None,
    cancel: Cancel | None = None,
) -> Evaluation:
    """Run a model over labelled files and measure how well it finds their labels.

    A file's scores are the mean over its windows. If files have one label each, the highest score among all
    of the model's labels decides; if they have lists, every label with a score from `threshold` up counts.

    Args:
        model: a model's name, a card's path, or a pipeline that gives tags.
        files: paths, or stretches of recordings as `fastaudio.labelled.Segment`.
        labels: one label per file, or a list per file; the model has to have them.
        threshold: from 0 to 1, or each label's own, such as another evaluation's `best_thresholds`; a label
            without one has 0.5. It decides only if files have lists of labels.
        jobs: files at once; None for one per processor core.
        progress: called with "embedding", the number of files done and the total.
        timeout_s: seconds after which to give up; None for any time.
        cancel: ends the call when another thread cancels it.

    Raises:
        ModelError: there is no such model.
        ValueError: the model gives no tags or doesn't have a label, lengths differ, a threshold isn't from
            0 to 1, or no file could be read.
        StateError: the pipeline is isolated, and there are stretches of recordings.
        TimedOut, Cancelled: it was ended early.
    """
    pipeline = model if isinstance(model, Pipeline) else Pipeline.load(model)
    specs = list(pipeline.output_specs.values())
    if len(specs) != 1 or specs[0].kind != "scores":
        raise ValueError(f"heads.evaluate: expected a model that gives tags, got {pipeline!r:.80}")
    known = examples("heads.evaluate", files, labels, known=specs[0].labels)
    limits_of = over_files.as_thresholds("heads.evaluate", threshold, known.labels)
    with (
        limits("heads.evaluate", timeout_s, cancel),
        closing(run_tagger(pipeline, known.files, jobs)) as results,
    ):
        kept, scores, failed = collect("heads.evaluate", known, results, progress, Tags.mean)
    about = kept.multi, failed, pipeline.name, known.lost(kept), limits_of
    return Evaluation(kept.labels, kept.truth, np.stack(scores), *about)


def run_tagger(pipeline: Pipeline, files: Sequence[File], jobs: int | None) -> Generator[Any, None, None]:
    """Yield the tags of each file or stretch in order, or the error that it met."""
    stretches = [file for file in files if isinstance(file, Segment)]
    if not stretches:
        whole = [file for file in files if not isinstance(file, Segment)]
        yield from pipeline.map(whole, jobs=jobs)
        return
    if isinstance(pipeline, IsolatedPipeline):  # recordings are decoded in this process to cut them
        raise StateError(
            "heads.evaluate: expected a pipeline of this process for stretches of recordings, got an "
            "isolated one; cut them into files, or pass the pipeline that it was made of"
        )
    pipeline.try_open()  # an error of the pipeline isn't one of each file
    of_stretches = partial(run_stretches, stream_of(pipeline))
    yield from run_each(pipeline, of_stretches, files, jobs)


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)
