"""Optional packages, which only some of the package needs; they are imported where they are used."""

from __future__ import annotations

import importlib
from typing import Any

from fastaudio._core import FastaudioError

_PACKAGES = {"sklearn": "scikit-learn"}  # if the module has another name


class MissingExtra(FastaudioError, ImportError):  # noqa: N818  # named for what is missing
    """A package isn't installed; the message names the command that installs it."""


def require(module: str, *, extra: str, what: str) -> Any:
    """Import and return a module of an extra; MissingExtra, which names `what` needs it, if there is none."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        root = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != root:
            raise
        name = _PACKAGES.get(root, root)
        raise MissingExtra(
            f"{what}: expected {name}, got none; pip install 'fastaudio-toolkit[{extra}]'"
        ) from error
