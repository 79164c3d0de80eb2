"""A trained head: its metrics, and the pipeline that runs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastaudio._system.text import printable
from fastaudio.cards.licences import licence_in
from fastaudio.cards.replacing import save_model
from fastaudio.heads import report, similarity, source
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fastaudio.heads.calibration import Calibration
    from fastaudio.heads.classifier import Classifier
    from fastaudio.heads.data import Failed
    from fastaudio.heads.evaluation import Evaluation


@dataclass(frozen=True, eq=False)
class Head:
    """A model for your own labels, which `fit` trains on another model's embedding.

    Attributes:
        labels: names of the scores.
        metrics: mean over the folds of cross-validation: balanced_accuracy, f1, roc_auc, pr_auc.
        metrics_std: their standard deviations.
        evaluation: every file judged by a fold that didn't learn from it: confusion, each label's metrics.
        failed: path and reason of each file that couldn't be used.
        pipeline: turns sound into tags; trained on all files, ready to run.
        classifier: the head alone, with its weights.
        notes: lines that say how it was trained.
        licence: the licence file that came with the embedder's network, if any.
        licence_text: the licences of the embedder's weights, also of one that is packed into a file.
        calibration: how scores were made probabilities; None if they weren't.
        thresholds: the mean score from which a file counts as having a label: that with the highest F1 in
            cross-validation. The card has them.
        n_cached: how many files' embeddings came from the cache.
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
    n_cached: int = 0
    licence_text: bytes = b""
    calibration: Calibration | None = None
    thresholds: dict[str, float] = field(default_factory=dict)

    @property
    def lost(self) -> tuple[str, ...]:
        """Labels that were left out, since none of their files could be used."""
        return self.evaluation.lost

    @property
    def confusion(self) -> NDArray[np.int64] | None:
        """Number of files with each label (row) taken for each label (column); None if files have several."""
        return self.evaluation.confusion

    @property
    def report(self) -> str:
        """Its training, its metrics on files that it didn't learn from, and the files left out, as text."""
        scores = report.metric_lines(self.metrics, self.metrics_std)
        lines = [*self.notes, *scores, *report.threshold_lines(self.calibration, self.thresholds)]
        return "\n".join([*lines, "", *self.evaluation.tables()]) + "\n"

    def __str__(self) -> str:
        return printable(self.report, lines=True)

    def __repr__(self) -> str:
        found = self.metrics["balanced_accuracy"]
        return f"<Head: {len(self.labels)} labels, balanced accuracy {found:.3f}, {self.pipeline!r}>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as a model that `Pipeline.load(path)` runs and that is named like `path`.

        A model that is there is replaced, and stays whole until the new one is.

        Args:
            path: a folder, for the card, its network and the embedder's licence; or the path of a card, which
                ends in .json, with these beside it; or a file that ends in .onnx, for all in one.

        Raises:
            ModelError: the temporary files are gone or were changed, or what is in the way is no model, or
                another LICENSE is, in a folder with other files.
            OutputError: a file can't be written.
        """
        ours = self.pipeline
        how = {key: getattr(ours, key) for key in ("channel", "quality", "silence_db")}
        licence = self.licence_text
        if not licence and self.licence is not None:
            licence = licence_in(self.licence.parent)
        save_model(path, ours.node, {**ours.card, **how}, licence=licence)

    def similarity(self) -> tuple[list[str], NDArray[np.float64]]:
        """Return the labels, with similar ones side by side, and the cosines between their weights.

        Labels that often hold for the same sound are similar. If each file has one label, the weights push
        labels apart that are hard to tell apart; `confusion` shows those.

        Source: Kumar, Wang, Ithapu and Fuegen, Do sound event representations generalize to other audio
            tasks? Interspeech 2021, section 5.1
        """
        matrix = similarity.cosines(self.classifier)
        order = similarity.order(matrix)
        return [self.labels[k] for k in order], matrix[order][:, order]

    def source_similarity(
        self, model: str | os.PathLike[str] | Pipeline | None = None
    ) -> tuple[list[str], list[str], NDArray[np.float64]]:
        """Return the classes of the network it learnt from, its labels, and cosines [n_classes, n_labels].

        They say by which of the network's classes a label may be explained. The vectors compared are the
        weights of both last layers, each value standardised over the vectors of its side. Of two labels, one
        is therefore the other's opposite. Classes and labels are in the orders in which their models have
        them.

        Args:
            model: what the head was trained on; None for the name that its card has. The layer that it learnt
                from has to be the last before the scores.

        Raises:
            ModelError: there is no such model.
            ValueError: the head isn't linear, or more than a dense layer lies between that layer and the
                scores.

        Source: Kumar, Wang, Ithapu and Fuegen, Do sound event representations generalize to other audio
            tasks? Interspeech 2021, section 5.2
        """
        about = self.pipeline.card
        if model is None:
            model = str(about["embedder"].get("name", ""))
        base = model if isinstance(model, Pipeline) else Pipeline.load(model)
        weights = source.class_weights(base, about["head"]["layer"])
        (spec,) = base.output_specs.values()
        return list(spec.labels), list(self.labels), source.cosines(self.classifier, weights)

    def plot_labels(self, path: str | os.PathLike[str]) -> None:
        """Draw the labels into a file as points, by t-SNE of their weights: similar ones are neighbours.

        Fewer than five labels are drawn by PCA.

        Raises:
            MissingExtra: matplotlib isn't installed.

        Source: Kumar, Wang, Ithapu and Fuegen, figure 3
        """
        from fastaudio.heads import plots  # noqa: PLC0415  # needed for drawing only

        plots.plot_labels(path, self.labels, self.classifier.layers[-1][0].T)

    def plot_similarity(self, path: str | os.PathLike[str]) -> None:
        """Draw the labels' tree and their cosines into a file.

        Raises:
            MissingExtra: matplotlib isn't installed.
        """
        from fastaudio.heads import plots  # noqa: PLC0415  # needed for drawing only

        plots.plot_similarity(path, self.labels, similarity.cosines(self.classifier))

    def plot_confusion(self, path: str | os.PathLike[str]) -> None:
        """Draw the confusion matrix of cross-validation into a file.

        Raises:
            ValueError: files have several labels, so that none is taken for another.
            MissingExtra: matplotlib isn't installed.
        """
        self.evaluation.plot_confusion(path)
