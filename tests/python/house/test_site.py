"""The site of docs/ has what it should, as far as that shows without building it: .ci/docs builds it."""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import re
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import pytest
from fastaudio.cli.running import _COMMANDS, _parser
from helpers import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

DOCS = ROOT / "docs"
EXAMPLES = sorted((DOCS / "gallery").rglob("plot_*.py"))
ROW = re.compile(r"^\| (.*?) \| (.*?) \|", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
PEERS = {"librosa": "librosa", "torchaudio": "torchaudio.transforms", "Essentia": "essentia.standard"}


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def extension(name: str, folder: Path = DOCS / "extensions") -> ModuleType:
    """Load a module that is no part of the package and needs no Sphinx."""
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_gallery_has_at_least_twenty_examples_with_pictures() -> None:
    assert len(EXAMPLES) >= 20
    for folder in {path.parent for path in EXAMPLES}:
        assert (folder / "README.rst").exists()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_has_a_title_and_uses_only_sound_that_everybody_has(path: Path) -> None:
    text = read(path)
    assert len(text.splitlines()) <= 60
    title, line, empty, *rest = (ast.get_docstring(ast.parse(text)) or "").split("\n")
    assert set(line) == {"="}
    assert len(line) == len(title)
    assert not empty
    assert rest
    for name in re.findall(r'"(\.\./[^"]+)"', text):
        assert (path.parent / name).resolve().is_relative_to(ROOT)
        assert (path.parent / name).exists(), name
    assert "shared" not in text


def test_the_sections_of_the_api_name_what_there_is() -> None:
    sections = extension("sections")
    named = [name for _, names in {**sections.PIPELINES, **sections.NODES}.values() for name in names]
    assert len(named) == len(set(named))
    assert set(named) <= set(fa.__all__)
    for room, names in sections.EXPORTED.items():
        for name in names:
            module, _, last = f"fastaudio.{room}.{name}".rpartition(".")
            assert getattr(importlib.import_module(module), last).__doc__, name


def test_every_command_has_words_for_its_page() -> None:
    for action in _parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            assert len(action.choices) >= len(_COMMANDS)
            for name, parser in action.choices.items():
                assert parser.description, name


def test_every_extra_is_explained() -> None:
    extras = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]["optional-dependencies"]
    said = {name for first, _ in ROW.findall(read(DOCS / "install.md")) for name in CODE.findall(first)}
    assert said == set(extras)


def tables() -> Iterator[tuple[str, str, str]]:
    """Yield the package, and both columns of each row, of the page on coming from others."""
    for part in read(DOCS / "coming-from.md").split("\n## ")[1:]:
        title = part.partition("\n")[0]
        for theirs, ours in ROW.findall(part)[2:]:
            yield title, theirs, ours


def found(module: Any, name: str) -> bool:
    for part in name.split("."):
        if not hasattr(module, part):
            return False
        module = getattr(module, part)
    return True


def test_the_names_of_ours_in_the_tables_exist() -> None:
    rows = list(tables())
    assert len(rows) > 40
    for _, _, ours in rows:
        for code in CODE.findall(ours):
            for name in re.findall(r"\bfa\.([\w.]+)", code):
                assert found(fa, name), name
            for name in re.findall(r'load\("([\w-]+)"\)', code):
                assert name in fa.models(), name


@pytest.mark.parametrize("package", PEERS)
def test_the_names_of_others_in_the_tables_exist(package: str) -> None:
    module = pytest.importorskip(PEERS[package], exc_type=ImportError, reason=f"{package} isn't installed")
    for title, theirs, _ in tables():
        for code in CODE.findall(theirs) if title.startswith(package) else ():
            name = re.match(r"[\w.]+", code)
            if name is None or name[0].startswith("torchaudio."):
                continue
            assert found(module, name[0].removeprefix("librosa.")), code


def test_nodes_say_what_goes_in_and_out_in_words_that_the_site_reads() -> None:
    docstrings = extension("docstrings")
    lines = ["Does.", "", "Input:  rows [n]   power", "        of any kind", "Output: rows", "", "Options:"]
    lines += ["    a: int", "        Rate."]
    docstrings.readable(None, "class", "X", None, None, lines)
    assert lines[2:5] == [":Input: rows [n], power", "    of any kind", ":Output: rows"]
    assert "    a (int):" in lines
    assert docstrings.plain("x |a| np.bool_ *args `a|b`") == r"x \|a\| np.bool\_ \*args `a|b`"
    assert "sphinx" not in sys.modules


def test_the_check_of_the_site_finds_what_is_wrong(tmp_path: Path) -> None:
    check = extension("check_site", ROOT / "tools")
    (tmp_path / "right.html").write_text('<h1 id="here">x</h1><a href="#here">y</a>', encoding="utf-8")
    (tmp_path / "wrong.html").write_text(
        '<a href="gone.html">x</a><a href="right.html#nowhere">y</a><a href="https://example.org">z</a>'
        '<script src="https://example.org/x.js"></script><img src="right.html">',
        encoding="utf-8",
    )
    (tmp_path / "wrong.css").write_text("@import 'https://example.org/x.css';", encoding="utf-8")
    (tmp_path / "wrong.js").write_text("export { x } from 'https://example.org/x.js';", encoding="utf-8")
    names = [f"fastaudio.{name}: expected a place in the API, got none" for name in fa.__all__]
    names.remove("fastaudio.__version__: expected a place in the API, got none")
    assert check.faults(tmp_path) == [
        "wrong.html: loads https://example.org/x.js from another host",
        "wrong.html: expected a file, got none for gone.html",
        "wrong.html: expected a place on its page, got none for right.html#nowhere",
        "wrong.css: loads https://example.org/x.css from another host",
        "wrong.js: loads https://example.org/x.js from another host",
        *names,
    ]


@pytest.mark.parametrize(
    "text",
    [
        '<img srcset="right.html 1x, https://a.org/b 2x">',
        '<video poster="//a.org/b"></video>',
        '<object data="https://a.org/b"></object>',
        '<embed src="https://a.org/b">',
        '<link rel="preload" imagesrcset="https://a.org/b 300w">',
        '<svg><use xlink:href="https://a.org/b"/></svg>',
        '<p style="background: url(https://a.org/b)">x</p>',
        "<style>@import url(https://a.org/b);</style>",
        "<style>@import url('https://a.org/b') screen;</style>",
        '<style>@import "//a.org/b";</style>',
        "<script>const x = await import('https://a.org/b');</script>",
        '<script type="module">import "https://a.org/b";</script>',
        "<script>fetch(`https://a.org/b`)</script>",
        "<script>new Worker('https://a.org/b')</script>",
    ],
)
def test_the_check_of_the_site_sees_every_way_to_load(tmp_path: Path, text: str) -> None:
    check = extension("check_site", ROOT / "tools")
    page = tmp_path / "page.html"
    page.write_text(text, encoding="utf-8")
    assert any(load.endswith("//a.org/b") for load in check.Page(page).loads)
    page.write_text(text.replace("https://", "").replace("//a.org/", "a.org/"), encoding="utf-8")
    assert not any("//" in load for load in check.Page(page).loads)


def test_the_check_of_the_site_takes_no_text_for_a_load(tmp_path: Path) -> None:
    check = extension("check_site", ROOT / "tools")
    page = tmp_path / "page.html"
    page.write_text('<pre>import "https://a.org/b"; url(//a.org/b)</pre><p>fetch("//a.org/b")</p>', "utf-8")
    assert check.Page(page).loads == []
