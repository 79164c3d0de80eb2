"""What an isolated process is given to build a pipeline: a card, its networks' bytes, and further steps."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio import cards
from fastaudio._core import ModelError
from fastaudio.cards import packed_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from fastaudio.cards import Card
    from fastaudio.composition import Composition

_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Model:
    """A pipeline as data.

    Attributes:
        path: the card's, for messages.
        card: its JSON.
        networks: returns the bytes of each network by its hash, which they have.
        options: how to load it; the keywords of `Pipeline.load`.
        steps: what is made of it then: names of methods, each with what they take.
    """

    path: str
    card: Mapping[str, Any]
    networks: Callable[[], Mapping[str, bytes]]
    options: Mapping[str, Any]
    steps: tuple[tuple[str, Any], ...] = ()

    def then(self, method: str, argument: Any) -> Model:
        """Return the model with another step."""
        return replace(self, steps=(*self.steps, (method, argument)))

    def message(self) -> tuple[dict[str, Any], list[NDArray[Any]]]:
        """Return the fields and arrays of the message that builds it; `described` reads the first array."""
        networks = self.networks()
        parts = {"path": self.path, "card": self.card, "options": self.options, "steps": self.steps}
        # What isn't JSON goes as its repr, and is refused there by what was expected.
        text = json.dumps(parts, default=repr).encode("ascii")  # may be longer than a header
        contents = text, *networks.values()
        return {"networks": list(networks)}, [np.frombuffer(each, np.uint8) for each in contents]


def described(text: bytes) -> dict[str, Any]:
    """Return a model's path, card, options and steps, of the first array of its message."""
    parts: dict[str, Any] = json.loads(text)
    return parts


def model_of_card(card: Card, options: Mapping[str, Any]) -> Model:
    """Return a card as a model; the networks are read, and their hashes checked, for each process anew.

    Raises:
        ModelError: a network isn't there, or was changed.
    """

    def networks() -> dict[str, bytes]:
        files = _files(card)
        try:
            return {
                sha256: packed_file.read_network(str(path), sha256, beside)
                for sha256, (path, beside) in files.items()
            }
        except ModelError as error:
            raise ModelError(f"{card.path}: {error}") from error

    return Model(str(card.path), card.data, networks, options)


def model_of(pipeline: Composition, options: Mapping[str, Any]) -> Model:
    """Return a pipeline of this process as a model; the networks' bytes are kept.

    Raises:
        ModelError: a network's file is missing, or was changed since it was loaded.
    """
    import tempfile  # noqa: PLC0415  # only a pipeline that was composed here needs it

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "card.json")
        how = {key: getattr(pipeline, key) for key in ("channel", "quality", "silence_db")}
        cards.save(path, pipeline.node, pipeline.card | how, licence=b"")
        card = cards.read_card(path, cards.Budget.unlimited())  # composed here, so it is trusted
        held = model_of_card(card, options).networks()
    data = {key: value for key, value in card.data.items() if key != "name" or pipeline.name is not None}
    return Model(pipeline.name or "pipeline", data, lambda: held, options)


def _files(card: Card) -> dict[str, tuple[Path, str]]:
    """Return where the network of each hash lies, and for weights beside one its name for their file.

    What is wrong with a card otherwise, `cards.build` says.
    """
    found: dict[str, tuple[Path, str]] = {}
    left: list[Any] = [card.data["pipeline"]]
    while left:  # no recursion: a card may nest deeper than the stack
        data = left.pop()
        if isinstance(data, list | dict):
            left += data if isinstance(data, list) else data.values()
        if not isinstance(data, dict) or data.get("node") != "OnnxModel":
            continue
        relative, sha256 = data.get("path"), data.get("sha256")
        if not isinstance(relative, str) or not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            continue
        with cards.blaming(card):
            path = card.path if card.packed else cards.network_beside(card, relative)
            external = cards.external_of(data)
        found[sha256] = path, ""
        for name, of_file in external.items():
            found.setdefault(of_file, (path, name))
    return found
