"""A trained head: how good it is, and the pipeline that runs it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio.heads import report, similarity
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    import os

    import numpy as np
    from numpy.typing import NDArray

    from fastaudio.heads.classifier import Classifier
    from fastaudio.heads.data import Failed
    from fastaudio.heads.evaluation import Evaluation


@dataclass(frozen=True, eq=False)
class Head:
    """Labels of one's own on a model's embedding, as `fit` trains it.

    Attributes:
        labels: names of the scores.
        metrics: mean over the folds of cross-validation: balanced_accuracy, f1, roc_auc, pr_auc.
        metrics_std: their standard deviations.
        evaluation: of every file by the fold that didn't learn from it: confusion, each label's metrics.
        failed: files that couldn't be used: path and reason.
        pipeline: from sound to tags, trained on all files, ready to run.
        classifier: the head alone, its weights.
        notes: how it was trained, a line each.
        licence: the file that came with the embedder's network, if any.
    """

    labels: tuple[str, ...]
    metrics: dict[str, float]
    metrics_std: dict[str, float]
    evaluation: Evaluation
    failed: Failed
    pipeline: Pipeline
    classifier: Classifier
    notes: tuple[str, ...]
    licence: Path | None = None

    @property
    def confusion(self) -> NDArray[np.int64] | None:
        """How many files of a label (row) were taken for another (column); None for several a file."""
        return self.evaluation.confusion

    @property
    def report(self) -> str:
        """How it was trained, how good it is on files that it didn't learn from, what was left out."""
        scores = report.metric_lines(self.metrics, self.metrics_std)
        return "\n".join([*self.notes, *scores, "", *self.evaluation.tables()]) + "\n"

    def __str__(self) -> str:
        return self.report

    def __repr__(self) -> str:
        found = self.metrics["balanced_accuracy"]
        return f"<Head: {len(self.labels)} labels, balanced accuracy {found:.3f}, {self.pipeline!r}>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as a model, which `Pipeline.load(path)` runs; its name is that of `path`.

        Args:
            path: a folder, for a card, what it runs and the embedder's licence; a card's own path, ending in
                .json; or a file that ends in .onnx and holds all but the licence's text.

        Raises:
            ModelError: the temporary files are gone or were changed.
        """
        target, ours = Path(path), self.pipeline
        folder = target.suffix not in (".json", ".onnx")
        card = ours.card | {"name": target.absolute().name if folder else target.stem}
        named = Pipeline(ours.node, channel=ours.channel, quality=ours.quality, card=card)
        named.save(target / "card.json" if folder else target)
        if folder and self.licence is not None:
            shutil.copyfile(self.licence, target / "LICENSE")

    def similarity(self) -> tuple[list[str], NDArray[np.float64]]:
        """Return which labels are alike: their names, and the cosines of their weights, like beside like.

        Labels that hold for the same sound come out alike. Where each file has one label, two that are hard
        to tell apart are held apart by their weights: `confusion` tells of those.

        Source: Kumar, Wang, Ithapu and Fuegen, Do sound event representations generalize to other audio
            tasks? Interspeech 2021, section 5.1
        """
        matrix = similarity.cosines(self.classifier)
        order = similarity.order(matrix)
        return [self.labels[k] for k in order], matrix[order][:, order]

    def plot_similarity(self, path: str | os.PathLike[str]) -> None:
        """Draw the labels' tree and their cosines into a file.

        Raises:
            MissingExtra: no matplotlib.
        """
        from fastaudio.heads import plots  # noqa: PLC0415  # draws only when asked

        plots.plot_similarity(path, self.labels, similarity.cosines(self.classifier))

    def plot_confusion(self, path: str | os.PathLike[str]) -> None:
        """Draw the confusion matrix of cross-validation into a file.

        Raises:
            ValueError: files have several labels: none is taken for another.
            MissingExtra: no matplotlib.
        """
        self.evaluation.plot_confusion(path)
