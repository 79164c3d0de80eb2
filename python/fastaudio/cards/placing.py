"""Which files a card's network needs, and where they go when it is saved."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError
from fastaudio._system.reading import pieces
from fastaudio.cards import packed_file
from fastaudio.cards.file_names import check_names, harmless

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BESIDE = 1000
"""Files with weights that a network may have beside it."""

SHA256 = re.compile("[0-9a-f]{64}")


def external_of(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the files with weights that a card's network names, each with its hash.

    Raises:
        ModelError: it isn't so.
    """
    files = options.get("external", {})
    if isinstance(files, dict) and len(files) > MOST_BESIDE:
        raise ModelError(
            f"OnnxModel: expected at most {MOST_BESIDE} files in 'external', got {len(files)}; export the "
            "network with its weights in one file"
        )
    fit = isinstance(files, dict) and all(
        isinstance(name, str) and isinstance(sha256, str) and SHA256.fullmatch(sha256)
        for name, sha256 in files.items()
    )
    if not fit:
        raise ModelError(
            "OnnxModel: expected 'external' as a dict of files, each with its sha256 in hex, got "
            f"{files!r:.80}"
        )
    for name in files:  # before any of them is looked for
        if not {"", ".", ".."}.isdisjoint(name.split("/")):
            raise ModelError(
                "OnnxModel: expected in 'external' names of files as the network has them, got "
                f"{name!r:.80}; leave out '.', '..' and empty parts"
            )
    return dict(files)


def require_no_link(target: Path, home: Path) -> None:
    """Raise a ModelError if a folder between a folder and a file in it is a link, which could lead out."""
    if link := next((at for at in target.parents if home in at.parents and at.is_symlink()), None):
        raise ModelError(f"{target}: expected a file inside {home}, got a link, {link}; remove it")


def place_network(
    data: Mapping[str, Any], folder: Path, networks: dict[Path, bytes], replaced: set[Path]
) -> dict[str, Any]:
    """Add a network and its files to those to be written, unless they are in the folder.

    Weights may take the place of those in `replaced`; what a network in the folder needs is taken out of it.

    Returns:
        Its path, its hash, and those of the files beside it.

    Raises:
        ModelError: a file is missing, or was changed since the node was made; another one is in the way.
    """
    weights, sha256 = Path(data["path"]), data["sha256"]
    hashes: dict[str, str] = data.get("external", {})
    content = packed_file.read_network(str(weights), sha256)
    beside = {name: packed_file.read_network(str(weights), hashes[name], name) for name in hashes}
    external = {"external": hashes} if hashes else {}
    if weights.resolve().is_relative_to(folder):
        for name, file in beside.items():
            place = weights.resolve().parent / name
            replaced.discard(place)
            _add_file(place, file, hashes[name], networks, replaced)
        return {"path": weights.resolve().relative_to(folder).as_posix(), "sha256": sha256} | external
    target = folder / harmless(weights.name)
    if _hash_at(target, networks) not in (None, sha256):  # another model's file: keep both
        target = folder / f"{target.stem}-{sha256[:8]}{target.suffix}"
    check_names("Pipeline.save", [], hashes)
    for name, file in beside.items():  # under the names that the network has for them
        require_no_link(folder / name, folder)
        _add_file(folder / name, file, hashes[name], networks, replaced)
    if _hash_at(target, networks) is None:
        networks[target] = content
    return {"path": target.name, "sha256": sha256} | external


def _add_file(
    target: Path, content: bytes, sha256: str, networks: dict[Path, bytes], replaced: set[Path]
) -> None:
    """Add a file with weights to those to be written, unless it is there."""
    there = _hash_at(target, networks)
    if there not in (None, sha256) and target in replaced and target not in networks:
        there = None
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


def hash_file(path: Path) -> str:
    """Return a file's sha256 in hex; ModelError if it can't be read, or is no regular file."""
    try:
        digest = hashlib.sha256()
        for piece in pieces(path):
            digest.update(piece)
    except OSError as error:
        raise ModelError(f"{path}: expected a readable file, got: {error}") from error
    return digest.hexdigest()
