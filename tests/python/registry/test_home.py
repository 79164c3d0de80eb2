"""Fetched models lie where the platform keeps data, or where FASTAUDIO_HOME says."""

from __future__ import annotations

import sys
from pathlib import Path

import fastaudio as fa
import pytest
from fastaudio import registry


@pytest.fixture(autouse=True)
def somebody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("FASTAUDIO_HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("platform", "place"),
    [
        ("linux", ".local/share/fastaudio"),
        ("darwin", "Library/Application Support/fastaudio"),
        ("win32", "AppData/Local/fastaudio"),
    ],
)
def test_each_platform_has_its_folder(
    platform: str, place: str, somebody: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert registry.home() == somebody / place


def test_the_environment_overrides_it(somebody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert registry.home() == somebody / ".local/share/fastaudio"
    monkeypatch.setenv("XDG_DATA_HOME", str(somebody / "data"))
    assert registry.home() == somebody / "data" / "fastaudio"
    monkeypatch.setenv("FASTAUDIO_HOME", str(somebody / "mine"))
    assert registry.home() == somebody / "mine"
    monkeypatch.chdir(somebody)
    monkeypatch.setenv("FASTAUDIO_HOME", "here")
    assert registry.home() == somebody / "here"


def test_without_a_home_nothing_is_here_and_words_say_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", none)
    assert registry.fetched() == []
    assert fa.models()[0] == "musicnn-mtt"
    with pytest.raises(fa.OutputError, match="FASTAUDIO_HOME: expected a folder for models, got none"):
        registry.home()


def test_only_whole_models_with_plain_names_are_here(somebody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTAUDIO_HOME", str(somebody))
    for name in ("whole", "half", ".hidden", "Upper case"):
        (somebody / "models" / name).mkdir(parents=True)
        if name != "half":
            (somebody / "models" / name / "card.json").write_text("{}")
    (somebody / "models" / "file").write_text("")
    (somebody / "card.json").write_text("{}")
    assert registry.fetched() == ["whole"]
    assert "whole" in fa.models()
    for name in ("..", "half", ".hidden"):
        with pytest.raises(fa.ModelError, match=r"expected (one of|the path|a folder)"):
            fa.Pipeline.load(name)
