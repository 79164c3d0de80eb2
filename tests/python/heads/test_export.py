"""Exported heads: one network with the embedder's, its own outputs and numbers untouched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import onnx
import pytest
from fastaudio import heads
from fastaudio.heads import fitting
from fastaudio.heads.classifier import train
from fastaudio.heads.embedders import head_alone, tagger_of
from heads_helpers import LINEAR, RATE, TONES_HZ, embedder, tone, write_network, write_tones

if TYPE_CHECKING:
    from pathlib import Path

    from fastaudio.heads.classifier import Classifier
    from numpy.typing import NDArray

LABELS = list(TONES_HZ)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.float32]:
    """Return rows of the small embedder for each tone in turn."""
    base = embedder(write_network(tmp_path_factory.mktemp("net") / "net.onnx"))
    parts = [base(tone(hz, 1.0, 7), sample_rate=RATE) for hz in TONES_HZ.values()]
    assert [len(part) for part in parts] == [4, 4, 4]
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def classifier(rows: NDArray[np.float32]) -> Classifier:
    return train(rows, np.eye(3, dtype=bool)[np.arange(12) // 4], np.full(12, 0.25), LINEAR)


@pytest.mark.parametrize("opset", [7, 9, 12, 13, 17, 21])
def test_a_joined_network_keeps_its_opset_its_outputs_and_its_bits(
    tmp_path: Path, classifier: Classifier, opset: int
) -> None:
    base = embedder(write_network(tmp_path / "net.onnx", opset))
    tagger = tagger_of(base, classifier, LABELS, {"name": "x"})
    tagger.save(tmp_path / "out" / "card.json")
    model = onnx.load(tmp_path / "out" / "model.onnx")
    assert [one.version for one in model.opset_import] == [opset]
    assert [one.name for one in model.graph.output] == ["frames", "embedding", "scores"]
    sound = tone(900, 1.0, 3)
    again = fa.Pipeline.load(tmp_path / "out")
    for layer in ("frames", "embedding"):
        want = base.layer(layer)(sound, sample_rate=RATE)
        assert np.array_equal(again.layer(layer)(sound, sample_rate=RATE), want)
    tags = again(sound, sample_rate=RATE)
    assert tags.labels == LABELS
    assert np.abs(tags.scores - classifier.scores(base(sound, sample_rate=RATE))).max() < 1e-6
    assert tags.top(1)[0][0] == "middle"


def test_a_name_that_is_taken_is_not_taken_twice(tmp_path: Path, classifier: Classifier) -> None:
    base = embedder(write_network(tmp_path / "net.onnx", output="scores"), "scores")
    tagger = tagger_of(base, classifier, LABELS, {})
    assert tagger.layers == ("frames", "scores", "scores2")
    on_it = tagger_of(tagger.layer("scores"), classifier, LABELS, {})
    assert on_it.layers == ("frames", "scores", "scores2", "scores3")
    sound = tone(300, 1.0, 3)
    want = tagger(sound, sample_rate=RATE).scores
    assert np.array_equal(on_it(sound, sample_rate=RATE).scores, want)
    assert np.array_equal(on_it.layer("scores2")(sound, sample_rate=RATE), want)


def test_a_head_streams_what_it_gives_for_a_whole_clip(tmp_path: Path, classifier: Classifier) -> None:
    tagger = tagger_of(embedder(write_network(tmp_path / "net.onnx")), classifier, LABELS, {})
    sound = np.concatenate([tone(hz, 1.0, 7) for hz in TONES_HZ.values()])
    want = tagger(sound, sample_rate=RATE)
    with tagger.open(sample_rate=RATE) as stream:
        got = [window for i in range(0, len(sound), 701) for window in stream.push(sound[i : i + 701])]
        got += stream.flush()
    assert np.abs(np.stack([window.scores for window in got]) - want.scores).max() < 1e-5
    assert [window.top(1)[0][0] for window in got][1::4] == LABELS


def test_a_packed_embedder_serves_too(tmp_path: Path, classifier: Classifier) -> None:
    base = embedder(write_network(tmp_path / "net.onnx"))
    base.save(tmp_path / "base.onnx")
    packed = fa.Pipeline.load(tmp_path / "base.onnx")
    tagger = tagger_of(packed, classifier, LABELS, {"name": "x"})
    sound = tone(900, 1.0, 3)
    want = tagger_of(base, classifier, LABELS, {})(sound, sample_rate=RATE).scores
    assert np.array_equal(tagger(sound, sample_rate=RATE).scores, want)
    tagger.save(tmp_path / "head.onnx")
    again = fa.Pipeline.load(tmp_path / "head.onnx")
    assert again.name == "x"
    assert np.array_equal(again(sound, sample_rate=RATE).scores, want)


def test_a_head_of_clip_means_stands_behind_the_mean(tmp_path: Path, classifier: Classifier) -> None:
    base = embedder(write_network(tmp_path / "net.onnx"))
    tagger = tagger_of(base >> fa.Mean(), classifier, LABELS, {})
    tagger.save(tmp_path / "out" / "card.json")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"card.json", "net.onnx", "head.onnx"}
    sound = np.concatenate([tone(300, 1.0, 3), tone(900, 1.0, 3)])
    tags = fa.Pipeline.load(tmp_path / "out")(sound, sample_rate=RATE)
    assert tags.times.tolist() == [[0, 2]]
    mean = base(sound, sample_rate=RATE).mean(axis=0, keepdims=True)
    assert np.abs(tags.scores - classifier.scores(mean)).max() < 1e-6


def test_a_head_on_other_rows_than_its_own_is_refused(classifier: Classifier) -> None:
    other = fa.Pipeline.load("musicnn-mtt").layer("penultimate")
    with pytest.raises(
        fa.ModelError, match=r"rows that fit its input \[\?, 12\], got rows \[0\.334 Hz, 200\]"
    ):
        other >> head_alone(classifier)


def test_an_export_that_differs_from_scikit_learn_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tones(tmp_path / "in", ["low", "high"], 2)
    base = embedder(write_network(tmp_path / "net.onnx"))
    files, labels = heads.labelled_files(tmp_path / "in")
    monkeypatch.setattr(fitting, "TOLERANCE", 1e-12)
    with pytest.raises(fa.ModelError, match=r"expected an exported head within 1e-12 of scikit-learn's"):
        heads.fit(base, files, labels)
    monkeypatch.undo()
    head = heads.fit(base, files, labels)
    head.save(tmp_path / "mine")
    card = json.loads((tmp_path / "mine" / "card.json").read_text(encoding="utf-8"))
    assert list(card["outputs"]) == ["frames", "embedding", "scores"]
