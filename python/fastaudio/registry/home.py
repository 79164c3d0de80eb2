"""The folder that fetched models lie in: one folder each, with a card and the files that it names."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from fastaudio._system.writing import OutputError

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
CARD = "card.json"


def home() -> Path:
    r"""Return the folder of fastaudio's data: `FASTAUDIO_HOME`, or else the platform's folder for data.

    That is `$XDG_DATA_HOME/fastaudio` or `~/.local/share/fastaudio`, on macOS `~/Library/Application
    Support/fastaudio`, on Windows `%LOCALAPPDATA%\fastaudio`. It may not exist.

    Raises:
        OutputError: nothing says where it is, because the user has no home.
    """
    try:
        if chosen := os.environ.get("FASTAUDIO_HOME"):
            return Path(os.path.abspath(Path(chosen).expanduser()))  # noqa: PTH100  # links stay
        return _platform() / "fastaudio"
    except RuntimeError as error:
        raise OutputError(
            "FASTAUDIO_HOME: expected a folder for models, got none, and no home of the user; set it"
        ) from error


def _platform() -> Path:
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) if local else Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    chosen = Path(os.environ.get("XDG_DATA_HOME", ""))
    return chosen if chosen.is_absolute() else Path.home() / ".local" / "share"


def folder_of(name: str) -> Path:
    """Return the folder of a fetched model, which may not exist."""
    return home() / "models" / name


def fetched_card(name: str) -> Path | None:
    """Return the card of a fetched model, or None if there is no such model here."""
    if not _NAME.fullmatch(name):
        return None
    try:
        path = folder_of(name) / CARD
        return path if path.is_file() else None
    except OSError:  # no home, or one that can't be read
        return None


def fetched() -> list[str]:
    """Return the names of the models that were fetched, in order."""
    try:
        names = sorted(path.name for path in (home() / "models").iterdir())
    except OSError:
        return []
    return [name for name in names if fetched_card(name)]
