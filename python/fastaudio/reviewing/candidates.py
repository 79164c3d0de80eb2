"""Stretches to listen to next: those like an example, or those about which a model is least sure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.reviewing.doubt import card_in, doubts, is_multi, thresholds_in
from fastaudio.searching.search import best_of_label, nearest, scored
from fastaudio.searching.store import SearchError, about_scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from fastaudio.reviewing.labels import Label
    from fastaudio.searching.search import Hit
    from fastaudio.searching.store import Store

_MORE = 4  # rows looked at for each that is wanted, before those that have labels are left out


@dataclass(frozen=True)
class Candidate:
    """A stretch to listen to.

    Attributes:
        path, start_s, end_s: the file and the stretch.
        score: why it is here: likeness to the example (cosine), or how uncertain the model is (0 to 1).
        guess: the label that the model finds best, None if no model was asked.
        guess_score: the model's score of that label.
    """

    path: str
    start_s: float
    end_s: float
    score: float
    guess: str | None = None
    guess_score: float | None = None


class Labelled:
    """What has labels already: a stretch whose middle lies within a labelled one needs no other."""

    def __init__(self, labels: Iterable[Label] = ()) -> None:
        self._of: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for label in labels:
            self._of[label.path].append((label.start_s, label.end_s))

    def holds(self, path: str, start_s: float, end_s: float) -> bool:
        """Tell whether a stretch has a label."""
        middle_s = (start_s + end_s) / 2
        return any(first <= middle_s <= last for first, last in self._of.get(path, ()))


def by_example(
    store: Store,
    vector: NDArray[np.float32],
    labels: Iterable[Label] = (),
    top: int = 20,
    *,
    per_file: bool = False,
) -> list[Candidate]:
    """Return the stretches of a scan that are most like an embedding and have no label, the best first.

    Args:
        store: the scan's embeddings, as `searching.store.opened` gives them.
        vector: what to look for, float32 [width], such as a row of `store`, or what
            `searching.query.vector_of` gives.
        labels: what has labels already.
        top: how many to return at most.
        per_file: whether to return the best of each file only.
    """
    return _unlabelled(lambda wanted: nearest(store, vector, wanted), labels, top, per_file=per_file)


def by_label(
    folder: Path, label: str, labels: Iterable[Label] = (), top: int = 20, *, per_file: bool = False
) -> list[Candidate]:
    """Return the stretches of a scan that a label of its model fits best and that have no label yet.

    Arguments and errors are those of `searching.search.best_of_label`; `labels` is what has labels already.
    """
    return _unlabelled(lambda wanted: best_of_label(folder, label, wanted), labels, top, per_file=per_file)


def _unlabelled(
    find: Callable[[int], list[Hit]], labels: Iterable[Label], top: int, *, per_file: bool
) -> list[Candidate]:
    """Return the first hits that have no label, or the first of each file.

    `find` gives as many hits as it is told. A file is offered again while it has stretches without a label.
    """
    done = Labelled(labels)
    wanted = top * _MORE
    while True:
        found = find(wanted)
        kept = [hit for hit in found if not done.holds(hit.path, hit.start_s, hit.end_s)]
        if per_file:
            kept = list({hit.path: hit for hit in reversed(kept)}.values())[::-1]
        if len(kept) >= top or len(found) < wanted:
            return [Candidate(hit.path, hit.start_s, hit.end_s, hit.score) for hit in kept[:top]]
        wanted *= _MORE


def by_uncertainty(
    folder: Path, labels: Iterable[Label] = (), top: int = 20, *, per_file: bool = False
) -> list[Candidate]:
    """Return the stretches of a scan of scores about which its model is least sure and that have no label.

    The least sure come first. Silent ones are left out, where the scan knows them.

    Args:
        folder: the scan, of a model with labels, best by windows.
        labels: what has labels already.
        top: how many to return at most.
        per_file: whether to return the least sure of each file only.

    Raises:
        ScanError: there is no scan.
        SearchError: it holds embeddings, not scores.
    """
    about = about_scan(folder)
    names: list[str] = about["labels"]
    if not names:
        raise SearchError(
            f"{folder}: expected scores of labels, got embeddings; run fastaudio scan --from {folder} "
            "--model HEAD --windows --output FOLDER, and name that folder"
        )
    card = card_in(about)
    least, multi = thresholds_in(card, names), None
    done, best = Labelled(labels), _Best(top, per_file=per_file)
    for held, scores, silent in scored(folder, len(names)):
        multi = is_multi(card, scores) if multi is None else multi
        own = doubts(scores, multi=multi, thresholds=least)
        own[silent] = -1
        best.take(held, scores, own, names, done)
    return best.found()


class _Best:
    """Keeps the candidates of highest score."""

    def __init__(self, top: int, *, per_file: bool) -> None:
        self._top, self._per_file = top, per_file
        self._kept: list[Candidate] = []

    def take(
        self, held: Any, scores: NDArray[Any], own: NDArray[np.float64], names: list[str], done: Labelled
    ) -> None:
        """Take rows of a table, with their scores and how uncertain they are; -1 leaves one out."""
        least = self._kept[-1].score if len(self._kept) == self._top else -1.0
        rows = np.flatnonzero(own > least)
        guesses = scores[rows].argmax(axis=1)
        places = held.select(["path", "start_s", "end_s"]).take(rows).to_pylist()
        self._kept += [
            Candidate(**place, score=float(own[row]), guess=names[k], guess_score=float(scores[row, k]))
            for place, row, k in zip(places, rows.tolist(), guesses.tolist(), strict=True)
            if not done.holds(**place)
        ]
        self._kept = self.found()

    def found(self) -> list[Candidate]:
        """Return the best, the highest score first."""
        kept = sorted(self._kept, key=lambda one: (-one.score, one.path, one.start_s))
        if self._per_file:
            first: dict[str, Candidate] = {}
            for one in kept:
                first.setdefault(one.path, one)
            kept = list(first.values())
        return kept[: self._top]
