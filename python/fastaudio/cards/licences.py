"""The licences of weights: which text belongs to a model, and whose LICENSE lies in a folder."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio._core import ModelError, OnnxModel
from fastaudio._system.reading import NoRegularFileError, read_small
from fastaudio.cards import packed_file
from fastaudio.cards.file_names import CARD, LICENCE
from fastaudio.cards.mentions import networks_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastaudio._core import Node

_MOST_CARDS = 100  # of a network that are looked at in a folder


def licence_in(folder: Path, name: str = LICENCE) -> bytes:
    """Return the text of the LICENSE in a folder, empty if there is none; pipes and devices are left alone.

    Raises:
        ModelError: it is a link out of the folder, which could lead to anything, or it is too large.
    """
    path = folder / name
    if not path.is_file():
        return b""
    place = path.resolve()
    if not place.is_relative_to(folder.resolve()):
        raise ModelError(f"{path}: expected a file in the card's folder, got a link out of it; copy the file")
    try:
        text = read_small(place, packed_file.LARGEST_CARD, follow=False)
    except (NoRegularFileError, FileNotFoundError) as error:  # it was changed meanwhile
        raise ModelError(
            f"{path}: expected a file in the card's folder, got another; copy the file"
        ) from error
    if text is None:
        raise ModelError(f"{path}: expected at most {packed_file.LARGEST_CARD} bytes, got more; shorten it")
    return text


def own_name(card: Path) -> str:
    """Return the name of a card's own licence, which is written where another LICENSE lies beside it."""
    return f"{card.stem}.{LICENCE}"


def licence_beside(card: Path) -> bytes:
    """Return the text of a card's own licence, or else of the LICENSE beside it; empty if there is none.

    Raises:
        ModelError: as for `licence_in`.
    """
    return licence_in(card.parent, own_name(card)) or licence_in(card.parent)


def licence_place(card: Path, text: bytes) -> Path:
    """Return where a licence goes beside a card: LICENSE, or the card's own if that is another text.

    Raises:
        ModelError: the card's own is another text, and there is no card of that name yet.
    """
    own = card.parent / own_name(card)
    if not os.path.lexists(own):
        return card.parent / LICENCE if _is_free(card.parent / LICENCE, text) else own
    if not card.is_file() and not _is_free(own, text):
        raise ModelError(
            f"{own}: expected none, or the licence of the model's weights, got another; choose another name"
        )
    return own


def _is_free(path: Path, text: bytes) -> bool:
    """Tell whether a licence can be written without another being lost."""
    if not os.path.lexists(path):
        return True
    with suppress(OSError):
        return path.is_file() and read_small(path, packed_file.LARGEST_CARD) == text
    return False


def licence_of(node: Node) -> bytes:
    """Return the licences of a pipeline's networks, each text once: those of the models that they are from.

    A network is a model's if it lies beside a card.json, or beside another card that names it, or is packed
    with its card. Empty if there are none.
    """
    texts = dict.fromkeys(text for path in _paths(node) if (text := licence_at(path)))
    return b"\n\n".join(text.rstrip(b"\n") for text in texts) + b"\n" if len(texts) > 1 else b"".join(texts)


def check_licence(folder: Path, licence: bytes) -> None:
    """Refuse to write a LICENSE in the place of another one, which may be that of somebody's own files.

    Raises:
        ModelError: there is one with another text.
    """
    path = folder / LICENCE
    if licence and path.is_file() and not _is_free(path, licence):
        raise ModelError(
            f"{path}: expected none, or the licence of the model's weights, got another; choose a folder "
            "of its own for the model"
        )


def licence_at(path: Path) -> bytes:
    """Return the licence of the model that a network is from, as `licence_of` finds it."""
    with suppress(ModelError, OSError):  # a link to elsewhere isn't followed
        if path.is_file():
            with path.open("rb") as file:
                if packed := packed_file.find(file, str(path)):
                    return packed.licence
        for card in islice(_cards_with(path), _MOST_CARDS):
            if path.name in networks_in(card):
                return licence_beside(card)
        card = path.parent / CARD
        return licence_beside(card) if card.is_file() else b""
    return b""


def _cards_with(network: Path) -> Iterator[Path]:
    """Yield the files beside a network that may be cards of it: its name stands in them."""
    names = {form.encode() for form in (network.name, json.dumps(network.name)[1:-1])}
    for card in network.parent.glob("*.json"):
        with suppress(OSError, NoRegularFileError):
            text = b"" if card.name == CARD else read_small(card, packed_file.LARGEST_CARD) or b""
            if any(name in text for name in names):
                yield card


def _paths(node: Node) -> Iterator[Path]:
    if isinstance(node, OnnxModel):
        yield Path(node.path)
    for child in node.children():
        yield from _paths(child)
