"""Untrained weights: they may give rows, but tags only on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fastaudio._core import StreamSpec


def check_weights(card: Mapping[str, Any], subject: object) -> None:
    """Raise a ModelError if a card's "weights" are neither "trained" (the default) nor "untrained"."""
    got = card.get("weights", "trained")
    if got not in ("trained", "untrained"):
        raise ModelError(f"{subject}: expected 'weights' as 'trained' or 'untrained', got {got!r:.80}")


def require_trained(card: Mapping[str, Any], specs: Iterable[StreamSpec], *, untrained: bool) -> None:
    """Raise a ModelError for tags or events from untrained weights, unless `untrained` allows them."""
    if card.get("weights") != "untrained" or untrained:
        return
    if any(spec.kind in ("scores", "events") for spec in specs):
        raise ModelError(
            f"{card.get('name', 'Pipeline')}: expected trained weights, got untrained ones, whose tags mean "
            "nothing; load with untrained=True (--untrained) to run it anyway"
        )
