"""`instruments` gives its card's figures on real notes, programs it never heard, and no instruments."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cards
from helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FOLDER = ROOT / "models" / "instruments"
NONE = "no instrument"
N = 13  # families, with `no instrument`
TITLES = {
    "bass": "basses",
    "brass": "brass",
    "flute": "flutes",
    "guitar": "guitars",
    "keyboard": "keyboards",
    "mallet": "mallets",
    "organ": "organs",
    "percussion": "percussion",
    "reed": "reeds",
    "string": "strings",
    "synth_lead": "synth leads",
    "vocal": "voices",
}


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    data = json.loads((FOLDER / "card.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


@pytest.fixture(scope="module")
def model() -> fa.Pipeline:
    return fa.Pipeline.load("instruments")


def left_out(folder: Path) -> list[dict[str, str]]:
    """Return the real notes at keys that training left out: a fifth of each instrument's keys."""
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys: dict[str, set[str]] = {}
    for row in rows:
        keys.setdefault(row["instrument"], set()).add(row["pitch"] or row["file"])
    chosen = {name: set(sorted(found)[2::5]) for name, found in keys.items()}
    return [row for row in rows if (row["pitch"] or row["file"]) in chosen[row["instrument"]]]


def confusion(tags: list[fa.tags.Tags], families: list[str]) -> dict[str, dict[str, int]]:
    """Return how many sounds of each family were given which."""
    found: dict[str, dict[str, int]] = {}
    for one, family in zip(tags, families, strict=True):
        got = one.labels[int(one.mean()[:N].argmax())]
        line = found.setdefault(family, {})
        line[got] = line.get(got, 0) + 1
    return found


def assert_nearly(found: dict[str, dict[str, int]], said: dict[str, Any]) -> None:
    """Compare with a card; one note or two may lie on a threshold, where another machine rounds otherwise."""
    recall = [line.get(family, 0) / sum(line.values()) for family, line in found.items()]
    assert np.mean(recall) == pytest.approx(said["balanced_accuracy"], abs=0.01)
    assert {k: sum(v.values()) for k, v in found.items()} == {
        k: sum(v.values()) for k, v in said["confusion"].items()
    }
    for family, line in found.items():
        for other, n in line.items():
            assert n == pytest.approx(said["confusion"][family].get(other, 0), abs=2), (family, other)


def test_real_notes_are_named_as_the_card_says(
    model: fa.Pipeline, card: dict[str, Any], shared: Path
) -> None:
    folder = shared / "instruments_real"
    rows = left_out(folder)
    tags = list(model.map([folder / row["file"] for row in rows]))
    said = card["metrics"]["real_notes"]
    assert_nearly(confusion(tags, [TITLES[row["family"]] for row in rows]), said)
    named = [
        one.labels[N + int(one.mean()[N:].argmax())] == row["instrument"]
        for one, row in zip(tags, rows, strict=True)
        if row["instrument"] in one.labels
    ]
    assert np.mean(named) == pytest.approx(said["accuracy_of_instruments"], abs=0.02)


def test_programs_never_heard_are_named_as_the_card_says(
    model: fa.Pipeline, card: dict[str, Any], unseen_notes: list[tuple[Path, str]]
) -> None:
    tags = list(model.map([path for path, _ in unseen_notes]))
    found = confusion(tags, [TITLES[family] for _, family in unseen_notes])
    assert_nearly(found, card["metrics"]["unheard_programs"])


def test_what_is_no_instrument_is_refused_as_the_card_says(
    model: fa.Pipeline, card: dict[str, Any], shared: Path
) -> None:
    with (shared / "audio" / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "clip"]
    rows = [
        row
        for row in rows
        if not row["audioset_labels"].startswith("Music") and not row["file"].endswith("m4a")
    ]
    tags = list(model.map([shared / "audio" / row["file"] for row in rows]))
    best = np.concatenate([one.scores[~one.silent, :N].argmax(axis=1) for one in tags])
    said = card["metrics"]["no_instrument"]
    assert len(best) == said["windows"]
    assert (best == N - 1).sum() == pytest.approx(said["windows_refused"], abs=1)
    taken = {
        row["label"]: one.labels[int(one.mean()[:N].argmax())] for row, one in zip(rows, tags, strict=True)
    }
    assert {sound: got for sound, got in taken.items() if got != NONE} == said["taken_for"]


def test_the_card_says_what_one_should_know(card: dict[str, Any]) -> None:
    assert card["schema"] == cards.SCHEMA
    for key in ("version", "task", "description", "citation", "source", "trained_on", "metrics"):
        assert card[key], key
    outputs = fa.OnnxModel(str(FOLDER / "model.onnx")).available_outputs
    assert list(card["outputs"]) == outputs == ["scores", "families", "instruments", "embedding"]
    text = (FOLDER / "LICENSE").read_text(encoding="utf-8")
    trunk = (ROOT / "models" / "aisfx" / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith(trunk.rstrip("\n"))
    assert card["licence"] == "CC-BY-4.0"
    for source in ("FluidR3 GM", "MuseScore General", "GMbank", "Philharmonia"):
        assert source in text
        assert source in card["trained_on"]


def test_both_heads_are_in_one_row(
    model: fa.Pipeline, card: dict[str, Any], guitar_16k: NDArray[np.float32]
) -> None:
    tags = model(guitar_16k, sample_rate=16_000)
    rows = {name: model.layer(name)(guitar_16k, sample_rate=16_000) for name in model.layers}
    for name, values in rows.items():
        assert values.shape[1:] == tuple(card["outputs"][name]["shape"]), name
    np.testing.assert_array_equal(
        tags.scores, np.concatenate([rows["families"], rows["instruments"]], axis=1)
    )
    np.testing.assert_allclose(rows["families"].sum(axis=1), 1, atol=1e-5)
    assert rows["instruments"].sum(axis=1).max() <= 1 + 1e-5
    assert tags.labels[:N] == [*TITLES.values(), NONE]
    assert len(set(tags.labels)) == len(tags.labels)


def test_the_embedding_is_that_of_aisfx(model: fa.Pipeline, guitar_16k: NDArray[np.float32]) -> None:
    window = guitar_16k[:32_000]
    want = fa.Pipeline.load("aisfx")(window, sample_rate=16_000)[:1]
    got = model.layer("embedding")(window, sample_rate=16_000)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * np.abs(want).max())


def test_live_scores_are_those_of_the_file(model: fa.Pipeline, guitar_16k: NDArray[np.float32]) -> None:
    want = model(guitar_16k, sample_rate=16_000).scores
    with model.open(sample_rate=16_000) as stream:
        for i in range(0, len(guitar_16k), 1000):
            stream.feed(guitar_16k[i : i + 1000])
        got = stream.finish()
    assert isinstance(got, fa.tags.Tags)
    np.testing.assert_allclose(got.scores, want, rtol=0, atol=1e-5)


def test_two_seconds_are_one_window_and_a_rest_is_padded(
    model: fa.Pipeline, guitar_16k: NDArray[np.float32]
) -> None:
    assert [len(model(guitar_16k[:n], sample_rate=16_000)) for n in (1, 32_000, 40_000)] == [1, 1, 2]
    assert np.isfinite(model(np.zeros(32_000, np.float32), sample_rate=16_000).scores).all()
