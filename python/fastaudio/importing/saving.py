"""Writing an imported model as a card, with its networks and a licence beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio import cards
from fastaudio._system.writing import OutputError, check_folder, check_writable
from fastaudio.cards import pack

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from fastaudio._core import Node
    from fastaudio.pipeline import Pipeline


def card_path(path: str | os.PathLike[str]) -> Path:
    """Return the file that makes a place a model: a folder's card.json, or the .onnx or .json file itself."""
    target = Path(path)
    return target if target.suffix in (".json", ".onnx") else target / "card.json"


def check_place(path: str | os.PathLike[str], *, force: bool) -> None:
    """Find out before the work whether a model can be written there.

    Raises:
        OutputError: it can't, or there is one and `force` is False.
    """
    target = card_path(path)
    if target != Path(path):
        check_folder(path)
        if target.exists() and not force:
            raise OutputError(
                f"{target}: expected no model there, got one; choose another name, or add --force"
            )
    else:
        check_writable(path, force=force)


def save(pipeline: Pipeline, path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Write a pipeline as a model that `Pipeline.load` takes, and return its file.

    Args:
        pipeline: what to write.
        path: a folder for the card and its networks; or a file that ends in .json, with the networks beside
            it, or in .onnx, for all in one.
        force: whether to replace a model that is there.

    Raises:
        ModelError: a network's file was changed meanwhile, or what is in the way is no model.
        OutputError: a file can't be written, or there is a model and `force` is False.
    """
    check_place(path, force=force)
    target = card_path(path)
    name = target.absolute().parent.name if target.name == "card.json" else target.stem
    how = {key: getattr(pipeline, key) for key in ("channel", "quality", "silence_db")}
    metadata = {**pipeline.card, "name": name, **how}
    if target.suffix == ".onnx":
        pack.save(target, pipeline.node, metadata)
    else:
        licence = next(_licences(pipeline.node.parts()), b"")
        cards.save(target, pipeline.node, metadata, licence=licence)
    return target


def _licences(nodes: Iterable[Node]) -> Iterator[bytes]:
    """Yield the licences of networks that come with the package."""
    for node in nodes:
        path = getattr(node, "path", None)
        if isinstance(path, str) and Path(path).is_relative_to(cards.MODELS):
            yield pack.licence_in(Path(path).parent)
