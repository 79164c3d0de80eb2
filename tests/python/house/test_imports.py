"""The layers of the house: each sees only those below it. Reads the includes and the imports."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
from helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CPP = ROOT / "cpp"
PYTHON = ROOT / "python" / "fastaudio"

# What each folder may include from, besides itself.
BELOW: dict[str, set[str]] = {
    "simd": set(),
    "dsp": {"simd"},
    "core": {"simd", "dsp"},
    "nodes": {"simd", "dsp", "core"},
    "inference": {"simd", "dsp", "core"},
    "live": {"simd", "dsp", "core"},
    "bindings": {"simd", "dsp", "core", "nodes", "inference", "live"},
}
EVERYBODYS = "core/error.hpp"
# What several nodes share, and no node itself.
SHARED_HEADERS = {"all.hpp"}

# Python modules from the bottom up: a module imports from lower rows only.
ROWS = [
    {"_core"},
    {"_system", "presets", "tags", "events", "graph"},
    {"cards", "running"},
    {"librosa", "live"},
    {"pipeline"},
    {"heads"},
    {"cli"},
    {"__init__", "__main__"},
]

sources = sorted(path for path in CPP.rglob("*") if path.suffix in (".hpp", ".cpp"))
modules = sorted(PYTHON.rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def includes(path: Path, pattern: str) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"^\s*#\s*include\s*{pattern}", text, re.MULTILINE)


@pytest.mark.parametrize("path", sources, ids=named)
def test_a_source_includes_only_from_the_layers_below(path: Path) -> None:
    layer = path.relative_to(CPP).parts[0]
    for included in includes(path, '"([^"]+)"'):
        assert (CPP / included).is_file(), f"{included}: own headers are included by their full path"
        from_layer = included.split("/")[0]
        allowed = {layer} | BELOW[layer]
        assert from_layer in allowed or (included == EVERYBODYS and layer == "dsp"), included


@pytest.mark.parametrize("path", sources, ids=named)
def test_only_the_bindings_know_python(path: Path) -> None:
    foreign = includes(path, r'[<"]((?:pybind11|Python\.h|numpy)[^>"]*)[>"]')
    assert not foreign or path.relative_to(CPP).parts[0] == "bindings"


@pytest.mark.parametrize("path", sources, ids=named)
def test_only_the_inference_folder_knows_onnx_runtime(path: Path) -> None:
    layer = path.relative_to(CPP).parts[0]
    words = re.findall(r"\bOrt[A-Z]\w+", path.read_text(encoding="utf-8"))
    assert not words or layer == "inference", words[:3]


@pytest.mark.parametrize("path", sources, ids=named)
def test_only_the_platform_header_knows_the_operating_system(path: Path) -> None:
    system = includes(path, r"<((?:unistd|dlfcn|windows|pthread|sys/)[^>]*)>")
    assert not system or path.stem == "platform", system


def imports(path: Path) -> set[str]:
    """The package's modules, or packages in it, that one of them imports, wherever the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the package in full"
            package, _, module = (node.module or "").partition(".")
            if package == "fastaudio":
                found |= {module.split(".")[0]} if module else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                package, _, module = alias.name.partition(".")
                if package == "fastaudio":
                    found.add(module.split(".")[0] or "__init__")
    return found


@pytest.mark.parametrize("path", modules, ids=named)
def test_a_module_imports_only_from_the_layers_below(path: Path) -> None:
    known = {name: index for index, row in enumerate(ROWS) for name in row}
    own = path.relative_to(PYTHON).with_suffix("").parts[0]
    assert own in known, "a new module: give it a place in ROWS"
    for imported in imports(path):
        within = imported == own and path.parent != PYTHON
        assert within or known[imported] < known[own], f"{own} imports {imported}"


def test_one_list_holds_all_nodes() -> None:
    text = (CPP / "nodes" / "all.hpp").read_text(encoding="utf-8")
    headers = {path.name for path in (CPP / "nodes").glob("*.hpp")} - SHARED_HEADERS
    assert headers == set(re.findall(r'#include "nodes/(\w+\.hpp)"', text))
