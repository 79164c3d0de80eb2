"""A card and its networks: packed into one file, and taken out again."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio import cards
from fastaudio._core import ModelError
from fastaudio.cards import packed_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastaudio._core import Node
    from fastaudio.cards import Card

_CARD, _LICENCE = "card.json", "LICENSE"
_OURS = (_CARD, _LICENCE.casefold())
_BARRED = r'\\/:*?"<>|\x00-\x1f\ud800-\udfff'
# A name that every system takes for a file inside a folder: no device, no stream of another file.
_PART = re.compile(rf"(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\Z))[^{_BARRED}]*[^{_BARRED}. ]", re.IGNORECASE)


def pack(card: Card, target: Path, *, force: bool = False) -> None:
    """Write a card, its networks and the LICENSE beside it as one file, which `Pipeline.load` takes.

    Args:
        card: as read; it is built once, so that nothing is packed that doesn't load.
        target: where to.
        force: whether a file there may be replaced.

    Raises:
        ModelError: a card that doesn't load or has no networks; a file is in the way.
    """
    _require_free(target, force=force)
    cards.build(card)
    packed_file.write(target, card.text, _licence(card), _contents(card).values())


def save(path: Path, node: Node, metadata: Mapping[str, Any]) -> None:
    """Write `node` with its card as one file; a packed one there is replaced.

    Raises:
        ModelError: no networks; a weight file is missing or was changed; another file is in the way.
    """
    if path.exists():
        with path.open("rb") as file:
            _require_free(path, force=packed_file.find(file, str(path)) is not None)
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder, f"{path.stem}.json")
        cards.save(unpacked, node, metadata)
        card = cards.read_card(unpacked)
        path.parent.mkdir(parents=True, exist_ok=True)
        packed_file.write(path, card.text, b"", _contents(card).values())


def unpack(card: Card, folder: Path, *, force: bool = False) -> list[Path]:
    """Write a packed card and its networks as files of their own, as they were; return their paths.

    Nothing is written outside the folder, and nothing at all unless every network has its hash.

    Args:
        card: as read from a packed file.
        folder: where to; made if there is none.
        force: whether files there may be replaced.

    Raises:
        ModelError: a card that isn't packed, names that lead elsewhere, damage; a file is in the way.
    """
    if not card.packed:
        raise ModelError(f"{card.path}: expected a packed model, got a card; its networks lie beside it")
    contents = _contents(card)
    if licence := _licence(card):
        contents[_LICENCE] = licence
    contents[_CARD] = card.text  # last: a folder without it is no model
    home = folder.resolve()
    targets = [home / name for name in contents]
    for target in targets:
        if not target.parent.resolve().is_relative_to(home):
            raise ModelError(f"{target}: expected a file inside {home}, got a link out of it")
        _require_free(target, force=force)
    for target, content in zip(targets, contents.values(), strict=True):
        target.parent.mkdir(parents=True, exist_ok=True)
        packed_file.write_whole(target, content)
    return targets


def _licence(card: Card) -> bytes:
    """Return the licence of the weights, as the file beside the card has it; empty without one."""
    if card.packed:
        return card.packed.licence
    path = card.path.parent / _LICENCE
    return path.read_bytes() if path.is_file() else b""


def _contents(card: Card) -> dict[str, bytes]:
    """Return the networks that a card names, each verified."""
    contents: dict[str, bytes] = {}
    hashes: dict[str, tuple[str, str]] = {}
    for name, sha256 in _networks(card.data["pipeline"]):
        place = f"{card.path}: expected"
        if not all(map(_PART.fullmatch, name.split("/"))) or name.casefold() in _OURS:
            raise ModelError(f"{place} a file's name inside a folder, got {name!r:.80}; rename it")
        if hashes.setdefault(name.casefold(), (name, sha256)) != (name, sha256):  # some systems ignore case
            raise ModelError(f"{place} one name and one hash for a file, got {name!r} with two; rename one")
        path = card.path if card.packed else card.path.parent / name
        contents[name] = packed_file.read_network(str(path), sha256)
    return contents


def _networks(pipeline: Any) -> list[tuple[str, str]]:
    """Return path and hash of each network; whatever else is odd about them is for `cards.build`."""
    found, left = [], [pipeline]
    while left:  # no recursion: the depth is the card's choice
        data = left.pop()
        if isinstance(data, list):
            left += reversed(data)
        elif isinstance(data, dict):
            left += reversed(data.values())
            if data.get("node") == "OnnxModel":
                found.append((str(data.get("path")), str(data.get("sha256"))))
    return found


def _require_free(target: Path, *, force: bool) -> None:
    if not force and os.path.lexists(target):
        raise ModelError(f"{target}: expected no file there, got one; choose another name, or add --force")
