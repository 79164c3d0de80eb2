"""A package that imports lazily has the names that type checkers see."""

from __future__ import annotations

import ast
import importlib
import re
import sys

import pytest
from fastaudio._system.lazy import lazily
from helpers import ROOT

PYTHON = ROOT / "python"
LAZY = [path for path in sorted(PYTHON.rglob("*.py")) if " = lazily(" in path.read_text(encoding="utf-8")]


def package_of(path: object) -> str:
    return str(path).removeprefix(f"{PYTHON}/").removesuffix("/__init__.py").replace("/", ".")


def seen_and_given(text: str) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return the names of each module that type checkers see, and those that `lazily` gives."""
    (branch,) = (
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and node.orelse
    )
    imports = [node for node in branch.body if isinstance(node, ast.ImportFrom) and node.module]
    seen = {str(node.module): {alias.name for alias in node.names} for node in imports}
    given: dict[str, set[str]] = {}
    for node in ast.walk(ast.Module(branch.orelse, [])):
        if isinstance(node, ast.Dict):
            given |= {key: set(names.split()) for key, names in ast.literal_eval(node).items()}
    return seen, given


@pytest.mark.parametrize("path", LAZY, ids=package_of)
def test_type_checkers_see_the_names_that_are_imported_lazily(path: object) -> None:
    package = importlib.import_module(package_of(path))
    seen, given = seen_and_given(path.read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    rooms = seen.pop("fastaudio", set())
    assert seen == given
    assert given
    for name in set().union(*given.values(), rooms):
        assert name in dir(package)
        assert getattr(package, name) is not None


def test_a_name_is_imported_once_and_others_are_attribute_errors() -> None:
    get, names = lazily("fastaudio.graph", {"fastaudio.graph.hop": "with_hop"}, "layers")
    graph = importlib.import_module("fastaudio.graph")
    assert {"with_hop", "layers", "__doc__"} <= set(names())
    assert get("with_hop") is graph.__dict__["with_hop"]
    assert get("layers") is importlib.import_module("fastaudio.graph.layers")
    with pytest.raises(AttributeError, match=r"module 'fastaudio.graph' has no attribute 'nothing'"):
        get("nothing")
    del graph.__dict__["with_hop"]


def test_the_list_of_packages_is_not_empty() -> None:
    assert {package_of(path) for path in LAZY} >= {"fastaudio", "fastaudio.live", "fastaudio.registry"}


def test_an_isolated_process_has_loaded_what_functions_import_late() -> None:
    text = (PYTHON / "fastaudio/isolation/child.py").read_text(encoding="utf-8")
    (late,) = re.findall(r"^LATE = (.*)$", text, re.MULTILINE)
    found = set()
    for path in [
        PYTHON / "fastaudio/_system/indexing.py",
        *(
            path
            for room in ("cards", "decoding", "graph", "running")
            for path in (PYTHON / "fastaudio" / room).glob("*.py")
        ),
    ]:
        found |= set(
            re.findall(r"^ +import (\w+)  # noqa: PLC0415", path.read_text(encoding="utf-8"), re.MULTILINE)
        )
    assert found & sys.stdlib_module_names == set(ast.literal_eval(late))
