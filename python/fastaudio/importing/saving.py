"""Writing an imported model: a card with its networks and a licence beside it, or all in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio import cards
from fastaudio._core import ModelError
from fastaudio._system.writing import OutputError, check_folder, check_writable
from fastaudio.cards.licences import check_licence, licence_of
from fastaudio.cards.pack import has_own_folder
from fastaudio.cards.replacing import model_file, save_model

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from fastaudio.pipeline import Pipeline


def check_place(
    path: str | os.PathLike[str], *, force: bool, inputs: Iterable[str | os.PathLike[str]] = ()
) -> None:
    """Find out before the work whether a model can be written there.

    Args:
        path: the model's folder or file.
        force: whether it may replace a model that is there.
        inputs: files that the model is made of, which it must not replace.

    Raises:
        ModelError: another file is there.
        OutputError: it can't, there is one and `force` is False, or it would replace one of `inputs`.
    """
    target = model_file(path)
    if target == Path(path):
        check_writable(path, force=force, inputs=inputs)
        _require_model(target)
        return
    check_folder(path)
    if target.exists():
        if not force:
            raise OutputError(
                f"{target}: expected no model there, got one; choose another name, or add --force"
            )
        check_writable(target, force=True, inputs=inputs)
        _require_model(target)


def _require_model(target: Path) -> None:
    """Raise ModelError if a file isn't a model, whose place a new one may take."""
    if not target.is_file():
        return
    try:
        cards.read_card(target)
    except ModelError as error:
        what = "a packed model" if target.suffix == ".onnx" else "a card"
        raise ModelError(
            f"{target}: expected no file there, or {what} to replace, got another file; choose another name"
        ) from error


def save(
    pipeline: Pipeline, path: str | os.PathLike[str], *, force: bool = True, licence: bytes | None = None
) -> Path:
    """Write a pipeline as a model that `Pipeline.load` takes, and return its file.

    If a network comes with the package, the licence of its weights is written too: as LICENSE beside the
    card, or NAME.LICENSE for NAME.json where another LICENSE lies; or inside the .onnx file. Of a model that
    is replaced, nothing stays if the folder holds nothing else; with other files in it, these all stay,
    networks and a LICENSE among them.

    Args:
        pipeline: what to write.
        path: a folder for the card and its networks; or a file that ends in .json, with the networks beside
            it, or in .onnx, for all in one.
        force: whether to replace a model that is there, as `Pipeline.save` does; no other file is.
        licence: the text of the weights' licence; None for those of the models that the networks are from.

    Raises:
        ModelError: a network's file was changed meanwhile, what is in the way is no model, or another
            LICENSE is, in a folder with other files.
        OutputError: a file can't be written, or there is a model and `force` is False.
    """
    check_place(path, force=force)
    target = model_file(path)
    how = {key: getattr(pipeline, key) for key in ("channel", "quality", "silence_db")}
    metadata = {**pipeline.card, **how}
    licence = licence_of(pipeline.node) if licence is None else licence
    in_folder = target != Path(path)
    if target.suffix == ".onnx" or (in_folder and (has_own_folder(target) or not target.exists())):
        return save_model(path, pipeline.node, metadata, licence=licence)
    # Networks that lie there may be somebody's originals, which the card before named in their place.
    if in_folder:
        check_licence(target.parent, licence)
    name = target.absolute().parent.name if in_folder else target.stem
    cards.save(target, pipeline.node, {**metadata, "name": name}, licence=licence)
    return target
