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


def networks_in(card: Path) -> dict[str, str]:
    """Return the paths of networks in a card and of files beside them, each with the hash that it states.

    None of what is no card. A file that is named with two hashes has none of them.
    """
    try:
        left: list[Any] = [read_card(card).data["pipeline"]]
    except ModelError:
        return {}
    found: dict[str, str] = {}
    while left:  # no recursion: a card may nest deeper than the stack
        data = left.pop()
        if isinstance(data, list):
            left += data
        elif isinstance(data, dict):
            left += data.values()
            if data.get("node") == "OnnxModel":
                network = posixpath.normpath(str(data.get("path")))
                named = {network: str(data.get("sha256"))}
                with suppress(ModelError):
                    folder, beside = posixpath.dirname(network), external_of(data)
                    named |= {posixpath.join(folder, name): sha256 for name, sha256 in beside.items()}
                for name, sha256 in named.items():
                    found[name] = sha256 if found.get(name, sha256) == sha256 else ""
    return found
