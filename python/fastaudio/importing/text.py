"""Small files of text from anywhere: JSON, CSV and lists of labels, in the encodings that they come in."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any

from fastaudio._core import BudgetError, ModelError, TimedOut
from fastaudio._system.reading import read_small
from fastaudio.cards.budget import Budget, check_items

if TYPE_CHECKING:
    import os

LARGEST = 8 << 20
"""Bytes of the largest file that is read."""

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: str | os.PathLike[str]) -> str:
    """Return a file's text: UTF-8 or UTF-16 by its mark, else UTF-8, else Windows' Latin-1; lines end in LF.

    Raises:
        ModelError: it can't be read, is larger than 8 MiB, or is no text.
    """
    try:
        raw = read_small(path, LARGEST)
    except TimedOut:  # an OSError too
        raise
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: expected a file that can be read, got: {error}") from error
    if raw is None:
        raise ModelError(f"{path}: expected a text of at most {LARGEST >> 20} MiB, got a larger file")
    text = _decoded(raw)
    if "\0" in text:
        raise ModelError(f"{path}: expected a text, got bytes that are none; name a CSV, JSON or text file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(raw: bytes) -> str:
    if raw.startswith(_WIDE):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Windows' own differs from Latin-1 in 32 places, where Latin-1 has control characters.
        return raw.decode("cp1252", "replace")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; ValueError if a key comes twice: only one of its values would be left."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r:.80} twice in one object; rename or remove one")
    return found


def read_json(path: str | os.PathLike[str]) -> Any:
    """Return what a JSON file holds.

    Raises:
        ModelError: it can't be read, is no JSON, or holds more values than a card may.
    """
    text = read_text(path)
    try:
        check_items(text.encode("utf-8", "replace"), Budget())
        return json.loads(text, object_pairs_hook=_each_once)
    except BudgetError as error:
        most = Budget().items
        raise ModelError(
            f"{path}: expected JSON of at most {most} values, got more; keep the labels only"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: expected JSON, got: {error!s:.200}") from error
