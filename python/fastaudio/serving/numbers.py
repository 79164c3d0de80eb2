"""Scores as JSON: the fewest digits from which the same float32 comes back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import check_interrupt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray


def plain(score: Any) -> float | None:
    """Return a float32 as the shortest number that rounds to it; None if it isn't finite."""
    value = np.float32(score)
    return float(str(value)) if np.isfinite(value) else None


def plain_rows(scores: NDArray[np.float32]) -> Iterable[list[float | None]]:
    """Yield rows [n, n_labels] as lists of such numbers."""
    return ([plain(score) for score in row] for row in scores)


def joined(parts: Iterable[str], between: str = "") -> str:
    """Join texts that are made one by one, which a limit of time ends."""
    texts = []
    for part in parts:
        check_interrupt()
        texts.append(part)
    return between.join(texts)


def json_of(told: Mapping[str, Any], lists: Mapping[str, Iterable[Any]]) -> str:
    """Return a JSON object of small members, and of lists of which each item is made by itself.

    Other threads run between the items, and a limit of time ends it.
    """
    plain = {"ensure_ascii": False, "allow_nan": False}
    members = [json.dumps(told, **plain)[1:-1]]  # type: ignore[arg-type]
    for name, items in lists.items():
        text = joined((json.dumps(item, **plain) for item in items), ", ")  # type: ignore[arg-type]
        members.append(f"{json.dumps(name)}: [{text}]")
    return "{" + ", ".join(member for member in members if member) + "}"


def plain_tags(top: Iterable[Sequence[Any]], min_score: float | None = None) -> list[dict[str, Any]]:
    """Return labels with their scores as JSON has them, without those below `min_score`."""
    return [
        {"label": label, "score": plain(score)}
        for label, score in top
        if min_score is None or score >= min_score
    ]
