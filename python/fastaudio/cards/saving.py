"""Writes a card, and its networks' files beside it: all of them, or none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError
from fastaudio._system.folder import making
from fastaudio._system.writing import Output, writing_all
from fastaudio.cards.card import RUN_TIME_OPTIONS, SCHEMA, front_end, read_card
from fastaudio.cards.file_names import LICENCE
from fastaudio.cards.licences import licence_of, licence_place
from fastaudio.cards.placing import place_network

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from fastaudio._core import Node


def save(
    path: Path,
    node: Node,
    metadata: Mapping[str, Any],
    *,
    licence: bytes | None = None,
    own_folder: bool = False,
    replaced: Iterable[str] = (),
) -> None:
    """Write a card for `node` to `path`, and its networks' files beside it; it replaces cards, no other file.

    A `licence` is written beside it as LICENSE, or as NAME.LICENSE for NAME.json where another LICENSE lies
    that isn't the model's; in its `own_folder` it is. None takes those of the models that the networks are
    from. Files with weights may take the place of those in `replaced`, names in the card's folder. Either all
    files are written, or what was there stays as it was.

    Raises:
        ModelError: a weight file is missing, or was changed since it was loaded; another file is in the way.
        OutputError: a file can't be written.
    """
    if path.is_file():
        _require_card(path)
    folder = path.parent.resolve()
    licence = licence_of(node) if licence is None else licence
    networks: dict[Path, bytes] = {}
    old = {folder / name for name in replaced}

    def place(data: Any) -> Any:
        if isinstance(data, list):
            return [place(part) for part in data]
        if not isinstance(data, dict):
            return data
        placed = {key: place(value) for key, value in data.items()}
        if data.get("node") == "OnnxModel":
            for key in RUN_TIME_OPTIONS:
                placed.pop(key, None)
            placed |= place_network(data, folder, networks, old)
        return placed

    nodes = [part.to_dict() for part in node.parts()]
    card = {"schema": SCHEMA, "name": path.stem, "version": "1.0.0"} | dict(metadata)
    card |= {"schema": SCHEMA, "input": front_end(node), "pipeline": place(nodes)}
    text = json.dumps(card, indent=2, ensure_ascii=False)
    contents: dict[Output, bytes] = {
        Output(at, force=at in old, follow=False, below=folder): networks[at] for at in networks
    }
    if licence:
        place_of = folder / LICENCE if own_folder else licence_place(folder / path.name, licence)
        contents[Output(place_of, force=True, follow=False)] = licence
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
