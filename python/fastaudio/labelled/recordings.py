"""Recordings that belong to tables: beside them, and named alike or in their rows."""

from __future__ import annotations

import os
import re
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from fastaudio._system.text import found_as
from fastaudio.decoding.folders import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TABLES = (".txt", ".tsv")
"""What names of label tracks and selection tables end with."""

# What programs put between a recording's name and .txt: Raven, BirdNET, fastaudio, and people.
_ADDED = re.compile(
    r"(?:\.Table\.\d+)?(?:\.selections)?(?:\.BirdNET(?:\.selection\.table|\.results)?)?(?:[._-]labels?)?",
    re.IGNORECASE,
)


class Recordings:
    """The recordings of a folder, by their names."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Take their paths."""
        self._named: dict[str, str] = {}
        for path in sorted(paths):
            self._named.setdefault(Path(path).stem, path)
        for path in sorted(paths):  # night.wav.txt is rather night.wav's than that of one named night.wav.mp3
            self._named[Path(path).name] = path

    def of(self, table: str) -> str | None:
        """Return the one that a table of this name belongs to, or None; the longest name of several."""
        stem = Path(table).stem
        for end in range(len(stem), 0, -1):
            path = self._named.get(stem[:end])
            if path is not None and _ADDED.fullmatch(stem, end):
                return path
        return None


def recording_of(table: Path) -> str | None:
    """Return the recording beside a table that is named like it, or None."""
    entries = (entry for entry in os.scandir(table.parent) if _is_sound(entry.name))
    return Recordings([entry.path for entry in entries]).of(table.name)


def _is_sound(name: str) -> bool:
    return Path(name).suffix[1:].lower() in SUFFIXES and not name.startswith(".")


def finder(folder: Path) -> Callable[[str], str | None]:
    """Return what finds a recording by the name in a row: as a path from here, or by its last part alone.

    The last part alone is looked for beside the table, since paths are those of another machine.
    """
    known: dict[str, str | None] = {}

    def find(name: str) -> str | None:
        if name not in known:
            known[name] = _find(folder, name)
        return known[name]

    return find


def _find(folder: Path, name: str) -> str | None:
    if "\0" in name:
        return None
    last = PureWindowsPath(name).name  # which takes both slashes
    for candidate in (folder / name, folder / PureWindowsPath(name).as_posix(), folder / last):
        found = found_as(candidate)
        if _is_file(Path(found)):
            return found
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False
