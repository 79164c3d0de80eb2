"""The files that a node was read from, which a graph mustn't replace, and their licences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio.cards import packed_file
from fastaudio.cards.file_names import CARD, LICENCE
from fastaudio.cards.licences import licence_at, licence_in
from fastaudio.exporting.networks import networks

if TYPE_CHECKING:
    from fastaudio._core import Node


def files_of(node: Node) -> list[Path]:
    """Return the networks of a node, and what may lie beside them: weights, the card and the licence."""
    nets = [(Path(net.path), net.external) for net in networks(node)]
    beside = [file.parent / name for file, weights in nets for name in (*weights, CARD, LICENCE)]
    return [*(file for file, _ in nets), *beside]


def licences_of(node: Node) -> str:
    """Return the texts of the licences beside its networks or packed with them; empty if there are none.

    Raises:
        ModelError: one is a link out of its folder, or is too large.
    """
    found: dict[str, None] = {}
    for net in networks(node):
        text = _licence(net.path).decode("utf-8", "replace").strip()
        if text:
            found[text] = None
    return "\n\n".join(found)


def _licence(path: str) -> bytes:
    if packed_file.is_packed(path):
        with Path(path).open("rb") as file:
            packed = packed_file.find(file, path)
        return packed.licence if packed else b""
    return licence_at(Path(path)) or licence_in(Path(path).parent)
