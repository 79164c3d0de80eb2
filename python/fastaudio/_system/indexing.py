"""Taking items out of results by number, count or label, with errors in the caller's words."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import SupportsIndex


def label_index(subject: str, labels: Sequence[str], label: str) -> int:
    """Return the index of a label; KeyError in the name of `subject` if there is none."""
    if label in labels:
        return list(labels).index(label)
    import difflib  # noqa: PLC0415  # only a wrong label asks for it

    close = difflib.get_close_matches(label, labels, n=1)
    remedy = f"did you mean {close[0]!r}?" if close else ".labels lists them"
    raise KeyError(f"{subject}: expected one of {len(labels)} labels, got {label!r:.80}; {remedy}")


def item_index(subject: str, index: SupportsIndex, n: int) -> int:
    """Return an index from 0 to `n` - 1; negative ones count from the end.

    Raises:
        IndexError: it is outside.
        TypeError: it is no whole number.
    """
    if isinstance(index, bool | np.bool_) or not hasattr(index, "__index__"):
        got = f"{type(index).__name__} {index!r:.80}"
        raise TypeError(f"{subject}: expected an index, a slice or a label, got {got}")
    i = operator.index(index)
    if not -n <= i < n:
        wanted = f"an index from {-n} to {n - 1}" if n else "no index, as there is nothing"
        raise IndexError(f"{subject}: expected {wanted}, got {i}")
    return i % n


def count(subject: str, k: SupportsIndex) -> int:
    """Return how many are asked for, at least 0; TypeError in the name of `subject` for no whole number."""
    if isinstance(k, bool | np.bool_) or not hasattr(k, "__index__"):
        raise TypeError(f"{subject}: expected a whole number, got {type(k).__name__} {k!r:.80}")
    return max(operator.index(k), 0)
