"""Writing a model in the place of an older one, whose networks go once the new one is whole.

The older card may be anybody's, so it doesn't say alone what goes: only a file in the card's own folder whose
hash is the one that the card states, and that no other card there names.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError
from fastaudio.cards import pack
from fastaudio.cards.file_names import check_names
from fastaudio.cards.licences import check_licence, licence_of
from fastaudio.cards.mentions import networks_in
from fastaudio.cards.placing import hash_file
from fastaudio.cards.saving import save

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from fastaudio._core import Node

_NETWORK = re.compile(r"[^/\\]+\.onnx")


def model_file(path: str | os.PathLike[str]) -> Path:
    """Return the file that makes a place a model: its card, or all in one if `path` ends in .onnx."""
    target = Path(path)
    return target if target.suffix in (".json", ".onnx") else target / "card.json"


def save_model(
    path: str | os.PathLike[str], node: Node, metadata: Mapping[str, Any], *, licence: bytes | None = None
) -> Path:
    """Write a model that is named like `path`, and return its file, which `Pipeline.load` takes.

    A model that is there is replaced, and stays whole until the new one is.

    Args:
        path: a folder, for the card, its networks and the licence; or the path of a card, which ends in
            .json; or a file that ends in .onnx, for all in one.
        node: the model.
        metadata: what the card says besides.
        licence: the text of its LICENSE, empty for none; None for those of the models that the networks are
            from, or else for the one that is there.

    Raises:
        ModelError: a network's file is gone or was changed, what is in the way is no model, or another
            LICENSE is, in a folder with files that aren't the model's.
        OutputError: a file can't be written.
    """
    target = model_file(path)
    in_folder = target != Path(path)
    metadata = {**metadata, "name": Path(path).absolute().name if in_folder else target.stem}
    text = licence_of(node) if licence is None else licence
    if target.suffix == ".onnx":
        pack.save(target, node, metadata, licence=text)
        return target
    own = in_folder and pack.has_own_folder(target)
    if in_folder and not own:
        check_licence(target.parent, text)
    old = _files_beside(target)
    weights = [name for name in old if not _NETWORK.fullmatch(name)]
    save(target, node, metadata, licence=text, own_folder=own, replaced=weights)
    if own and licence == b"":  # that of the model before
        (target.parent / "LICENSE").unlink(missing_ok=True)
    home = target.parent.resolve()
    for name in old - networks_in(target).keys():
        (home / name).unlink(missing_ok=True)
    return target


def _files_beside(card: Path) -> set[str]:
    """Return the networks and files with weights in a card's folder that are the card's, and no other's."""
    if card.suffix != ".json" or not card.is_file():
        return set()
    named = networks_in(card)
    for other in card.parent.glob("*.json"):
        if other != card:
            for name in networks_in(other):
                named.pop(name, None)
    return {name for name, sha256 in named.items() if _is_ours(card.parent / name, name, sha256)}


def _is_ours(file: Path, name: str, sha256: str) -> bool:
    """Tell whether it is a file of the folder itself, under a name that we write, with the card's content."""
    if "/" in name or not (_NETWORK.fullmatch(name) or _is_weights(name)) or file.is_symlink():
        return False
    with suppress(ModelError, ValueError):  # such a name can't be a file's
        return hash_file(file) == sha256
    return False


def _is_weights(name: str) -> bool:
    """Tell whether it is a name for weights in a folder; a card might name anything."""
    try:
        check_names("card", [], [name])
    except ModelError:
        return False
    return True
