"""Networks from elsewhere run by cards that a user would write: YAMNet, and an encoder of tags."""

from __future__ import annotations

import csv
import json
import re
import shutil
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import onnxruntime
import pytest
from fastaudio import cards, presets
from helpers import SHARED, decode
from live_helpers import cut, run_live

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MODELS = SHARED / "models"
YAMNET = MODELS / "yamnet"
ENCODER = MODELS / "tag_encoder"
RATE = 16_000

pytestmark = pytest.mark.skipif(
    not MODELS.is_dir(), reason="the folder of models from elsewhere, ../shared/models, isn't there"
)


def write_card(folder: Path, after: list[fa.Node]) -> Path:
    """Write YAMNet's card as one would by hand, beside its weights, and return its path."""
    shutil.copy(YAMNET / "yamnet.onnx", folder)
    network = {
        "node": "OnnxModel",
        "path": "yamnet.onnx",
        "sha256": cards.hash_file(YAMNET / "yamnet.onnx"),
        "outputs": ["scores"],
        "units": ["probability"],
    }
    card = {
        "schema": "fastaudio.card/1",
        "name": "yamnet",
        "pipeline": [*presets.yamnet().to_dict()["nodes"], network, *(node.to_dict() for node in after)],
    }
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder / "card.json"


@pytest.fixture(scope="module")
def classes() -> list[str]:
    """Return the 521 names."""
    with (YAMNET / "class_map.csv").open(encoding="utf-8", newline="") as file:
        return [row["display_name"] for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def yamnet(tmp_path_factory: pytest.TempPathFactory, classes: list[str]) -> fa.Pipeline:
    """Return YAMNet, loaded from its card."""
    return fa.Pipeline.load(write_card(tmp_path_factory.mktemp("yamnet"), [fa.Tags(classes)]))


@pytest.fixture(scope="module")
def golden() -> NDArray[np.int16]:
    """Return the release's own clip, 0.975 s of speech."""
    return np.fromfile(YAMNET / "yamnet_test_audio.bin", np.int16)


def test_yamnet_hears_speech_in_its_own_clip(yamnet: fa.Pipeline, golden: NDArray[np.int16]) -> None:
    tags = yamnet(golden, sample_rate=RATE)
    ((label, score),) = tags.top(1)
    assert (label, len(tags.labels), len(tags)) == ("Speech", 521, 1)
    assert 0.96 < score < 0.98


def test_the_front_end_gives_yamnets_own_spectra(golden: NDArray[np.int16]) -> None:
    # Apart from an offset of 1.41, differences are 0.005 in the median, 0.065 in 99 % and 0.299 at most.
    want = np.fromfile(YAMNET / "yamnet_test_spectra.bin", np.float32).reshape(96, 64)
    (got,) = presets.yamnet()(golden / np.float32(32_768))
    difference = np.abs(got - want - np.median(got - want))
    assert np.median(difference) < 0.01
    assert np.quantile(difference, 0.99) < 0.1
    assert difference.max() < 0.3


def test_yamnet_names_what_the_clips_are(yamnet: fa.Pipeline, shared: Path) -> None:
    with (shared / "audio" / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["audioset_labels"] and row["expect"] == "ok"]
    heard = {}
    for row in rows:
        if row["file"].startswith("clips/") and not row["file"].endswith(".m4a"):
            sound, rate = decode(shared / "audio" / row["file"], 15)
            tags = yamnet(sound, sample_rate=rate, layout="samples_channels")
            top = {label for label, _ in tags.top(5)}
            heard[row["label"]] = top & set(row["audioset_labels"].split(";"))
    # YAMNet hears the train's whistle. It takes the clock for poultry, with its original formula too.
    assert {label for label, hit in heard.items() if not hit} <= {"train", "clock ticking"}, heard
    assert {"rain", "dog", "thunder", "birds", "piano", "fire engine siren"} <= set(heard)
    assert heard["dog"] == {"Dog", "Bark"}
    assert len(heard) >= 20


def test_live_is_offline(yamnet: fa.Pipeline, golden: NDArray[np.int16]) -> None:
    sound = np.concatenate([golden, golden // 2, golden])
    want = yamnet(sound, sample_rate=RATE)
    windows = run_live(yamnet, cut(sound, [160] * (len(sound) // 160 + 1)), RATE)
    assert len(windows) == len(want) == 5
    assert np.abs(np.stack([window.scores for window in windows]) - want.scores).max() < 1e-5
    assert [(window.start_s, window.end_s) for window in windows] == [tuple(row) for row in want.times]


def test_the_embedding_is_a_layer(yamnet: fa.Pipeline, golden: NDArray[np.int16]) -> None:
    assert yamnet.layers == ("scores", "embedding")
    rows = yamnet.layer("embedding")(golden, sample_rate=RATE)
    session = onnxruntime.InferenceSession(YAMNET / "yamnet.onnx", providers=["CPUExecutionProvider"])
    patches = presets.yamnet()(golden / np.float32(32_768))
    (want,) = session.run(["embedding"], {"melspectrogram": patches})
    assert rows.shape == (1, 1024)
    assert np.abs(rows - want).max() < 1e-5


def embed(sets: list[list[str]], vocabulary: list[str]) -> NDArray[np.float32]:
    """Return embeddings of sets of tags [n_sets, 128]; id 0 is padding, a tag's id is its index plus one."""
    session = onnxruntime.InferenceSession(ENCODER / "tag_encoder.onnx", providers=["CPUExecutionProvider"])
    ids = np.zeros((len(sets), 10), np.int64)
    for row, tags in zip(ids, sets, strict=True):
        row[: len(tags)] = [vocabulary.index(tag) + 1 for tag in tags]
    rows: NDArray[np.float32] = session.run(["tag_embedding"], {"tag_ids": ids})[0]
    return rows


@pytest.fixture(scope="module")
def vocabulary() -> list[str]:
    """Return the encoder's 1000 tags."""
    tokens = json.loads((ENCODER / "id2token.json").read_text(encoding="utf-8"))
    return [tokens[str(i)] for i in range(len(tokens))]


@pytest.fixture(scope="module")
def bank(vocabulary: list[str]) -> NDArray[np.float32]:
    """Return the embedding of each tag alone."""
    return embed([[tag] for tag in vocabulary], vocabulary)


def test_a_set_of_tags_is_nearest_to_those_like_it(vocabulary: list[str], bank: NDArray[np.float32]) -> None:
    query = embed([["dog", "bark"]], vocabulary)
    (scores,) = fa.Similarity(bank.ravel(), vocabulary)(query)
    by_hand = (bank @ query[0]) / np.linalg.norm(bank, axis=1) / np.linalg.norm(query)
    assert np.abs(scores - by_hand).max() < 1e-6
    for ranked in (scores, by_hand):
        nearest = [vocabulary[i] for i in ranked.argsort()[::-1][:4]]
        assert nearest == ["bark", "dog", "barking", "wolf"]


def test_the_encoder_itself_takes_rows_of_ids(vocabulary: list[str]) -> None:
    net = fa.OnnxModel(ENCODER / "tag_encoder.onnx", outputs=["tag_embedding"])
    sets = [["dog", "bark"], ["wolf"]]
    ids = np.zeros((2, 10), np.float32)
    for row, tags in zip(ids, sets, strict=True):
        row[: len(tags)] = [vocabulary.index(tag) + 1 for tag in tags]
    assert np.abs(net(ids) - embed(sets, vocabulary)).max() < 1e-6


def test_sound_finds_tags_that_its_network_never_had(
    tmp_path: Path,
    classes: list[str],
    vocabulary: list[str],
    bank: NDArray[np.float32],
    shared: Path,
) -> None:
    # YAMNet's scores weigh the embeddings of its classes' names: sound and words in one space.
    words = [[word for word in re.findall("[a-z]+", name.lower()) if word in vocabulary] for name in classes]
    named = np.array([len(found) > 0 for found in words])
    names = embed(words, vocabulary) * named[:, None]
    names /= np.maximum(np.linalg.norm(names, axis=1, keepdims=True), 1e-9)
    project = fa.PCAWhiten(names.T.ravel(), np.zeros(len(classes)))
    search = fa.Similarity(bank.ravel(), vocabulary)
    pipeline = fa.Pipeline.load(write_card(tmp_path, [project, search, fa.Tags(vocabulary)]))

    def found(name: str) -> list[str]:
        return [label for label, _ in pipeline(shared / "audio" / "clips" / name).top(6)]

    assert {"dog", "bark", "barking", "wolf"} <= set(found("dog_44k_mono.ogg"))
    assert {"water", "rain", "storm"} <= set(found("rain_44k_stereo.ogg"))
    assert {"thunder", "storm"} <= set(found("thunder_48k_stereo.opus"))
    assert {"drum", "percussion"} <= set(found("drums_44k_stereo_f32.wav"))
    assert {"bird", "chirp"} <= set(found("birds_96k_mono_s24.wav"))
