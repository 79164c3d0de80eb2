"""What the documentation shows works: the README's Python blocks and every doctest."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import shutil
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import pytest
from helpers import GUITAR, ROOT

if TYPE_CHECKING:
    from pathlib import Path

README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- no-test -->\s*\n)?^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[int, str]]:
    """Line and text of each Python block that isn't marked as untested."""
    text = README.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, match.start(2)), match[2]) for match in BLOCK.finditer(text) if match[1] is None
    ]


def test_the_readme_shows_examples() -> None:
    assert len(blocks()) >= 2
    text = README.read_text(encoding="utf-8")
    assert "pip install . && fastaudio tag examples/guitar.flac" in text
    assert "pip install 'fastaudio-toolkit[test]' && pytest" in text


def test_the_readmes_python_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Where a reader would try it: a folder with a song of theirs.
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copytree(ROOT / "models" / "musicnn-mtt", tmp_path / "models" / "musicnn-mtt")
    for name in ("song.mp3", "song.flac", "song.wav"):
        shutil.copy(GUITAR, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "readme"}
    for line, text in blocks():
        # Padded, so that a traceback points into the README.
        exec(compile("\n" * line + text, str(README), "exec"), names)  # noqa: S102


MODULES = [
    m.name for m in pkgutil.walk_packages(fa.__path__, "fastaudio.") if not m.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_doctests_hold(name: str) -> None:
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


def test_the_packages_own_doctest_holds() -> None:
    result = doctest.testmod(fa)
    assert result.attempted > 0
    assert result.failed == 0


def test_every_public_name_is_documented() -> None:
    for name in fa.__all__:
        value = getattr(fa, name)
        assert name == "__version__" or (value.__doc__ or "").strip(), name


def test_the_project_is_introduced_and_its_changes_listed() -> None:
    assert fa.__version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for heading in ("add a node", "add a model", "add a preset"):
        assert heading in contributing.lower()
