"""Programs written for 0.1.0 still import what they did."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import types

import fastaudio as fa
import pytest
from fastaudio._system.old_paths import MOVED
from helpers import ROOT

TEXT = (ROOT / "tests/python/house/names_0_1_0.txt").read_text(encoding="utf-8")
UNLOADED = (
    "fastaudio.cli",
    "fastaudio.heads",
    "fastaudio.librosa",
)  # packages that `import fastaudio` never loaded
NAMES = {
    module: names.split() for module, names in re.findall(r"^(fastaudio[\w.]*):([^:]*)$", TEXT, re.MULTILINE)
}


@pytest.mark.parametrize("module", NAMES)
def test_a_module_of_0_1_0_still_has_its_names(module: str) -> None:
    found = importlib.import_module(module)
    assert [name for name in NAMES[module] if not hasattr(found, name)] == []


@pytest.mark.parametrize("module", MOVED)
def test_an_old_name_gives_the_moved_module_itself(module: str) -> None:
    assert module in NAMES
    assert importlib.import_module(module) is importlib.import_module(MOVED[module])


def test_old_modules_are_attributes_of_the_package() -> None:
    top = [name for name in NAMES if name.count(".") == 1 and name not in UNLOADED]
    code = f"import fastaudio\nfor name in {top}: eval(name)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_that_never_was_is_an_attribute_error() -> None:
    assert isinstance(fa, types.ModuleType)
    with pytest.raises(AttributeError, match=r"module 'fastaudio' has no attribute 'nothing'"):
        fa.nothing  # noqa: B018
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("fastaudio.nothing")


def test_the_list_is_read_whole() -> None:
    assert len(NAMES) == len(re.findall(r"^fastaudio", TEXT, re.MULTILINE)) > len(MOVED)
    assert "ZeroCrossingRate" in NAMES["fastaudio"]
