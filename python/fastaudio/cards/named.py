"""Where the card of a model lies that is called by its name, or by a path."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fastaudio._core import ModelError, did_you_mean
from fastaudio._system.text import listed
from fastaudio.registry import entries, fetched
from fastaudio.registry.home import fetched_card

DEFAULT_MODEL = "musicnn-mtt"

# An editable install has two folders: one with the sources, and one with the files built and installed.
_FOLDERS = [Path(folder) / "_models" for folder in sys.modules["fastaudio"].__path__]
MODELS = next((folder for folder in _FOLDERS if folder.is_dir()), _FOLDERS[0])
"""Folder of the models that come with the package."""


def models() -> list[str]:
    """Return the names of the models that are here: the package's, the default one first, then fetched."""
    names = _shipped()
    return names + [name for name in fetched() if name not in names]


def _shipped() -> list[str]:
    names = sorted(path.parent.name for path in MODELS.glob("*/card.json"))
    return sorted(names, key=lambda name: name != DEFAULT_MODEL)


def model_at(path: str) -> Path | None:
    """Return the card or packed model at a path, None if there is no such file."""
    try:
        file = Path(path) / "card.json" if Path(path).is_dir() else Path(path)
        return file if file.is_file() else None
    except (OSError, ValueError):
        return None


def _require_one(name: str, found: Path) -> None:
    """Refuse a name that means two models: one that is here by that name, and another at the path."""
    local = model_at(name)
    if local is None:
        return
    try:
        same = local.samefile(found) or local.read_bytes() == found.read_bytes()
    except OSError:
        same = False
    if not same:
        raise ModelError(
            f"Pipeline.load: expected the name of one model, got {name!r}, which is a model in this folder "
            f"too; write {os.curdir}{os.sep}{name} for that one, or {found.parent} for the other"
        )


def card_path(name_or_path: str | os.PathLike[str]) -> Path:
    """Return where a model's card lies."""
    text = os.fspath(name_or_path) if isinstance(name_or_path, str | os.PathLike) else name_or_path
    if not isinstance(text, str):
        got = f"{text!r:.80} ({type(text).__name__})"
        raise TypeError(f"Pipeline.load: expected a model's name or a path, got {got}")
    shipped = MODELS / text / "card.json" if text in _shipped() else None
    if found := shipped or fetched_card(text):
        if text != DEFAULT_MODEL:  # which is meant where no name is given
            _require_one(text, found)
        return found
    if there := model_at(text):
        return there
    path = Path(text)
    try:
        folder = path.is_dir()
    except (OSError, ValueError):
        folder = False
    if folder:
        raise ModelError(f"Pipeline.load: expected a folder with a card.json, got {text!r:.200} without one")
    if isinstance(name_or_path, os.PathLike) or path.name != text or path.suffix in (".json", ".onnx"):
        raise ModelError(
            f"Pipeline.load: expected the path of a card or packed model, got no file {text!r:.200}"
        )
    if text in entries():
        raise ModelError(
            f"Pipeline.load: expected a model that is here, got {text!r}, which isn't yet; "
            f"run: {entries()[text].command}"
        )
    known = models()
    raise ModelError(
        f"Pipeline.load: expected one of {listed(known)}, or the path of a card or packed model, "
        f"got {text!r:.80}{did_you_mean(text, [*known, *entries()])}"
    )
