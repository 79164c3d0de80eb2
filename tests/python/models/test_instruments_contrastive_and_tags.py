"""instruments-contrastive and instruments-tags give what their cards state on unseen programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cards
from helpers import ROOT, decode

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NAMES = ["instruments-contrastive", "instruments-tags"]


@pytest.fixture(scope="module", params=NAMES)
def model(request: pytest.FixtureRequest) -> fa.Pipeline:
    return fa.Pipeline.load(request.param)


@pytest.fixture(scope="module")
def card(model: fa.Pipeline) -> dict[str, Any]:
    return model.card


def test_the_cards_figures_are_reached(
    model: fa.Pipeline, card: dict[str, Any], unseen_notes: list[tuple[Path, str]]
) -> None:
    labels: list[str] = card["pipeline"][-1]["labels"]
    confusion = {family: dict.fromkeys(labels, 0) for family in labels}
    for tags, (_, family) in zip(model.map([path for path, _ in unseen_notes]), unseen_notes, strict=True):
        confusion[family][tags.top(1)[0][0]] += 1
    metrics = card["metrics"]
    right = sum(confusion[family][family] for family in labels)
    assert right / len(unseen_notes) == pytest.approx(metrics["accuracy"], abs=0.005)
    for family, row in confusion.items():
        for other, n in row.items():
            # One note may lie on a threshold, where another machine rounds otherwise.
            assert n == pytest.approx(metrics["confusion"][family].get(other, 0), abs=1), (family, other)


def test_the_card_says_what_one_should_know(model: fa.Pipeline, card: dict[str, Any]) -> None:
    folder = ROOT / "models" / card["name"]
    raw = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert raw["schema"] == cards.SCHEMA
    for key in ("version", "task", "description", "citation", "source", "trained_on", "metrics"):
        assert card[key], key
    assert card["licence"] == "BSD-3-Clause"
    outputs = fa.OnnxModel(str(folder / "model.onnx")).available_outputs
    assert list(card["outputs"]) == outputs == ["scores", "embedding", "projection"] == list(model.layers)
    text = (folder / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith((ROOT / "LICENSE").read_text(encoding="utf-8"))
    assert "SoundFont" in text


def test_layers_have_the_shapes_that_the_card_says(
    model: fa.Pipeline, card: dict[str, Any], guitar_16k: NDArray[np.float32]
) -> None:
    rows = {name: model.layer(name)(guitar_16k, sample_rate=16_000) for name in model.layers}
    for name, values in rows.items():
        frames = 1 + len(guitar_16k) // 500
        assert values.shape == (frames // 64, *card["outputs"][name]["shape"]), name
    np.testing.assert_allclose(rows["scores"].sum(axis=1), 1, atol=1e-5)
    if card["name"] == "instruments-contrastive":
        np.testing.assert_allclose(np.linalg.norm(rows["projection"], axis=1), 1, atol=1e-5)


def test_loudness_does_not_matter(model: fa.Pipeline, guitar_16k: NDArray[np.float32]) -> None:
    want = model(guitar_16k, sample_rate=16_000).scores
    got = model(guitar_16k * np.float32(0.25), sample_rate=16_000).scores
    loud = slice(0, 3)  # later the guitar fades into what is below the logarithm's floor
    np.testing.assert_allclose(got[loud], want[loud], rtol=0, atol=1e-3)
    assert np.isfinite(model(np.zeros(32_000, np.float32), sample_rate=16_000).scores).all()


def test_a_sound_lies_near_its_own_mix(unseen_notes: list[tuple[Path, str]]) -> None:
    """The projection does what it was trained for, on notes and mixes that it never heard."""
    near = fa.Pipeline.load("instruments-contrastive").layer("projection")
    clips = [decode(path)[0][:, 0] for path, _ in unseen_notes[::23]]
    own = np.concatenate([near(clip, sample_rate=16_000) for clip in clips])
    level = [np.sqrt(np.mean(clip**2)) for clip in clips]
    mixes = [
        clip + other * np.float32(0.3 * a / b)
        for clip, other, a, b in zip(clips, np.roll(clips, 1, axis=0), level, np.roll(level, 1), strict=True)
    ]
    mixed = np.concatenate([near(mix, sample_rate=16_000) for mix in mixes])
    found = (mixed @ own.T).argmax(axis=1)
    assert np.mean(found == np.arange(len(clips))) > 0.5


def test_tags_are_cosines_to_the_names_in_the_card(guitar_16k: NDArray[np.float32]) -> None:
    model = fa.Pipeline.load("instruments-tags")
    names = next(part for part in model.card["pipeline"] if part["node"] == "Similarity")
    bank = np.reshape(names["bank"], (len(names["labels"]), -1))
    rows = model.layer("projection")(guitar_16k, sample_rate=16_000)
    want = rows @ bank.T / np.linalg.norm(rows, axis=1, keepdims=True) / np.linalg.norm(bank, axis=1)
    np.testing.assert_allclose(model(guitar_16k, sample_rate=16_000).scores, want, atol=1e-5)
