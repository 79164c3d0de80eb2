"""Tags: the scores of labels over time, for one window or a whole signal."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

SCHEMA = "fastaudio.tags/1"
"""Name and version of the JSON and CSV forms; a change of meaning raises the number."""

CSV_COLUMNS = ("schema", "path", "truncated", "start_s", "end_s", "label", "score", "model")


def _top(labels: Sequence[str], scores: NDArray[np.float32], k: int) -> list[tuple[str, float]]:
    order = np.argsort(-scores, kind="stable")[: max(k, 0)]
    return [(labels[i], float(scores[i])) for i in order]


@dataclass(frozen=True, eq=False)
class Window:
    """Scores of one stretch of the signal.

    Attributes:
        start_s, end_s: the stretch, in seconds from the start of the signal.
        scores: float32 [n_labels].
        labels: names of the scores.
        gap_s: seconds of live sound lost just before it.
        provisional: whether it is an early result, from a shortened first clip of live sound.
        output: name of the output, if a live pipeline has several.
        model: name of the card, if a live pipeline has one.
    """

    start_s: float
    end_s: float
    scores: NDArray[np.float32]
    labels: Sequence[str]
    gap_s: float = 0.0
    provisional: bool = False
    output: str = ""
    model: str | None = None

    def top(self, k: int = 5) -> list[tuple[str, float]]:
        """Return the `k` highest scores with their labels, highest first."""
        return _top(self.labels, self.scores, k)


@dataclass(frozen=True, eq=False)
class Tags:
    """Scores of a whole signal, one row per window.

    Attributes:
        labels: names of the scores.
        scores: float32 [n_windows, n_labels]; an empty signal has no windows.
        times: float64 [n_windows, 2], start and end of each window in seconds.
        duration_s: length of the signal.
        truncated: whether the file was cut short: its header states more, or it broke off.
        path: the file's path, if the signal was a file.
        model: name of the card, if there is one.
    """

    labels: Sequence[str]
    scores: NDArray[np.float32]
    times: NDArray[np.float64]
    duration_s: float
    truncated: bool = False
    path: str | None = None
    model: str | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, index: int) -> Window:
        start_s, end_s = self.times[index]
        return Window(float(start_s), float(end_s), self.scores[index], self.labels)

    def __iter__(self) -> Iterator[Window]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        best = ", ".join(f"{label} {score:.2f}" for label, score in self.top(3))
        cut = ", truncated" if self.truncated else ""
        return f"<Tags: {len(self)} windows, {self.duration_s:.2f} s{cut}: {best}>"

    def mean(self) -> NDArray[np.float32]:
        """Return the mean score of each label, float32 [n_labels]; zeros if there is no window."""
        if len(self.scores) == 0:
            return np.zeros(len(self.labels), dtype=np.float32)
        mean: NDArray[np.float32] = self.scores.mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean

    def top(self, k: int = 5) -> list[tuple[str, float]]:
        """Return the `k` highest mean scores with their labels; empty if there is no window."""
        return _top(self.labels, self.mean(), k) if len(self.scores) else []

    def to_dict(self, *, top: int | None = None, windows: bool = False) -> dict[str, Any]:
        """Return plain data for JSON.

        Args:
            top: how many labels to keep, highest first; None keeps all.
            windows: whether to add the scores of each window.
        """
        k = len(self.labels) if top is None else top
        data: dict[str, Any] = {
            "schema": SCHEMA,
            "path": self.path,
            "model": self.model,
            "duration_s": round(self.duration_s, 6),
            "truncated": self.truncated,
            "tags": plain(self.top(k)),
        }
        if windows:
            data["windows"] = [
                {"start_s": round(one.start_s, 6), "end_s": round(one.end_s, 6), "tags": plain(one.top(k))}
                for one in self
            ]
        return data

    def to_json(self, *, top: int | None = None, windows: bool = False) -> str:
        """Return one line of JSON."""
        return json.dumps(self.to_dict(top=top, windows=windows), ensure_ascii=False)

    def to_jsonl(self, *, top: int | None = None) -> str:
        """Return one line of JSON per window: path, model, truncated, start_s, end_s and its tags."""
        data = self.to_dict(top=top, windows=True)
        common = {key: data[key] for key in ("schema", "path", "model", "truncated")}
        lines = [json.dumps(common | window, ensure_ascii=False) for window in data["windows"]]
        return "".join(line + "\n" for line in lines)

    def to_csv(self, *, top: int | None = None, windows: bool = False, header: bool = True) -> str:
        """Return CSV with one row per label, for the whole signal or for each window."""
        data = self.to_dict(top=top, windows=windows)
        whole = {"start_s": 0.0, "end_s": data["duration_s"], "tags": data["tags"]}
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if header:
            writer.writerow(CSV_COLUMNS)
        for part in data["windows"] if windows else [whole]:
            for tag in part["tags"]:
                row = (part["start_s"], part["end_s"], tag["label"], tag["score"])
                writer.writerow((SCHEMA, self.path, str(self.truncated).lower(), *row, self.model))
        return text.getvalue()


def plain(pairs: list[tuple[str, float]]) -> list[dict[str, Any]]:
    """Return labels with their scores as plain data for JSON, which has no infinity: that is None."""
    return [
        {"label": label, "score": round(score, 6) if math.isfinite(score) else None} for label, score in pairs
    ]
