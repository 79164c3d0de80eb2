"""The table of models fits a terminal and is a line per model elsewhere; no word is ever cut."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import fastaudio as fa
import pytest
from cli_helpers import run
from fastaudio import registry
from fastaudio.cards import heard_at_once, read_card
from fastaudio.cli.listing import Listed, table

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_models_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("FASTAUDIO_HOME", str(tmp_path))
    return tmp_path


def known() -> dict[str, tuple[str, str]]:
    """Task and licence of each model, from its card."""
    cards = {name: read_card(name).data for name in fa.models()}
    cards |= {name: entry.card for name, entry in registry.entries().items()}
    return {name: (str(card["task"]), str(card["licence"])) for name, card in cards.items()}


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_a_terminal_of_any_width_holds_each_line_and_whole_words(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    status, out, _ = run(capsys, "models")
    assert status == 0
    assert [line for line in out.splitlines() if len(line) > columns and "*" not in line] == []
    words = set(out.replace("-\n", "-").replace(",", " ").split())
    for task, licence in known().values():
        for word in (*task.split(), licence):
            assert word in words or set(word.split("-")) <= {part.strip("-") for part in words}
    assert ("kHz" in out.splitlines()[1]) == (columns >= 80)


def test_elsewhere_a_model_is_a_line_of_its_task_rate_window_size_and_licence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = run(capsys, "models")[1]
    titles = out.splitlines()[1].split()
    assert titles == ["name", "hears", "kHz", "window", "MB", "licence"]
    for name, (task, licence) in known().items():
        (line,) = [line for line in out.splitlines() if line.startswith(f"  {name} ")]
        assert f"  {task}  " in line
        assert line.endswith(f"  {licence}")
    for name, rate, window in (
        ("aisfx", "44.1", "2.3 s"),
        ("silero-vad", "16", "0.032 s"),
        ("perch-2", "32", "5 s"),
    ):
        (line,) = [line for line in out.splitlines() if line.startswith(f"  {name} ")]
        assert line.partition(known()[name][0])[2].split()[:3] == [rate, *window.split()]


@pytest.mark.parametrize("name", ["musicnn-mtt", "aisfx", "silero-vad", "instruments-harmonic"])
def test_rate_and_window_are_the_loaded_models_though_no_network_was_read(name: str) -> None:
    pipeline = fa.Pipeline.load(name)
    rate, window_s = heard_at_once(read_card(name).data)
    (spec,) = pipeline.output_specs.values()
    assert (rate, window_s) == (pipeline.sample_rate, pytest.approx(spec.span_s))


def test_json_says_what_the_table_does_with_units_in_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "models", "--json")
    models = {one["name"]: one for one in json.loads(out)}
    assert status == 0
    assert list(models) == [*fa.models(), *registry.entries()]
    assert [name for name, one in models.items() if one["default"]] == ["musicnn-mtt"]
    assert [name for name, one in models.items() if one["here"]] == fa.models()
    network = read_card("aisfx").path.parent
    assert models["aisfx"]["size_bytes"] == sum(path.stat().st_size for path in network.glob("*.onnx"))
    assert (models["aisfx"]["sample_rate"], models["aisfx"]["window_s"]) == (
        44_100,
        pytest.approx(2.322, abs=1e-3),
    )
    for name in ("musicnn-mtt", "perch-2"):
        one = json.loads(run(capsys, "models", name, "--json")[1])
        assert {key: one[key] for key in models[name]} == models[name]
        assert one["citation"]
        assert one["outputs"]


def test_a_card_of_others_is_one_line_as_well(
    no_models_of_others: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = no_models_of_others / "models" / "toy"
    fa.Pipeline(fa.MelSpectrogram()).save(folder / "card.json")
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card["task"], card["licence"] = "a\nb \x1b[2J c", "\x1b[3J\nMIT"
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    (line,) = [line for line in run(capsys, "models")[1].splitlines() if line.startswith("  toy ")]
    assert "  a b \\x1b[2J c  " in line
    assert line.endswith("\\x1b[3J\\nMIT")
    assert run(capsys, "models", folder / "card.json", "--json")[0] == 0


def test_what_is_not_known_is_a_question_mark() -> None:
    assert table([]) == ""
    assert table([Listed("x", "birds")]).splitlines()[1].split() == ["x", "birds", "?", "?", "?", "?"]
    wide = table([Listed("x", "y" * 300, 8000, 1.0, 1000, "MIT")], 80)
    assert wide.splitlines()[0] == "  x"
