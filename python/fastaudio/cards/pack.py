"""Packing a card and its networks into one file, and unpacking them."""

from __future__ import annotations

import math
import os
import posixpath
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio import cards
from fastaudio._core import BudgetError, ModelError
from fastaudio._system.folder import making
from fastaudio._system.writing import Output, check_folder, check_writable, writing_all
from fastaudio.cards import packed_file
from fastaudio.cards.budget import Budget, refuse
from fastaudio.cards.file_names import CARD, LICENCE, check_names
from fastaudio.cards.licences import licence_beside, licence_of, own_name
from fastaudio.cards.mentions import networks_in
from fastaudio.cards.placing import hash_file, require_no_link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastaudio._core import Node
    from fastaudio.cards import Card


def pack(card: Card, target: Path, *, force: bool = False) -> None:
    """Write a card, its networks and the LICENSE beside it as one file, which `Pipeline.load` takes.

    Its pipeline is built once, to pack only what loads. `force` replaces a file that is there.

    Raises:
        ModelError: the card doesn't load or has no networks, or a file is in the way.
        OutputError: the file can't be written, or the card is made of it.
    """
    _require_free(target, force=force)
    check_writable(target, force=True, inputs=_inputs(card))
    cards.build(card)
    networks, weights = _split(_contents(card))
    packed_file.write(target, card.text, _licence(card), networks, weights=weights, force=force)


def save(path: Path, node: Node, metadata: Mapping[str, Any], *, licence: bytes | None = None) -> None:
    """Write `node` with its card as one file; it replaces a packed file, but no other.

    `licence` is the text that is packed with it; None takes those of the models that its networks are from.

    Raises:
        ModelError: there are no networks, a network's file is missing or was changed, or another file is in
            the way.
        OutputError: the file can't be written.
    """
    if path.is_file():
        with path.open("rb") as file:
            if packed_file.find(file, str(path)) is None:
                raise ModelError(
                    f"{path}: expected no file there, or a packed model to replace, got another file; choose "
                    "another name"
                )
    if licence is None:
        licence = licence_of(node)
    import tempfile  # noqa: PLC0415  # only packing needs it

    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder, "card.json")
        cards.save(unpacked, node, {"name": path.stem} | dict(metadata), licence=b"")
        card = cards.read_card(unpacked)
        networks, weights = _split(_contents(card))
        with making(path.parent):
            packed_file.write(path, card.text, licence, networks, weights=weights, force=True)


def _split(contents: Mapping[str, bytes]) -> tuple[list[bytes], list[bytes]]:
    """Return the networks, and the files with weights beside them."""
    networks = [content for name, content in contents.items() if name.endswith(".onnx")]
    return networks, [content for name, content in contents.items() if not name.endswith(".onnx")]


def unpack(card: Card, folder: Path, *, force: bool = False, budget: Budget | None = None) -> list[Path]:
    """Write a packed card and its networks as the separate files that they were; return their paths.

    Only networks, whose names end in .onnx, files with their weights, card.json and LICENSE are written,
    inside the folder, which is created if needed; nothing at all unless every network has its hash and all
    files could be written. `force` replaces files that are there.

    Raises:
        BudgetError: the card names more networks than `budget` allows; None is the default one.
        ModelError: the card isn't packed, a name leads out of the folder or may be taken for another, the
            file is damaged, or another file is in the way.
        OutputError: a file can't be written, or the packed model would be replaced by its part.
    """
    if not card.packed:
        raise ModelError(f"{card.path}: expected a packed model, got a card; its networks lie beside it")
    _check_count(card, budget or Budget())
    contents = _contents(card)
    if licence := _licence(card):
        contents[LICENCE] = licence
    contents[CARD] = card.text  # named last: a folder is a model only with its card
    home = folder.resolve()
    targets = [home / name for name in contents]
    for target in targets:
        require_no_link(target, home)
        _require_free(target, force=force)
    check_folder(folder)
    for target in targets:
        if target.parent.is_dir():
            check_writable(target, force=True, inputs=[card.path])
    outputs = [Output(target, force=force, follow=False, below=home) for target in targets]
    with making(home), writing_all(outputs) as files:
        for file, content in zip(files, contents.values(), strict=True):
            file.write(content)
    return targets


def _check_count(card: Card, budget: Budget) -> None:
    """Refuse a packed card that names its few contents again and again: each name is a file to write."""
    networks = _files(card.data["pipeline"])
    if len(networks) > (budget.networks or math.inf):
        with cards.blaming(card):
            refuse("networks", f"{budget.networks} networks", str(len(networks)))
    names = {name for name, _, _ in networks} | {name for _, _, files in networks for name, _, _ in files}
    if len(names) > (most := packed_file.MOST_FILES) and budget.networks is not None:
        raise BudgetError(
            f"{card.path}: expected at most {most} networks and files with weights in a packed model, got "
            f"{len(names)}; if you trust it: fastaudio.Pipeline.load(...).save('FOLDER/card.json')"
        )


def has_own_folder(path: Path) -> bool:
    """Tell whether a card's folder holds the card, what it names and a LICENSE, and nothing else.

    Otherwise a LICENSE there may be that of other files. False if there is no such card, or if a file has
    another hash than the one that the card states: then it may be somebody's own.
    """
    if not path.is_file():
        return False
    try:
        card = cards.read_card(path)
        named = {file.relative_to(card.path.parent).parts[0] for file in _inputs(card)}
    except (ModelError, ValueError, IndexError):
        return False
    if (path.parent / own_name(path)).exists():  # as the LICENSE was there before
        return False
    if not {file.name for file in path.parent.iterdir()} <= named:
        return False
    with suppress(ModelError, ValueError):
        stated = [(path.parent / name, sha256) for name, sha256 in networks_in(path).items()]
        return all(hash_file(file) == sha256 for file, sha256 in stated if file.exists())
    return False


def _inputs(card: Card) -> list[Path]:
    """Return the files that a card is made of."""
    if card.packed:
        return [card.path]
    files = _files(card.data["pipeline"])
    names = [
        LICENCE,
        own_name(card.path),
        *(name for name, _, _ in files),
        *(name for _, _, beside in files for name, _, _ in beside),
    ]
    return [card.path, *(card.path.parent / name for name in names)]


def _licence(card: Card) -> bytes:
    """Return the text of the LICENSE beside the card, or packed with it; empty if there is none.

    Raises:
        ModelError: it is a link out of the card's folder, which could lead to anything, or it is too large.
    """
    if card.packed:
        return card.packed.licence
    return licence_beside(card.path)


def _contents(card: Card) -> dict[str, bytes]:
    """Return the networks that a card names, and files with their weights, after checking their hashes."""
    contents: dict[str, bytes] = {}
    held: dict[tuple[str, bool], bytes] = {}  # each content once, however many names it has
    hashes: dict[str, str] = {}
    networks = _files(card.data["pipeline"])
    every = [beside for _, _, files in networks for beside in files]
    check_names(card.path, [name for name, _, _ in networks], [name for name, _, _ in every])
    found = [(name, sha256, name, "") for name, sha256, _ in networks]
    for name, sha256, network, beside in found + [
        (place, sha256, name, beside) for name, _, files in networks for place, sha256, beside in files
    ]:
        if hashes.setdefault(name, sha256) != sha256:
            raise ModelError(f"{card.path}: expected one hash for a file, got {name!r:.80} with two")
        if name in contents:
            continue
        content = held.get((sha256, bool(beside))) if card.packed else None
        if content is None:
            path = card.path if card.packed else cards.network_beside(card, network)
            content = packed_file.read_network(str(path), sha256, beside)
        contents[name] = held.setdefault((sha256, bool(beside)), content)
    return contents


def _files(pipeline: Any) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    """Return path and hash of each network, and those of the files beside it, with its names for them.

    `cards.build` checks everything else about them.
    """
    found, left = [], [pipeline]
    while left:  # no recursion: an untrusted card may nest deeper than the stack
        data = left.pop()
        if isinstance(data, list):
            left += reversed(data)
        elif isinstance(data, dict):
            left += reversed(data.values())
            if data.get("node") == "OnnxModel":
                name = posixpath.normpath(str(data.get("path")))  # "./a.onnx" loads as "a.onnx" does
                folder = posixpath.dirname(name)
                external = cards.external_of(data).items()
                beside = [(posixpath.join(folder, other), sha256, other) for other, sha256 in external]
                found.append((name, str(data.get("sha256")), beside))
    return found


def _require_free(target: Path, *, force: bool) -> None:
    if not force and os.path.lexists(target):
        raise ModelError(f"{target}: expected no file there, got one; choose another name, or add --force")
