"""Pages of the API, made of what the package exports: a section per subject, a page per name.

A new name of `fastaudio`, and a new room that has an `__all__`, appear by themselves.
"""
# ruff: noqa: INP001  # Sphinx imports it by its name

from __future__ import annotations

import importlib
import inspect
import pkgutil
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastaudio
from docstrings import plain
from sections import EXPORTED, NODES, NOT_PUBLIC, PIPELINES
from sphinx.ext.autodoc.mock import mock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from sphinx.application import Sphinx

Section = tuple[str, str, list[str]]  # its file's name, its title, full names


def public_rooms() -> dict[str, list[str]]:
    """Return the package's public rooms, and what each exports."""
    rooms = {}
    for found in pkgutil.iter_modules(fastaudio.__path__):
        if found.name.startswith("_") or found.name in NOT_PUBLIC:
            continue
        room = importlib.import_module(f"fastaudio.{found.name}")
        names = EXPORTED.get(found.name) or list(getattr(room, "__all__", [])) or _defined(room)
        if names:
            rooms[found.name] = names
    return rooms


def _defined(room: ModuleType) -> list[str]:
    """Return the classes and functions without an underscore that a room's modules define."""
    names = []
    for found in pkgutil.iter_modules(getattr(room, "__path__", [])):
        module = importlib.import_module(f"{room.__name__}.{found.name}")
        for name, value in vars(module).items():
            own = getattr(value, "__module__", None) == module.__name__ and callable(value)
            if own and not name.startswith("_"):
                names.append(f"{found.name}.{name}")
    return names


def sections() -> Iterator[Section]:
    """Yield the sections of the package's own names: those that are listed, then what is left."""
    left = [name for name in fastaudio.__all__ if not inspect.ismodule(getattr(fastaudio, name))]
    for file, (title, names) in {**PIPELINES, **NODES}.items():
        yield file, title, [f"fastaudio.{name}" for name in names]
        left = [name for name in left if name not in names]
    errors = [name for name in left if _is_a(name, BaseException)]
    nodes = [name for name in left if _is_a(name, fastaudio.Node)]
    others = [name for name in left if name not in errors + nodes and name != "__version__"]
    for file, title, names in (
        ("nodes-others", "Other nodes", nodes),
        ("errors", "Errors", errors),
        ("others", "Others", others),
    ):
        if names:
            yield file, title, [f"fastaudio.{name}" for name in names]


def _is_a(name: str, kind: type) -> bool:
    value = getattr(importlib.import_module("fastaudio"), name)
    return isinstance(value, type) and issubclass(value, kind)


def write_pages(app: Sphinx) -> None:
    """Write all pages into the folder api, and leave alone those that are as they were."""
    folder = Path(app.srcdir) / "api"
    pages: dict[str, str] = {}
    with mock(app.config.autodoc_mock_imports):
        own = list(sections())
        rooms = public_rooms()
        pages_of: dict[int, str] = {}  # of a class or a function, wherever it is exported
        for file, title, names in own:
            pages[file] = _section(title, "", names, pages_of, pages)
        for room, exported in rooms.items():
            names = [f"fastaudio.{room}.{name}" for name in exported]
            intro = f".. automodule:: fastaudio.{room}\n   :no-members:\n"
            pages[room] = _section(f"fastaudio.{room}", intro, names, pages_of, pages)
        pages["index"] = _index([file for file, _, _ in own], list(rooms))
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        if old.stem not in pages:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _titled(title: str) -> str:
    return f"{title}\n{'=' * len(title)}\n\n"


def _index(own: list[str], rooms: list[str]) -> str:
    text = _titled("API") + (
        "Everything that the package exports, from its docstrings. Names without a submodule\n"
        "are those of the package: ``import fastaudio as fa``, then ``fa.Pipeline``.\n\n"
    )
    for caption, files in (("The package", own), ("Submodules", rooms)):
        text += f".. toctree::\n   :caption: {caption}\n   :maxdepth: 1\n\n"
        text += "".join(f"   {file}\n" for file in files) + "\n"
    return text


def _section(
    title: str, intro: str, names: list[str], pages_of: dict[int, str], pages: dict[str, str]
) -> str:
    """Return a section's page, and add those of its names that have none yet."""
    text = _titled(title) + intro + "\n.. list-table::\n   :widths: 30 70\n\n"
    own = []
    for name in names:
        value = _found(name)[1]
        key = id(value) if callable(value) or inspect.ismodule(value) else id(name)
        if key not in pages_of:
            pages_of[key] = name
            pages[name] = _page(name)
            own.append(name)
        text += f"   * - :doc:`{_short(name)} <{pages_of[key]}>`\n     - {_summary(value)}\n"
    text += "\n.. toctree::\n   :hidden:\n\n" if own else ""
    return text + "".join(f"   {_short(name)} <{name}>\n" for name in own)


def _summary(value: Any) -> str:
    """Return the first paragraph of a docstring, on one line; a constant's is its value."""
    if not (callable(value) or inspect.ismodule(value)):
        return f"``{value!r:.80}``"
    paragraph = (inspect.getdoc(value) or "").partition("\n\n")[0]
    return plain(" ".join(paragraph.split()))


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _page(name: str) -> str:
    module, value = _found(name)
    text = _titled(name)
    text += f".. currentmodule:: {module.__name__}\n\n"
    inner = name.removeprefix(module.__name__ + ".")
    if isinstance(value, type):
        text += f".. autoclass:: {inner}\n" + ("" if _is_node(value) else "   :members:\n")
    elif inspect.ismodule(value):
        text += f".. automodule:: {name}\n   :members:\n   :imported-members:\n"
    elif callable(value):
        text += f".. autofunction:: {inner}\n"
    else:
        text += f".. autodata:: {inner}\n"
    return text


def _is_node(value: type) -> bool:
    """Return whether its options are its only members: `Node` has the others."""
    return issubclass(value, fastaudio.Node) and value is not fastaudio.Node


def _found(name: str) -> tuple[ModuleType, Any]:
    """Return the innermost module of a full name, and the value."""
    parts = name.split(".")
    module: Any = importlib.import_module(parts[0])
    for i, part in enumerate(parts[1:-1], start=2):
        module = getattr(module, part, None) or importlib.import_module(".".join(parts[:i]))
    return module, getattr(module, parts[-1])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx, before it looks for pages."""
    app.connect("builder-inited", write_pages, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
