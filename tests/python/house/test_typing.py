"""The type stub fits the core; right programs pass `mypy --strict`, and wrong ones don't."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys

import pytest
from fastaudio import _core
from helpers import ROOT

STUB = ROOT / "python" / "fastaudio" / "_core.pyi"


def test_good_programs_pass_and_misuse_is_caught() -> None:
    pytest.importorskip("mypy", reason="mypy isn't installed")
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores", "tests/typing"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_stub_names_what_the_core_has() -> None:
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name, value in vars(_core).items():
        if name.startswith("__"):
            continue
        if not inspect.isclass(value):
            assert name in functions
            continue
        bodies = [classes[c.__name__].body for c in value.__mro__ if c.__name__ in classes]
        said = {node.name for body in bodies for node in body if isinstance(node, ast.FunctionDef)}
        has = {key for key in vars(value) if not key.startswith("_")}
        assert has <= said, name
        assert {key for key in said if not key.startswith("_")} <= set(dir(value)), name


def test_every_node_tells_its_signature() -> None:
    nodes = [
        value for value in vars(_core).values() if inspect.isclass(value) and issubclass(value, _core.Node)
    ]
    assert len(nodes) > 30
    for node in nodes:
        if node is not _core.Node:
            inspect.signature(node)
    assert inspect.signature(_core.Log).parameters["kind"].default == "ln"
