"""The page of what models say of the same sounds: its judgements, its counts, and sounds of one's own."""

from __future__ import annotations

import importlib
import re
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from helpers import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RATE = 16_000
PAGE = ROOT / "docs" / "what-it-hears.md"
SECTION = re.compile(r"^## `(\S+)`$(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
HEADINGS = 1


@pytest.fixture(scope="module")
def docs() -> Iterator[None]:
    """Let the scripts of the documentation be imported."""
    sys.path.insert(0, str(ROOT / "docs"))
    yield
    sys.path.remove(str(ROOT / "docs"))


@pytest.fixture(scope="module")
def truth(docs: None) -> Any:  # noqa: ARG001
    return importlib.import_module("truth_of_sounds")


@pytest.fixture(scope="module")
def maker(docs: None) -> Any:  # noqa: ARG001
    return importlib.import_module("make_what_it_hears")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of two clips whose names say what they are, one whose doesn't, and other files."""
    folder = tmp_path / "sounds of mine"
    folder.mkdir()
    noise = np.random.default_rng(0).normal(0, 0.05, RATE // 2)
    for name, x in (("rain_1", noise), ("silence", np.zeros(RATE // 2)), ("x7", noise)):
        soundfile.write(folder / f"{name}.wav", x, RATE)
    (folder / "manifest.csv").write_text("file,label\nx7.wav,a | thing\n", encoding="utf-8")
    (folder / "notes.txt").write_text("no sound", encoding="utf-8")
    return folder


def rows_of(page: str) -> dict[str, list[tuple[str, str, str]]]:
    """The name, the labels and the judgement of each row, by model."""
    return {name: ROW.findall(text)[HEADINGS:] for name, text in SECTION.findall(page)}


def test_labels_are_judged_by_what_the_sound_is(truth: Any) -> None:
    rain, cello, rock = (truth.TRUTHS[name] for name in ("rain", "cello", "music"))
    wrong, held = truth.WRONG, truth.HELD_WRONGLY
    for model, sound, said, marked, expected in (
        ("musicnn-mtt", rain, [("techno", 0.2), ("loud", 0.1)], True, truth.HELD),
        ("musicnn-mtt", rain, [("loud", 0.6), ("rock", 0.45)], False, f"{wrong}: rock"),
        ("musicnn-mtt", rain, [("loud", 0.6), ("rock", 0.09)], False, truth.RIGHT),
        ("musicnn-mtt", cello, [("classical", 0.6), ("cello", 0.5)], False, truth.RIGHT),
        ("musicnn-mtt", cello, [("flute", 0.6), ("cello", 0.5)], False, f"{wrong}: flute"),
        ("musicnn-mtt", cello, [("cello", 0.6)], True, f"{held}: cello is right"),
        ("musicnn-mtt", cello, [("flute", 0.6)], True, f"{held}: flute is wrong"),
        ("musicnn-mtt", cello, [("slow", 0.6)], True, held),
        ("musicnn-mtt", cello, [("classical", 0.6), ("cello", 0.05)], False, truth.UNJUDGED),
        ("musicnn-mtt", rock, [("guitar", 0.6), ("rock", 0.5)], False, truth.UNJUDGED),
        ("instruments", rain, [("no instrument", 0.4), ("reeds", 0.3)], False, truth.RIGHT),
        ("instruments", rain, [("reeds", 0.4), ("no instrument", 0.3)], False, f"{wrong}: reeds"),
        ("instruments", rock, [("organs", 0.7)], False, truth.UNJUDGED),
        ("instruments-harmonic", rain, [("brass", 0.1)], False, f"{wrong}: brass"),
        ("sound-activity", rain, [("music", 0.29)], False, truth.RIGHT),
        ("sound-activity", rain, [("speech", 0.3)], False, f"{wrong}: speech"),
        ("sound-activity", cello, [("music", 0.297)], False, truth.RIGHT),
        ("sound-activity", cello, [("music", 0.2)], False, f"{wrong}: nothing"),
        ("basic-pitch", rain, [("A4", 0.29)], False, truth.RIGHT),
        ("basic-pitch", rain, [("A4", 0.3)], False, f"{wrong}: A4"),
        ("basic-pitch", cello, [("A4", 0.9)], False, truth.UNJUDGED),
        ("basic-pitch", truth.instrument("cello", frozenset(["A4"])), [("A3", 0.9)], False, f"{wrong}: A3"),
        ("a model of mine", rain, [("rain", 0.9)], False, truth.UNJUDGED),
        ("silero-vad", None, [("speech", 0.9)], False, truth.UNJUDGED),
    ):
        assert truth.judged(model, sound, said, held=marked) == expected, (model, said)


def test_names_of_files_say_what_sounds_are(truth: Any) -> None:
    for name in ("dog", "Dog 2", "dog_44k_mono", "dog-barks"):
        assert truth.truth_of(name) is truth.TRUTHS["dog"]
    assert truth.truth_of("bass-clarinet_1") is truth.TRUTHS["bass clarinet"]
    assert truth.truth_of("music, rock") is truth.TRUTHS["music"]
    for name in ("dogma", "hot dog", "x7", "44"):
        assert truth.truth_of(name) is None


def test_true_labels_are_labels_of_the_models(truth: Any, maker: Any) -> None:
    labels = {name: set(fa.Pipeline.load(name).output_specs[""].labels) for name in truth.ASKED}
    assert {name for name in fa.models() if maker.gives_tags(name)} == {*labels} - {maker.PITCH}
    tags = set.union(*(labels[name] for name, asked in truth.ASKED.items() if asked == "tags"))
    assert tags >= truth.VOICES | truth.PLAYED | truth.NEVER_WRONG
    for name, sound in truth.TRUTHS.items():
        assert labels["sound-activity"] >= sound.activity, name
        assert labels["instruments-harmonic"] >= (sound.harmonic or set()), name
        assert name == "silence" or sound.instruments is None or sound.instruments & labels["instruments"], (
            name
        )
    assert labels["basic-pitch"] >= truth.E_MINOR_9.notes


def test_the_page_shows_sounds_of_ones_own(maker: Any, own: Path, tmp_path: Path) -> None:
    page = tmp_path / "mine.md"
    models = [option for name in ("musicnn-mtt", "swift-f0") for option in ("--model", name)]
    maker.main(["--own", str(own), "--output", str(page), *models])
    found = rows_of(page.read_text(encoding="utf-8"))
    assert list(found) == ["musicnn-mtt", "swift-f0"]
    for rows in found.values():
        assert [name for name, _, _ in rows] == ["own: rain_1", "own: silence", "own: a / thing"]
    assert [judgement for _, _, judgement in found["musicnn-mtt"]] == ["held back", "right", "not judged"]
    assert found["swift-f0"][1:] == [("own: silence", "-", "right"), ("own: a / thing", "-", "not judged")]
    assert "| [`musicnn-mtt`](#musicnn-mtt) | 1 | 1 | 0 | 0 | 1 |" in page.read_text(encoding="utf-8")


def test_a_part_of_the_sounds_or_models_replaces_no_page(
    maker: Any, own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = PAGE.read_bytes()
    (tmp_path / "empty").mkdir()
    for arguments, said in (
        (["--own", own], "expected --output"),
        (["--sounds", own, "--model", "silero-vad"], "expected --output"),
        (["--own", tmp_path / "empty", "--output", tmp_path / "page.md"], "with sounds in it, got none"),
    ):
        with pytest.raises(SystemExit):
            maker.main([str(each) for each in arguments])
        assert said in capsys.readouterr().err
    assert PAGE.read_bytes() == before


def test_the_committed_page_is_what_its_program_writes(
    maker: Any, shared: Path, own: Path, tmp_path: Path
) -> None:
    """For two models, without the numbers, which differ a little from machine to machine."""
    page = tmp_path / "page.md"
    models = ["--model", "silero-vad", "--model", "swift-f0"]
    maker.main(["--sounds", str(shared), "--own", str(own), "--output", str(page), *models])
    committed = rows_of(PAGE.read_text(encoding="utf-8"))
    for model, rows in rows_of(page.read_text(encoding="utf-8")).items():
        judged = {name: judgement for name, _, judgement in rows}
        expected = {name: judgement for name, _, judgement in committed[model] if "own: " not in name}
        assert len(expected) == 33
        assert list(judged) == [*expected, "own: rain_1", "own: silence", "own: a / thing"]
        assert judged.items() >= expected.items(), model


def test_the_committed_page_judges_every_row_and_counts_them(truth: Any, maker: Any) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.startswith(maker.HEAD.partition("{counts}")[0])
    assert text.endswith(maker.TAIL)
    found = rows_of(text)
    assert list(found) == [name for name in fa.models() if name in truth.ASKED]
    for model in found:
        assert f"## `{model}`\n\n{maker.cards.read_card(model).data['description']}\n" in text
    kinds = [truth.RIGHT, truth.HELD, truth.HELD_WRONGLY, truth.WRONG, truth.UNJUDGED]
    names = {name for rows in found.values() for name, _, _ in rows}
    for model, rows in found.items():
        assert {name for name, _, _ in rows} == names, model
        count = Counter(truth.of_kind(judgement) for _, _, judgement in rows)
        assert set(count) <= set(kinds), model
        numbers = " | ".join(str(count[kind]) for kind in kinds)
        assert f"| [`{model}`](#{model}) | {numbers} |" in text
    assert {"speech", "singing, in music", "silence", "dog", "rain", "siren", "clock", "birds"} <= names
    assert sum(name.startswith("a note: ") for name in names) == 16
    assert {"own: choir", "own: bird calls", "own: drum loop", "own: water on hot stones"} <= names
