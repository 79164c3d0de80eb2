"""What `fastaudio models NAME --tensors` lists: the tensors of a model's networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio import cards
from fastaudio._core import network_tensors
from fastaudio._system.text import printable
from fastaudio.cards.packed_file import is_packed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def tensors_text(model: str) -> str:
    """Return a table of the tensors of each network of a model, or of a bare .onnx file.

    Raises:
        ModelError: there is no such model, or a network can't be read or doesn't run here.
    """
    if model not in cards.models() and _is_network(model):
        return _table(network_tensors(model))
    card = cards.read_card(model)
    texts = []
    with cards.blaming(card):
        for relative, sha256, external in networks_of(card.data["pipeline"]):
            path = card.path if card.packed else cards.network_beside(card, relative)
            texts.append(f"{printable(relative)}\n{_table(network_tensors(str(path), sha256, external))}")
    return "\n".join(texts) or "no networks\n"


def _is_network(path: str) -> bool:
    """Tell whether a file is no card, which is text, and no packed model."""
    try:
        if not Path(path).is_file():  # a pipe would be waited for
            return False
        with Path(path).open("rb") as file:
            text = file.read(64).lstrip()[:1] == b"{"
    except (OSError, ValueError):
        return False
    return not text and not is_packed(path)


def networks_of(pipeline: Any) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield path, hash and files beside it of each network that a card names, each once."""
    seen, left = set(), [pipeline]
    while left:  # no recursion: a card may nest deeper than the stack
        data = left.pop()
        if isinstance(data, list | dict):
            left += reversed(data if isinstance(data, list) else list(data.values()))
        if isinstance(data, dict) and data.get("node") == "OnnxModel":
            found = str(data.get("path")), str(data.get("sha256"))
            if found not in seen:
                seen.add(found)
                yield *found, cards.external_of(data)


def _table(tensors: Sequence[tuple[str, str, str, Sequence[int | None]]]) -> str:
    """Return a line for each tensor: its role, name, type, and shape with ? for an open axis."""
    tensors = [(role, printable(name), kind, shape) for role, name, kind, shape in tensors]
    width = max((len(name) for _, name, _, _ in tensors), default=0)
    lines = []
    for role, name, kind, shape in tensors:
        axes = ", ".join("?" if n is None else str(n) for n in shape)
        lines.append(f"  {role:<6}  {name:<{width}}  {kind:<8}  [{axes}]\n")
    return "".join(lines)
