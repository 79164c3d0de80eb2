"""Cards: what a model's file says is checked; a bad one is a ModelError and nothing worse."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cards, cli
from helpers import GUITAR, MODEL_NAMES, ONNX, ROOT, WEIGHTS, musicnn_front

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NETWORK = 3  # place of the network in a shipped card's pipeline


@pytest.fixture
def data() -> dict[str, Any]:
    """The default model's card, to be spoilt."""
    card = json.loads((WEIGHTS.parent / "card.json").read_text(encoding="utf-8"))
    assert isinstance(card, dict)
    return card


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Any], Path]:
    """Write a card beside a copy of the weights, and return its path."""
    shutil.copy(WEIGHTS, tmp_path / "model.onnx")

    def write_card(card: Any) -> Path:
        path = tmp_path / "card.json"
        text = card if isinstance(card, str) else json.dumps(card)
        path.write_text(text, encoding="utf-8")
        return path

    return write_card


def refuse(path: Path | str, message: str) -> None:
    """Loading gives a ModelError that says so."""
    with pytest.raises(fa.ModelError, match=message):
        fa.Pipeline.load(path)


SHIPPED = sorted(path.parent for path in (ROOT / "models").glob("*/card.json"))


def networks(data: Any) -> list[dict[str, Any]]:
    """Every network in a card's pipeline, however deep."""
    parts = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    found = [data] if isinstance(data, dict) and data.get("node") == "OnnxModel" else []
    return found + [network for part in parts for network in networks(part)]


def references() -> set[str]:
    """Models whose numbers are held to others': by a file in tests/golden, or by a test that names them."""
    held = set()
    for path in (ROOT / "tests" / "golden").glob("*.npz"):
        held |= {path.stem.replace("_", "-"), *np.load(path)}
    for path in (ROOT / "tests" / "python" / "models").glob("test_*.py"):
        held |= set(re.findall(r"\"([a-z0-9-]+)\"", path.read_text(encoding="utf-8")))
    return held


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_shipped_model_has_all_that_one_should_know(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert card["schema"] == cards.SCHEMA
    assert card["name"] == folder.name, "the folder's name; Pipeline.save takes it from there"
    for key in ("version", "task", "description", "licence", "authors", "citation", "source", "trained_on"):
        assert isinstance(card.get(key), str | list | dict), key
        assert card[key], key
    assert isinstance(card["parameters"], int)
    assert card["outputs"]
    assert all(output["purpose"] for output in card["outputs"].values())
    assert networks(card["pipeline"])
    for network in networks(card["pipeline"]):
        assert network["sha256"] == cards.hash_file(folder / network["path"])
        how = {key: network[key] for key in ("state", "layout") if key in network}
        available = fa.OnnxModel(str(folder / network["path"]), **how).available_outputs
        assert list(card["outputs"]) == available
    assert (folder / "LICENSE").read_text(encoding="utf-8").strip()
    assert folder.name in references(), "a golden vector in tests/golden, or a test in tests/python/models"


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_shipped_model_is_installed_whole(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names >= {"card.json", "LICENSE"}
    for name in names:
        assert (cards.MODELS / folder.name / name).read_bytes() == (folder / name).read_bytes(), name


def test_a_card_loads_by_name_by_path_and_by_folder(
    data: dict[str, Any], write: Callable[[Any], Path], tagger: fa.Pipeline
) -> None:
    path = write(data)
    want = tagger(GUITAR).scores
    for place in (path, str(path), path.parent):
        assert np.array_equal(fa.Pipeline.load(place)(GUITAR).scores, want)


def test_save_then_load_gives_equal_scores_and_keeps_the_card(tmp_path: Path, tagger: fa.Pipeline) -> None:
    tagger.save(tmp_path / "deep" / "mine.json")
    again = fa.Pipeline.load(tmp_path / "deep" / "mine.json")
    assert np.array_equal(again(GUITAR).scores, tagger(GUITAR).scores)
    assert again.card["licence"] == tagger.card["licence"]
    shutil.move(tmp_path / "deep", tmp_path / "moved")
    again = fa.Pipeline.load(tmp_path / "moved" / "mine.json")
    assert np.array_equal(again(GUITAR).scores, tagger(GUITAR).scores)
    again.save(tmp_path / "moved" / "mine.json")
    assert {path.name for path in (tmp_path / "moved").iterdir()} == {"mine.json", "model.onnx", "LICENSE"}


def test_branches_and_features_are_saved_too(tmp_path: Path) -> None:
    net = fa.OnnxModel(str(WEIGHTS))
    branches = {"taste": net["penultimate"] >> fa.Mean(), "peak": net["taggram"] >> fa.Max()}
    pipeline = fa.Pipeline(musicnn_front() >> fa.Patches(length=187) >> branches)
    pipeline.save(tmp_path / "both.json")
    want, got = pipeline(GUITAR), fa.Pipeline.load(tmp_path / "both.json")(GUITAR)
    assert list(got) == ["taste", "peak"]
    for name, rows in got.items():
        assert np.array_equal(rows, want[name])


def test_a_name_of_ones_own_is_the_files(tmp_path: Path) -> None:
    fa.Pipeline(musicnn_front()).save(tmp_path / "features.json")
    assert fa.Pipeline.load(tmp_path / "features.json").name == "features"
    assert json.loads((tmp_path / "features.json").read_text())["schema"] == cards.SCHEMA


def test_a_card_in_a_folder_of_its_own_has_the_folders_name(tmp_path: Path) -> None:
    fa.Pipeline(musicnn_front()).save(tmp_path / "features" / "card.json")
    assert fa.Pipeline.load(tmp_path / "features").name == "features"


def test_run_time_choices_stay_out_of_the_card(tmp_path: Path) -> None:
    pipeline = fa.Pipeline.load("musicnn-mtt", threads=2, providers=["CPUExecutionProvider"])
    assert pipeline.node[NETWORK].threads == 2
    assert pipeline.node[NETWORK].providers == ["CPUExecutionProvider"]
    pipeline.save(tmp_path / "mine.json")
    node = json.loads((tmp_path / "mine.json").read_text(encoding="utf-8"))["pipeline"][NETWORK]
    assert not {"threads", "providers"} & set(node)


def test_save_never_overwrites_another_models_weights(tmp_path: Path, tagger: fa.Pipeline) -> None:
    (tmp_path / "model.onnx").write_bytes(b"somebody's")
    tagger.save(tmp_path / "mine.json")
    assert (tmp_path / "model.onnx").read_bytes() == b"somebody's"
    assert np.array_equal(fa.Pipeline.load(tmp_path / "mine.json")(GUITAR).scores, tagger(GUITAR).scores)


def test_two_networks_of_one_file_name_are_not_mixed_up(tmp_path: Path) -> None:
    mel = musicnn_front() >> fa.Patches(length=187)
    both = {name: fa.OnnxModel(str(ROOT / "models" / name / "model.onnx")) for name in MODEL_NAMES}
    pipeline = fa.Pipeline(mel >> both)
    pipeline.save(tmp_path / "four.json")
    got = fa.Pipeline.load(tmp_path / "four.json")(GUITAR)
    assert all(np.array_equal(got[name], rows) for name, rows in pipeline(GUITAR).items())


def test_an_unknown_name_tells_the_known_ones() -> None:
    refuse(
        "musicnn",
        r"^Pipeline\.load: expected one of musicnn-mtt, .*, got 'musicnn'; did you mean 'musicnn-m..'\?$",
    )


def test_tampered_weights_are_refused(data: dict[str, Any], write: Callable[[Any], Path]) -> None:
    path = write(data)
    weights = bytearray((path.parent / "model.onnx").read_bytes())
    weights[len(weights) // 2] ^= 1
    (path.parent / "model.onnx").write_bytes(weights)
    refuse(path, r"card\.json: OnnxModel\(.*\): expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}; ")


def test_missing_weights_are_refused(data: dict[str, Any], write: Callable[[Any], Path]) -> None:
    path = write(data)
    (path.parent / "model.onnx").unlink()
    refuse(path, r"expected the file 'model\.onnx' beside the card, got none")


@pytest.mark.parametrize("place", ["../model.onnx", "a/../../model.onnx", str(WEIGHTS), "link.onnx"])
def test_weights_outside_the_cards_folder_are_refused(
    data: dict[str, Any], write: Callable[[Any], Path], place: str
) -> None:
    data["pipeline"][NETWORK]["path"] = place
    path = write(data)
    shutil.copy(WEIGHTS, path.parent.parent / "model.onnx")
    if place == "link.onnx":
        (path.parent / place).symlink_to(WEIGHTS)
    refuse(path, r"expected a path inside the card's folder, got ")


def spoil(data: dict[str, Any], at: list[str | int], value: Any) -> dict[str, Any]:
    """A copy with one value changed, or removed if the value is `...`."""
    spoilt = copy.deepcopy(data)
    place: Any = spoilt
    for key in at[:-1]:
        place = place[key]
    if value is ...:
        del place[at[-1]]
    else:
        place[at[-1]] = value
    return spoilt


BAD_CARDS: list[tuple[list[str | int], Any, str]] = [
    (["schema"], "fastaudio.card/2", r"expected a card of schema 'fastaudio\.card/1', got '.*/2'"),
    (["schema"], ..., r"expected a card of schema .*, got None"),
    (["name"], 3, r"expected 'name' as a str, got 3"),
    (["pipeline"], ..., r"expected 'pipeline' as a list, got None"),
    (["pipeline"], [], r"expected at least one node, got none"),
    (["pipeline", 1], {"node": "Exp"}, r"expected a node among .*, got \{'node': 'Exp'\}"),
    (["pipeline", 1], "Log", r"expected a node among .*, got 'Log'"),
    (["pipeline", 1], {"node": "Node"}, r"expected a node among"),
    (["pipeline", 1], {"node": ["Log"]}, r"expected a node among"),
    (["pipeline", 1, "scale"], "loud", r"Log: expected scale as float .*, got 'loud'"),
    (["pipeline", 1, "skale"], 1, r"Log: expected options among .*, got 'skale'; did you mean 'scale'"),
    (["pipeline", 0, "n_mels"], 64, r"expected rows that fit its input \[\?, \?, 96\], got rows"),
    (["pipeline", 0, "hop_length"], 0, r"expected hop_length in \[1, 65536\] samples, got 0"),
    (["pipeline", NETWORK, "outputs"], ["nope"], r"expected outputs among .*, got 'nope'"),
    (["pipeline", NETWORK, "path"], ..., r"expected 'path' as a str"),
    (["pipeline", NETWORK, "path"], ["model.onnx"], r"expected 'path' as a str"),
    (["pipeline", NETWORK, "path"], "a\0b", r"OnnxModel: expected .*, got "),
    (["pipeline", NETWORK, "path"], "x" * 5000, r"OnnxModel: expected .*, got "),
    (["pipeline", NETWORK, "path"], ".", r"OnnxModel.*: expected .*, got "),
    (["pipeline", NETWORK, "sha256"], ..., r"expected 'sha256' as 64 hex digits"),
    (["pipeline", NETWORK, "sha256"], "", r"expected .*sha256"),
    (["pipeline", 4, "labels"], ["one"], r"Tags: expected rows of 1 scores, got rows"),
    (["pipeline", 4, "labels"], "guitar", r"Tags: expected labels as list\[str\], got"),
    (["pipeline", 4], {"node": "Parallel"}, r": .*expected .*, got "),
    (["pipeline", 4], {"node": "Sequential", "nodes": 3}, r": .*expected .*, got "),
    (["pipeline", 4], {"node": "Parallel", "branches": {}}, r"expected at least one branch"),
]


@pytest.mark.parametrize(
    ("at", "value", "message"), BAD_CARDS, ids=["/".join(map(str, at)) for at, _, _ in BAD_CARDS]
)
def test_a_card_that_does_not_hold_is_a_model_error_that_names_it(
    data: dict[str, Any],
    write: Callable[[Any], Path],
    at: list[str | int],
    value: Any,
    message: str,
) -> None:
    path = write(spoil(data, at, value))
    with pytest.raises(fa.ModelError, match=message) as caught:
        fa.Pipeline.load(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_front_end_that_does_not_fit_its_tags_is_refused_when_loaded(
    data: dict[str, Any], write: Callable[[Any], Path]
) -> None:
    del data["pipeline"][0]
    with pytest.raises((fa.ModelError, ValueError), match=r"expected .*, got "):
        fa.Pipeline.load(write(data))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"text"', "null", '{"schema": NaN}', "\ufeff{}"])
def test_text_that_is_no_card_is_a_model_error(write: Callable[[Any], Path], text: str) -> None:
    refuse(write(text), r"card\.json: expected a card ")


def test_bytes_that_are_no_text_are_a_model_error(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_bytes(b"\xff\xfe\x00{")
    refuse(
        tmp_path / "card.json",
        r"expected a card in JSON or a packed model, got a file that isn't UTF-8 text; name a card",
    )


def test_a_huge_card_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "card.json").open("wb") as file:
        file.truncate(1 << 27)
    refuse(tmp_path / "card.json", r"expected a card of at most \d+ bytes, got \d+; no budget")


@pytest.mark.parametrize("depth", [40, 900, 200_000])
def test_deep_nesting_is_refused(data: dict[str, Any], write: Callable[[Any], Path], depth: int) -> None:
    inner = json.dumps({"node": "Log"})
    nested = '{"node": "Sequential", "nodes": [' * depth + inner + "]}" * depth
    data["pipeline"][1] = "HERE"
    refuse(write(json.dumps(data).replace('"HERE"', nested)), r"card\.json: .*expected ")


def test_deep_branches_are_refused_or_built_without_hanging(
    data: dict[str, Any], write: Callable[[Any], Path]
) -> None:
    node = data["pipeline"][0]
    for _ in range(30):
        node = {"node": "Parallel", "branches": {"a": node}}
    path = write(data | {"pipeline": [node]})
    code = "import sys, fastaudio as fa\ntry: fa.Pipeline.load(sys.argv[1])\nexcept fa.ModelError: pass"
    # A guard against hanging, generous by orders of magnitude.
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=120)


def test_deep_nesting_outside_the_pipeline_does_no_harm(
    data: dict[str, Any], write: Callable[[Any], Path]
) -> None:
    path = write(json.dumps(data | {"x": 0}).replace('"x": 0', f'"x": {"[" * 200_000}{"]" * 200_000}'))
    refuse(path, r"expected a card in JSON")


def test_a_small_network_in_a_card_of_ones_own(tmp_path: Path) -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, n_mels=3)
    net = fa.OnnxModel(str(ONNX / "nft.onnx"), layout="nft", batch=2)
    pipeline = fa.Pipeline(mel >> fa.Patches(length=4) >> net >> fa.Tags(["loudness"]))
    pipeline.save(tmp_path / "tiny.json")
    again = fa.Pipeline.load(tmp_path / "tiny.json")
    assert np.array_equal(again(GUITAR).scores, pipeline(GUITAR).scores)
    assert again(GUITAR).model == "tiny"


@pytest.mark.parametrize(
    "outputs",
    [
        {"a": 3},
        {"a": None},
        {"a": ["shape"]},
        {"a": {"shape": 5}},
        {"a": {"shape": "50"}},
        {"\x1b[2J": "text"},
    ],
)
def test_odd_outputs_are_a_model_error_everywhere(
    outputs: Any, data: dict[str, Any], write: Callable[[Any], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(data | {"outputs": outputs})
    with pytest.raises(fa.ModelError, match="expected 'outputs' with a dict for each output"):
        fa.Pipeline.load(path)
    assert cli.main(["models", str(path)]) == 2
    out, err = capsys.readouterr()
    assert (out, "\x1b" in err) == ("", False)


def test_a_node_whose_name_is_no_utf_8_is_a_model_error(
    data: dict[str, Any], write: Callable[[Any], Path]
) -> None:
    data["pipeline"][0]["node"] = "\ud800"
    with pytest.raises(fa.ModelError, match="expected a node among"):
        fa.Pipeline.load(write(data))
