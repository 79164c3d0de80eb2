"""Which networks a card names, whoever wrote it."""

from __future__ import annotations

import posixpath
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError
from fastaudio.cards.card import read_card
from fastaudio.cards.placing import external_of

if TYPE_CHECKING:
    from pathlib import Path


def networks_in(card: Path) -> set[str]:
    """Return the paths of networks in a card, and of files beside them; none of what is no card."""
    try:
        left: list[Any] = [read_card(card).data["pipeline"]]
    except ModelError:
        return set()
    found = set()
    while left:  # no recursion: a card may nest deeper than the stack
        data = left.pop()
        if isinstance(data, list):
            left += data
        elif isinstance(data, dict):
            left += data.values()
            if data.get("node") == "OnnxModel":
                network = posixpath.normpath(str(data.get("path")))
                found.add(network)
                with suppress(ModelError):
                    found |= {posixpath.join(posixpath.dirname(network), name) for name in external_of(data)}
    return found
