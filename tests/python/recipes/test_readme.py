"""What the recipes' page says of papers names things that exist."""

from __future__ import annotations

import inspect
import re

import fastaudio as fa
import pytest
from fastaudio import heads, presets
from helpers import RECIPES

PAGE = (RECIPES / "README.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("## What the papers say and what is done here") :]
ROWS = [line for line in SECTION.splitlines() if re.match(r"\| [0-9IV]", line)]
NAMES = [name for row in ROWS for name in re.findall(r"`([^`]+)`", row)]


def test_each_of_the_five_papers_has_rows_of_four_cells() -> None:
    papers = re.findall(r"^\*\*(\w+)", SECTION, flags=re.MULTILINE)
    assert papers == ["Alonso", "Hung", "Kumar", "Favory", "Lee"]
    assert len(ROWS) > 50
    assert all(len(row.split("|")) == 6 for row in ROWS)


@pytest.mark.parametrize("name", sorted({name for name in NAMES if name.endswith(".py")}))
def test_a_script_that_is_named_is_there(name: str) -> None:
    folders = [RECIPES, *(RECIPES / folder for folder in ("papers", "train"))]
    folders.append(RECIPES.parents[1] / "tests" / "python" / "recipes")
    assert any((folder / name).is_file() for folder in folders)


@pytest.mark.parametrize("name", sorted({name for name in NAMES if name.startswith("presets.")}))
def test_a_preset_that_is_named_takes_what_is_named(name: str) -> None:
    found = re.fullmatch(r"presets\.(\w+)(?:\((.*)\))?", name)
    assert found
    given = re.findall(r"(\w+)=", found[2] or "")
    assert set(given) <= set(inspect.signature(getattr(presets, found[1])).parameters)


@pytest.mark.parametrize(
    "name", sorted({name for name in NAMES if name.startswith(("heads.fit", "evaluate"))})
)
def test_an_option_that_is_named_is_one(name: str) -> None:
    function = heads.fit if name.startswith("heads.fit") else heads.evaluate
    assert set(re.findall(r"(\w+)=", name)) <= set(inspect.signature(function).parameters)


def test_nodes_and_methods_that_are_named_are_there() -> None:
    for name in {name for text in NAMES for name in re.findall(r"\bfa\.(\w+)", text)}:
        assert hasattr(fa, name)
    for name in ("similarity", "plot_labels", "source_similarity"):
        assert f"`Head.{name}`" in SECTION
        assert hasattr(heads.Head, name)


def test_methods_that_are_named_are_there() -> None:
    pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")
    import contrastive_printed
    import informed
    from methods import METHODS

    named = {name for name in NAMES if name.startswith("nt-xent")}
    assert named
    assert named <= set(contrastive_printed.METHODS)
    assert "con-reg-5" in METHODS
    for name in {name.split(".")[1] for name in NAMES if re.fullmatch(r"informed\.\w+", name)} - {"py"}:
        assert hasattr(informed, name)
