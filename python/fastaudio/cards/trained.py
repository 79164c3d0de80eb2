"""Weights that were never trained: such a network gives rows, and tags only if asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from fastaudio._core import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastaudio._core import StreamSpec


class Tagger(Protocol):
    """What is asked of a pipeline before it runs."""

    card: dict[str, Any]
    output_specs: dict[str, StreamSpec]
    untrained: bool


def check_weights(card: Mapping[str, Any], subject: object) -> None:
    """Refuse a card that says something else of its weights than trained, untrained or nothing.

    Raises:
        ModelError: it does.
    """
    got = card.get("weights", "trained")
    if got not in ("trained", "untrained"):
        raise ModelError(f"{subject}: expected 'weights' as 'trained' or 'untrained', got {got!r:.80}")


def require_trained(pipeline: Tagger) -> None:
    """Refuse tags and events by untrained weights, unless they are asked for; rows are fine.

    Raises:
        ModelError: they would mean nothing.
    """
    card, specs = pipeline.card, pipeline.output_specs.values()
    if card.get("weights") != "untrained" or pipeline.untrained:
        return
    if any(spec.kind in ("scores", "events") for spec in specs):
        raise ModelError(
            f"{card.get('name', 'Pipeline')}: expected trained weights, got untrained ones, whose tags mean "
            "nothing; load with untrained=True (--untrained) to run it all the same"
        )
