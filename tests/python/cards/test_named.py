"""A name means one model: the one that is here by that name, unless a model at that path differs."""

from __future__ import annotations

import shutil
from pathlib import Path

import fastaudio as fa
import pytest
from fastaudio import cards, cli
from fastaudio.cards.named import card_path
from packed_models import small


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that commands run in, beside a home for fetched models."""
    monkeypatch.setenv("FASTAUDIO_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.mark.parametrize("name", ["yamnet", "musicnn-msd"])
def test_a_name_of_two_models_is_refused(folder: Path, name: str) -> None:
    home = folder.parent / "home" / "models" / name
    if name == "yamnet":
        small().save(home / "card.json")
        assert card_path(name) == home / "card.json"
    small().save(folder / name / "card.json")
    if name == "yamnet":
        (home / "card.json").write_text((home / "card.json").read_text().replace("1.0.0", "2.0.0"))
    with pytest.raises(
        fa.ModelError, match=rf"expected the name of one model, got '{name}', which is"
    ) as told:
        fa.Pipeline.load(name)
    own, other = str(told.value).split("; write ")[1].split(" for that one, or ")
    assert card_path(own) == Path(own, "card.json")
    assert card_path(other.removesuffix(" for the other")) != card_path(own)
    assert fa.Pipeline.load(f"./{name}").name == name


def test_a_copy_of_a_model_is_no_other(folder: Path) -> None:
    shutil.copytree(cards.MODELS / "musicnn-msd", folder / "musicnn-msd")
    assert card_path("musicnn-msd") == cards.MODELS / "musicnn-msd" / "card.json"
    small().save(folder / cards.DEFAULT_MODEL / "card.json")
    assert card_path(cards.DEFAULT_MODEL) == cards.MODELS / cards.DEFAULT_MODEL / "card.json"


def test_models_shows_what_the_name_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "yamnet"]) == 0
    assert "yamnet isn't here" in capsys.readouterr().out
    small().save(folder / "yamnet" / "card.json")
    assert cli.main(["models", "yamnet"]) == 0
    assert capsys.readouterr().out.startswith("name         yamnet")
