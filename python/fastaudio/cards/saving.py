"""Writes a card, and its networks' files beside it: all of them, or none."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio import _core
from fastaudio._core import ModelError
from fastaudio._system.folder import making
from fastaudio._system.writing import Output, writing_all
from fastaudio.cards import packed_file
from fastaudio.cards.card import RUN_TIME_OPTIONS, SCHEMA, front_end, hash_file, read_card
from fastaudio.cards.file_names import LICENCE, check_names, harmless

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastaudio._core import Node


def save(path: Path, node: Node, metadata: Mapping[str, Any], *, licence: bytes = b"") -> None:
    """Write a card for `node` to `path`, and its networks' files beside it; it replaces cards, no other file.

    With a `licence`, that is written as LICENSE beside it. Either all files are written, or what was there
    stays as it was.

    Raises:
        ModelError: a weight file is missing, or was changed since it was loaded; another file is in the way.
        OutputError: a file can't be written.
    """
    if path.is_file():
        _require_card(path)
    folder = path.parent.resolve()
    networks: dict[Path, bytes] = {}

    def place(data: Any) -> Any:
        if isinstance(data, list):
            return [place(part) for part in data]
        if not isinstance(data, dict):
            return data
        placed = {key: place(value) for key, value in data.items()}
        if data.get("node") == "OnnxModel":
            for key in RUN_TIME_OPTIONS:
                placed.pop(key, None)
            placed |= _place_network(data, folder, networks)
        return placed

    nodes = [part.to_dict() for part in node.parts()]
    card = {"schema": SCHEMA, "name": path.stem, "version": "1.0.0"} | dict(metadata)
    card |= {"schema": SCHEMA, "input": front_end(node), "pipeline": place(nodes)}
    text = json.dumps(card, indent=2, ensure_ascii=False)
    contents: dict[Output, bytes] = {Output(at, force=False, follow=False): networks[at] for at in networks}
    if licence:
        contents[Output(folder / LICENCE, force=True, follow=False)] = licence
    contents[Output(path, force=True)] = f"{text}\n".encode()  # the last to get its name: it names the others
    with making(folder), writing_all(contents) as files:
        for file, content in zip(files, contents.values(), strict=True):
            file.write(content)


def _require_card(path: Path) -> None:
    """Raise ModelError if a file isn't a card, whose place a new one may take."""
    try:
        read_card(path)
    except ModelError as error:
        raise ModelError(
            f"{path}: expected no file there, or a card to replace, got another file; choose another name"
        ) from error


def _place_network(data: Mapping[str, Any], folder: Path, networks: dict[Path, bytes]) -> dict[str, Any]:
    """Add a network and its files to those to be written, unless they are in the folder.

    Returns:
        Its path, its hash, and those of the files beside it.
    """
    weights = Path(data["path"])
    content = packed_file.read_network(str(weights), data.get("sha256", ""))
    sha256 = hashlib.sha256(content).hexdigest()
    stated = data.get("external", {})
    beside = {
        name: packed_file.read_network(str(weights), stated.get(name, ""), name)
        for name in _core.names_beside(str(weights), content)
    }
    hashes = {name: hashlib.sha256(file).hexdigest() for name, file in beside.items()}
    external = {"external": hashes} if hashes else {}
    if weights.resolve().is_relative_to(folder):
        return {"path": weights.resolve().relative_to(folder).as_posix(), "sha256": sha256} | external
    target = folder / harmless(weights.name)
    if _hash_at(target, networks) not in (None, sha256):  # another model's file: keep both
        target = folder / f"{target.stem}-{sha256[:8]}{target.suffix}"
    check_names("Pipeline.save", [], hashes)
    for name, file in beside.items():  # under the names that the network has for them
        _add_file(folder / name, file, hashes[name], networks)
    if _hash_at(target, networks) is None:
        networks[target] = content
    return {"path": target.name, "sha256": sha256} | external


def _add_file(target: Path, content: bytes, sha256: str, networks: dict[Path, bytes]) -> None:
    """Add a file with weights to those to be written."""
    there = _hash_at(target, networks)
    if there not in (None, sha256):
        raise ModelError(
            f"{target}: expected no file there, or the same weights, got others; save into another folder, "
            "or first save the network with weights under a name of its own: onnx.save(model, 'other.onnx', "
            "save_as_external_data=True, location='other.onnx.data')"
        )
    if there is None:
        networks[target] = content


def _hash_at(target: Path, networks: Mapping[Path, bytes]) -> str | None:
    if target in networks:
        return hashlib.sha256(networks[target]).hexdigest()
    return hash_file(target) if os.path.lexists(target) else None
