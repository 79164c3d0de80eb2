"""Untrained weights: they may give rows, but tags only on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fastaudio._core import StreamSpec


def check_weights(card: Mapping[str, Any], subject: object) -> None:
    """Refuse a card whose "weights" are neither "trained" (the default) nor "untrained".

    Raises:
        ModelError: they are something else.
    """
    got = card.get("weights", "trained")
    if got not in ("trained", "untrained"):
        raise ModelError(f"{subject}: expected 'weights' as 'trained' or 'untrained', got {got!r:.80}")


def require_trained(card: Mapping[str, Any], specs: Iterable[StreamSpec], *, untrained: bool) -> None:
    """Refuse tags and events from untrained weights, unless `untrained` allows them; rows are fine.

    Args:
        card: the model's card.
        specs: the pipeline's outputs.
        untrained: whether the caller asked for such tags.

    Raises:
        ModelError: the tags would be meaningless.
    """
    if card.get("weights") != "untrained" or untrained:
        return
    if any(spec.kind in ("scores", "events") for spec in specs):
        raise ModelError(
            f"{card.get('name', 'Pipeline')}: expected trained weights, got untrained ones, whose tags mean "
            "nothing; load with untrained=True (--untrained) to run it anyway"
        )
