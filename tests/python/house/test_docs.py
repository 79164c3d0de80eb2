"""What the documentation shows works: its Python blocks, commands, links and pictures, and every doctest."""

from __future__ import annotations

import argparse
import doctest
import importlib
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio.cli import main
from helpers import GUITAR, ROOT, decode

if TYPE_CHECKING:
    from pathlib import Path

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
# These aren't run here, but their links are followed and their commands are parsed.
OTHERS = [ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "models").rglob("README.md"))]
PYTHON = re.compile(r"(<!-- no-test -->\s*\n)?^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(fastaudio [^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[tuple[int, str]]:
    """Line and text of each Python block that isn't marked as untested."""
    text = read(page)
    return [
        (text.count("\n", 0, match.start(2)), match[2]) for match in PYTHON.finditer(text) if not match[1]
    ]


def shell_lines(page: Path) -> list[str]:
    """The lines of a page's shell blocks, and the commands between its sentences."""
    text = read(page)
    fenced = [line for kind, text in FENCED.findall(text) if kind == "sh" for line in text.splitlines()]
    return list(dict.fromkeys([*fenced, *INLINE.findall(FENCED.sub("", text))]))


def fastaudio_calls(line: str) -> list[list[str]]:
    """The arguments of each call of fastaudio in a shell line, without its comment."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split, lexer.commenters = True, "#"
    words, calls, call = list(lexer), [], []
    for word in [*words, ";"]:
        if set(word) <= set("|&;<>"):
            calls.append(call)
            call = []
        else:
            call.append(word)
    return [call[1:] for call in calls if call[:1] == ["fastaudio"]]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter a folder such as a reader has: the examples, a model, songs, and sounds with labels."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copytree(ROOT / "models" / "musicnn-mtt", tmp_path / "models" / "musicnn-mtt")
    labels = fa.Pipeline.load("musicnn-mtt").output_specs[""].labels
    (tmp_path / "labels.csv").write_text(
        "label\n" + "".join(f"{label}\n" for label in labels), encoding="utf-8"
    )
    for name in ("song.mp3", "song.flac", "song.wav"):
        shutil.copy(GUITAR, tmp_path / name)
    samples, rate = decode(GUITAR)
    rng = np.random.default_rng(0)
    for i in range(6):
        clip = samples[i * rate : (i + 3) * rate]
        for label, x in (("guitar", clip), ("noise", rng.normal(0, 0.1, clip.shape))):
            (tmp_path / "sounds" / label).mkdir(parents=True, exist_ok=True)
            soundfile.write(tmp_path / "sounds" / label / f"{i}.wav", x, rate)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=name_of)
def test_a_pages_python_runs_from_top_to_bottom(page: Path) -> None:
    if any("heads.fit" in text for _, text in blocks(page)):
        for package in ("sklearn", "onnx"):
            pytest.importorskip(package, reason="pip install '.[train]'")
    if any("import torch" in text for _, text in blocks(page)):
        pytest.importorskip("torch", reason="pip install '.[torch]'")
    if any("export_onnx" in text for _, text in blocks(page)):
        pytest.importorskip("onnx", reason="pip install '.[onnx]'")
    if any(".plot" in text or "import plot" in text for _, text in blocks(page)):
        pytest.importorskip("matplotlib", reason="pip install '.[plot]'")
        pytest.importorskip("pandas", reason="pip install '.[pandas]'")
    names: dict[str, Any] = {"__name__": page.stem}
    for line, text in blocks(page):
        # Padded, so that a traceback points into the page.
        exec(compile("\n" * line + text, str(page), "exec"), names)  # noqa: S102


def test_the_readme_is_short_and_shows_the_two_commands_that_the_gate_runs() -> None:
    text = read(README)
    assert len(text.splitlines()) < 200
    assert len(blocks(README)) >= 3
    match = re.search(r"<!-- the two commands -->\n```sh\n(.*?)\n```", text, re.DOTALL)
    assert match
    assert match[1].splitlines() == [
        "pip install . && fastaudio tag examples/guitar.flac",
        "pip install 'fastaudio-toolkit[test]' && pytest",
    ]


COMMANDS = [
    (page, line, call)
    for page in PAGES + OTHERS
    for line in shell_lines(page)
    for call in fastaudio_calls(line)
]


def test_the_pages_show_every_command() -> None:
    shown = {call[0] for _, _, call in COMMANDS}
    assert shown >= {"tag", "embed", "listen", "train", "evaluate", "import", "export", "pack", "unpack"}
    assert shown >= {"devices", "models", "get", "quantize", "plot"}


@pytest.mark.parametrize(
    "call", [pytest.param(call, id=f"{name_of(page)}: {line[:50]}") for page, line, call in COMMANDS]
)
def test_a_shown_command_is_one_that_the_command_line_takes(
    call: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class ParsedError(Exception):
        pass

    parse = argparse.ArgumentParser.parse_args

    def parse_only(parser: argparse.ArgumentParser, *args: Any) -> None:
        parse(parser, *args)
        raise ParsedError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
    with pytest.raises((ParsedError, SystemExit)) as ended:
        main(call if len(call) > 1 else [*call, "--help"])
    assert ended.type is ParsedError or ended.value.code == 0, capsys.readouterr().err


@pytest.mark.parametrize("page", PAGES + OTHERS, ids=name_of)
def test_a_pages_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCED.sub("", read(page))):
        if re.match(r"\w+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_linked_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in LINK.findall(read(index))}
    assert [page for page in PAGES if page != index and page not in linked] == []


def test_the_pictures_are_those_that_their_script_draws(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pip install '.[plot]'")
    image = pytest.importorskip("PIL.Image")
    command = [sys.executable, str(ROOT / "docs" / "make_pictures.py"), "--output", str(tmp_path)]
    subprocess.run(command, check=True)
    committed = (ROOT / "docs" / "pictures").glob("*.png")
    # Those of the page are by docs/make_page_pictures.py, which needs a browser.
    pictures = sorted(path for path in committed if not path.name.startswith("page"))
    assert [picture.name for picture in pictures] == sorted(path.name for path in tmp_path.iterdir())
    for picture in pictures:
        assert picture.stat().st_size <= 150_000
        with image.open(picture) as committed, image.open(tmp_path / picture.name) as drawn:
            assert committed.size == drawn.size


def test_the_diagrams_are_those_that_their_script_draws(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "docs" / "make_diagrams.py"), "--output", str(tmp_path)]
    subprocess.run(command, check=True)
    diagrams = sorted((ROOT / "docs" / "pictures").glob("*.svg"))
    assert [diagram.name for diagram in diagrams] == sorted(path.name for path in tmp_path.iterdir())
    for diagram in diagrams:
        assert read(diagram) == read(tmp_path / diagram.name), diagram.name


MODULES = [
    m.name for m in pkgutil.walk_packages(fa.__path__, "fastaudio.") if not m.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_doctests_hold(name: str) -> None:
    if name.startswith("fastaudio.torch"):
        pytest.importorskip("torch", reason="pip install '.[torch]'")
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
