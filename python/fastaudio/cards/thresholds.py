"""The score from which each label counts, as a card has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY = "thresholds"

ONSET = 0.5
"""Where events begin unless a card or a caller says otherwise."""


def thresholds_in(card: dict[str, Any], labels: Sequence[str]) -> dict[str, float] | None:
    """Return each label's threshold that a card has; None if it has none.

    Raises:
        ModelError: these aren't scores from 0 to 1 of the model's labels.
    """
    given = card.get(KEY)
    if given is None:
        return None
    good = isinstance(given, dict) and all(
        label in labels and isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
        for label, value in given.items()
    )
    if not good:
        got = f"{given!r:.80}"
        raise ModelError(
            f"{card.get('name', 'card')}: expected {KEY} from 0 to 1 by label, got {got}; mend its card"
        )
    return {label: float(value) for label, value in given.items()}


def thresholds_of(pipeline: Any) -> dict[str, float] | None:
    """Return the thresholds of a pipeline with one output of scores; None if its card has none."""
    specs = list(pipeline.output_specs.values())
    if len(specs) != 1 or specs[0].kind != "scores":
        return None
    return thresholds_in(pipeline.card, list(specs[0].labels))


def card_onsets(pipeline: Any) -> list[float]:
    """Return the score at which each label's events begin: its threshold in the card, or one 0.5 for all."""
    least = thresholds_of(pipeline)
    if least is None:
        return [ONSET]
    (spec,) = pipeline.output_specs.values()
    return [least.get(label, ONSET) for label in spec.labels]
