"""Evaluations as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastaudio._system.text import printable
from fastaudio.heads import metrics, over_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fastaudio.heads.calibration import Calibration
    from fastaudio.heads.data import Failed

_WIDEST_MATRIX = 20  # labels; a larger matrix doesn't fit a terminal
_WIDEST_NAME = 6  # letters of a column's name; rows have the same order and full names
_COLUMNS = (("balanced_accuracy", "recall"), ("f1", "F1"), ("roc_auc", "ROC-AUC"), ("pr_auc", "PR-AUC"))


def metric_lines(values: Mapping[str, float], stds: Mapping[str, float] | None = None) -> list[str]:
    """Return one line for each metric there is, with its standard deviation if given."""
    lines = []
    for name, title in (metrics.NAMES | over_files.NAMES).items():
        if name not in values:
            continue
        spread = "" if stds is None else f" +- {stds[name]:.3f}"
        lines.append(f"  {title:<18} {_number(values[name])}{spread}")
    return lines


def threshold_lines(calibration: Calibration | None, thresholds: Mapping[str, float]) -> list[str]:
    """Return what is said of calibration and of the thresholds."""
    lines = []
    if calibration is not None:
        off, before = calibration.error, calibration.error_before
        lines.append(
            f"  scores are {off:.3f} off the share of files that are right, {before:.3f} uncalibrated"
        )
    if thresholds:
        least, most = min(thresholds.values()), max(thresholds.values())
        lines.append(
            f"  each label counts from a score of its own, {least:.2f} to {most:.2f}, as the card says"
        )
    return lines


def label_lines(
    labels: Sequence[str],
    n_files: NDArray[np.int64],
    values: Mapping[str, NDArray[np.float64]],
    confusion: NDArray[np.int64] | None,
) -> list[str]:
    """Return a table of the labels that occur: files, metrics, and the label it was most taken for."""
    labels = list(map(printable, labels))
    width = max(map(len, labels))
    first = "balanced" if confusion is None else "recall"
    titles = [first, *(title for _, title in _COLUMNS[1:])]
    heading = "".join(f"{title:>9}" for title in titles)
    lines = [f"  {'label':<{width}}  files{heading}{'' if confusion is None else '   most often taken for'}"]
    for k in np.flatnonzero(n_files).tolist():
        cells = "".join(f"{_number(values[name][k]):>9}" for name, _ in _COLUMNS)
        wrong = "" if confusion is None else _most_taken_for(labels, confusion[k], k)
        lines.append(f"  {labels[k]:<{width}}  {n_files[k]:5d}{cells}{wrong}")
    return lines


def _most_taken_for(labels: Sequence[str], counts: NDArray[np.int64], own: int) -> str:
    others = counts.copy()
    others[own] = 0
    k = int(others.argmax())
    return f"   {labels[k]} ({others[k]})" if others[k] else ""


def confusion_lines(labels: Sequence[str], confusion: NDArray[np.int64]) -> list[str]:
    """Return the matrix with one row per label that occurs; no lines if it would be too wide."""
    labels = list(map(printable, labels))
    there = np.flatnonzero(confusion.sum(axis=1)).tolist()
    columns = np.flatnonzero(confusion.sum(axis=0) + confusion.sum(axis=1)).tolist()
    if len(columns) > _WIDEST_MATRIX:
        return []
    width = max(len(labels[k]) for k in columns)
    cell = 1 + min(max(3, *(len(labels[k]) for k in columns)), _WIDEST_NAME)
    heading = "".join(f"{labels[k][:_WIDEST_NAME]:>{cell}}" for k in columns)
    lines = ["files of a label (row) taken for another (column):", f"  {'':<{width}}{heading}"]
    for k in there:
        counts = "".join(f"{confusion[k, j] or '.':>{cell}}" for j in columns)
        lines.append(f"  {labels[k]:<{width}}{counts}")
    return lines


def failed_lines(failed: Failed, lost: Sequence[str] = ()) -> list[str]:
    """Return one line per file that was left out, and one for labels that are left without any."""
    lines = [f"left out ({len(failed)}):"] if failed else []
    lines += [printable(f"  {path}: {reason}") for path, reason in failed]
    lost = list(map(printable, lost))
    return [*lines, f"labels without a file that could be used: {', '.join(lost)}"] if lost else lines


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"
