"""Lists of models fit a terminal and are whole lines elsewhere; no word is ever cut."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import fastaudio as fa
import pytest
from cli_helpers import run
from fastaudio import registry
from fastaudio.cards import read_card
from fastaudio.cli.listing import descriptions

if TYPE_CHECKING:
    from pathlib import Path

WORDS = " ".join(f"word{i}" for i in range(300))


@pytest.fixture(autouse=True)
def no_models_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("FASTAUDIO_HOME", str(tmp_path))
    return tmp_path


def known() -> dict[str, str]:
    here = {name: str(read_card(name).data["description"]) for name in fa.models()}
    return here | {name: entry.card["description"] for name, entry in registry.entries().items()}


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_a_terminal_of_any_width_holds_each_line_and_whole_words(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    status, out, _ = run(capsys, "models")
    assert status == 0
    notes = "(about 347 MB, BSD-3-Clause, with your own --sha256)"
    assert [line for line in out.splitlines() if len(line) > max(columns, len(notes) + 6)] == []
    for name, description in known().items():
        rest = out.partition(f"\n  {name} ")[2] or out.partition(f"\n  {name}\n")[2]
        words, given = rest.split(), description.split()
        n_same = next(
            (i for i, (ours, theirs) in enumerate(zip(words, given, strict=False)) if ours != theirs),
            len(given),
        )
        assert n_same == len(given) or words[n_same] == "..."
        assert n_same > 5


def test_elsewhere_a_model_is_a_line_and_its_description_whole(capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, "models")[1].splitlines()
    for name, description in known().items():
        (line,) = [line for line in lines if line.startswith(f"  {name} ")]
        assert f"  {description}" in line


@pytest.mark.parametrize("columns", [0, 30, 80])
def test_a_long_description_is_cut_between_words(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if columns:
        monkeypatch.setenv("COLUMNS", str(columns))
    found = " ".join(descriptions([("toy", WORDS, "a note")]).split())
    assert found.endswith(" ... (a note)")
    shown = found.removeprefix("toy ").removesuffix(" ... (a note)")
    assert WORDS.startswith(f"{shown} ")


def test_a_card_of_others_is_one_line_as_well(
    no_models_of_others: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = no_models_of_others / "models" / "toy"
    fa.Pipeline(fa.MelSpectrogram()).save(folder / "card.json")
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card["description"] = f"a\nb \x1b[2J {WORDS}"
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    (line,) = [line for line in run(capsys, "models")[1].splitlines() if line.startswith("  toy ")]
    assert "  a b \\x1b[2J word0 word1" in line
    assert line.endswith(" ...")
