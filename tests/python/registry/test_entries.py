"""What can be fetched is described whole, and its card fits the network that its page describes."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import registry
from fastaudio.registry.address import check_address
from fastaudio.registry.getting import fetch
from fastaudio.registry.notice import notice
from helpers import GUITAR, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from hostile_server import Server

FOLDER = ROOT / "python" / "fastaudio" / "registry"
ENTRIES = registry.entries()
# Input, output and output's row of each network, as its page describes them.
INTERFACES: dict[str, tuple[str, list[int | str], str, list[int]]] = {
    "ast": ("input_values", ["n", 1024, 128], "logits", [527]),
    "ced-tiny": ("feats", ["n", 64, "t"], "prob", [527]),
    "clap-audio": ("input_features", ["n", 1, 1001, 64], "audio_embeds", [512]),
    "efficientat-mn10": ("samples", ["w", "n"], "probabilities", [527]),
    "panns-mobilenetv2": ("wave", ["b", 160_000], "probs", [527]),
    "perch-2": ("inputs", ["batch", 160_000], "label", [14_795]),
    "pyannote-segmentation": ("input_values", ["n", 1, 160_000], "logits", [589, 7]),
    "yamnet": ("waveform", ["batch", "samples"], "probs", [521]),
}


def test_the_entries_are_the_files_and_none_has_a_shipped_models_name() -> None:
    assert list(ENTRIES) == sorted(path.stem for path in (FOLDER / "models").glob("*.json"))
    assert list(ENTRIES) == list(INTERFACES)
    shipped = {path.parent.name for path in (ROOT / "models").glob("*/card.json")}
    assert not shipped & set(ENTRIES)


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_states_address_size_hash_licence_and_where_the_hash_was_read(name: str) -> None:
    entry = ENTRIES[name]
    for key in ("task", "description", "licence", "citation", "trained_on"):
        assert entry.card[key].strip(), key
    assert entry.card["schema"] == "fastaudio.card/1"
    assert entry.page.startswith("https://")
    for file in entry.files:
        assert file.url.startswith(entry.page + "/resolve/")
        assert re.fullmatch(r"[\w-][\w.-]*", file.path)
        assert file.path not in {"card.json", "LICENSE"}
        assert file.n_bytes is None or 0 < file.n_bytes < 2**31
        assert (file.sha256 is None) == (not file.hash_read)
        assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)
    (network,) = [node for node in entry.card["pipeline"] if node["node"] == "OnnxModel"]
    assert (network["path"], network["sha256"]) == (entry.files[0].path, entry.files[0].sha256)
    assert all(file.sha256 for file in entry.files[1:])


def test_every_hash_that_was_read_on_a_page_is_an_entrys(shared: Path) -> None:
    notes = (shared / "frontends.md").read_text(encoding="utf-8")
    known = {file.sha256: file for entry in ENTRIES.values() for file in entry.files}
    read = set(re.findall(r"`([0-9a-f]{64})`", notes))
    assert len(read) >= 4
    assert read <= set(known)
    for n_bytes, sha256 in re.findall(r"([0-9,]{6,}) B\s+`([0-9a-f]{64})`", notes):
        assert known[sha256].n_bytes == int(n_bytes.replace(",", ""))


def test_the_names_of_sounds_come_with_whose_they_are() -> None:
    data = json.loads((FOLDER / "labels" / "audioset.json").read_text(encoding="utf-8"))
    text = " ".join((FOLDER / "labels" / "LICENSE").read_text(encoding="utf-8").split())
    assert data["licence"] == "CC-BY-4.0"
    for said in ("AudioSet, by Google", "https://creativecommons.org/licenses/by/4.0/", "Changed:"):
        assert said in text
    assert "AudioSet, by Google: https://" in data["source"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packaged = {path for pattern in project["license-files"] for path in ROOT.glob(pattern)}
    assert FOLDER / "labels" / "LICENSE" in packaged
    assert set((ROOT / "models").glob("*/LICENSE")) | {ROOT / "LICENSE"} < packaged
    assert data["licence"] in project["license"]


@pytest.mark.parametrize("name", ENTRIES)
def test_what_goes_with_fetched_weights_says_whose_they_are(name: str) -> None:
    entry = ENTRIES[name]
    text = notice(entry).decode("utf-8")
    words = " ".join(text.split())
    assert all(author in words for author in entry.card["authors"])
    for said in (entry.card["licence"], entry.card["citation"], entry.page, entry.files[0].url):
        assert said in words
    assert ("AudioSet, by Google" in words) == (entry.card.get("labels", {}).get("list") == "audioset")
    assert ("6 of them are left out" in words) == (name == "yamnet")


def test_the_labels_are_audiosets() -> None:
    labels = json.loads((FOLDER / "labels" / "audioset.json").read_text(encoding="utf-8"))["labels"]
    assert len(labels) == len(set(labels)) == 527
    known = {0: "Speech", 27: "Singing", 74: "Dog", 137: "Music", 345: "Dental drill, dentist's drill"}
    assert {index: labels[index] for index in known} == known
    assert labels[526] == "Field recording"


def test_yamnets_labels_are_those_of_its_class_map(shared: Path) -> None:
    with (shared / "models" / "yamnet" / "class_map.csv").open(encoding="utf-8", newline="") as file:
        names = [row["display_name"] for row in csv.DictReader(file)]
    how = ENTRIES["yamnet"].card["labels"]
    labels = json.loads((FOLDER / "labels" / "audioset.json").read_text(encoding="utf-8"))["labels"]
    assert [label for label in labels if label not in how["without"]] == names


@pytest.mark.parametrize("name", ENTRIES)
def test_a_card_fits_the_network_that_its_page_describes(name: str, server: Server, home: Path) -> None:
    pytest.importorskip("onnx", reason="pip install '.[train]'")
    from fake_networks import fake_network
    from hostile_server import whole

    source, shape, output, row = INTERFACES[name]
    content = fake_network(source, shape, output, row)
    entry = ENTRIES[name]
    sha256 = hashlib.sha256(content).hexdigest()
    entry = entry.chosen(url=server.url, sha256=sha256)
    server.acts = [whole(content)]
    if len(entry.files) > 1:
        lines = "\n".join(["name", *(f"species {i}" for i in range(row[0]))]).encode()
        labels = replace(
            entry.files[1], url=server.url, n_bytes=len(lines), sha256=hashlib.sha256(lines).hexdigest()
        )
        entry = replace(entry, files=(entry.files[0], labels))
        server.acts = [whole(content), whole(lines)]
    assert fetch(entry) == home / name / "card.json"
    assert fa.models()[-1] == name
    pipeline = fa.Pipeline.load(name)
    assert pipeline.name == name
    result = pipeline(GUITAR)
    if "labels" in entry.card:
        assert isinstance(result, fa.tags.Tags)
        assert len(result.labels) == row[0]
        (best, _) = result.top(1)[0]
        assert best == result.labels[-1]  # the network's scores rise
    else:
        assert isinstance(result, np.ndarray)
        assert list(result.shape[1:]) == row
    text = (home / name / "LICENSE").read_bytes()
    pipeline.save(home.parent / "mine.json")
    assert text == notice(entry) == (home.parent / "LICENSE").read_bytes()
    card = json.loads((home / name / "card.json").read_text(encoding="utf-8"))
    assert card["fetched"][0] == {
        "path": entry.files[0].path,
        "url": server.url,
        "sha256": sha256,
        "hash_read": "you gave it",
    }


def test_perch_hears_a_window_without_its_mean_at_a_peak_of_a_quarter() -> None:
    nodes = ENTRIES["perch-2"].card["pipeline"][2:5]
    samples = np.float32([[0.5, 0.7, 0.9, 0.3]])
    for node in nodes:
        options = {key: value for key, value in node.items() if key != "node"}
        samples = getattr(fa, node["node"])(**options)(samples)
    np.testing.assert_allclose(samples, [[-0.083333, 0.083333, 0.25, -0.25]], atol=1e-5)


@pytest.mark.parametrize("name", ["../musicnn-mtt", "..", "", "EfficientAT-mn10", "a/b", "musicnn-mtt"])
def test_a_name_that_is_no_entry_is_refused(name: str, home: Path) -> None:
    with pytest.raises(fa.ModelError, match=r"get: expected one of ast, .*, got"):
        registry.get(name)
    assert not home.exists()


def test_an_address_or_a_file_is_told_what_takes_it() -> None:
    for name in ("https://a.example/net.onnx", "net.onnx"):
        with pytest.raises(fa.ModelError, match="fetch it yourself, then: fastaudio import"):
            registry.get(name)


def test_the_page_that_shows_a_hash_is_the_files_own() -> None:
    with pytest.raises(
        fa.ModelError, match=r"read it at https://huggingface\.co/Xenova/.*/blob/main/onnx/model\.onnx, then"
    ):
        registry.get("ast")


def test_a_name_that_is_nearly_right_gets_the_right_one() -> None:
    with pytest.raises(fa.ModelError, match="did you mean 'efficientat-mn10'"):
        registry.get("efficientat-mn1")
    with pytest.raises(fa.ModelError, match="did you mean 'efficientat-mn10'"):
        fa.Pipeline.load("efficientat-mn1")


@pytest.mark.parametrize("name", ENTRIES)
def test_a_model_that_is_not_here_names_the_line_that_fetches_it(name: str, home: Path) -> None:
    with pytest.raises(fa.ModelError) as caught:
        fa.Pipeline.load(name)
    more = "" if ENTRIES[name].files[0].sha256 else " --sha256 HASH"
    assert str(caught.value) == (
        f"Pipeline.load: expected a model that is here, got {name!r}, which isn't yet; "
        f"run: fastaudio get {name}{more}"
    )
    assert not home.exists()


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"sha256": "abc"}, "expected sha256 as 64 hex digits, got 'abc'"),
        ({"sha256": "g" * 64}, "expected sha256 as 64 hex digits"),
        ({"url": "http://a.example/x"}, "expected an address that begins with https://"),
        ({"url": "file:///etc/passwd"}, "expected an address that begins with https://"),
        ({"url": "HTTP://localhost.a.example/x"}, "expected an address that begins with https://"),
        ({"url": "https://"}, "expected an address that begins with https://"),
        ({"url": "https://me:secret@a.example/x"}, "holds no name or password, got one with.* ~/.netrc"),
        ({"url": "https://a.example:99999/x"}, "expected an address that begins with https://"),
        ({"url": "x"}, "expected an address that begins with https://"),
    ],
)
def test_a_hash_or_an_address_that_cannot_be_taken_is_refused(how: dict[str, Any], match: str) -> None:
    with pytest.raises(fa.ModelError, match=match) as caught:
        registry.get("efficientat-mn10", **how)
    assert "secret" not in str(caught.value)


def test_an_address_with_https_leads_to_no_other() -> None:
    check_address("https://b.example/x", before="https://a.example/x")
    check_address("http://localhost:1/x", before="http://127.0.0.1:2/x")
    for target in ("http://localhost:1/x", "http://b.example/x", "file:///x"):
        with pytest.raises(
            fa.ModelError, match=r"a.example/x: redirect: expected an address .* https://, got"
        ):
            check_address(target, before="https://a.example/x")


@pytest.mark.usefixtures("home")
def test_a_network_from_elsewhere_goes_the_whole_way(shared: Path, server: Server) -> None:
    """Served, fetched, checked, loaded by its name, and run: the speech of YAMNet's own test."""
    from hostile_server import whole

    folder = shared / "models" / "yamnet"
    content = (folder / "yamnet.onnx").read_bytes()
    entry = ENTRIES["yamnet"].chosen(url=server.url, sha256=hashlib.sha256(content).hexdigest())
    network = {
        "node": "OnnxModel",
        "path": entry.files[0].path,
        "outputs": ["scores"],
        "units": ["probability"],
    }
    nodes = [*fa.presets.yamnet().to_dict()["nodes"], network]  # this file has no front end in its graph
    entry = replace(entry, card={**entry.card, "pipeline": nodes, "input": None})
    entry = replace(entry, card={key: value for key, value in entry.card.items() if key != "input"})
    server.acts = [whole(content, n_sent=5_000_000), whole(content)]
    fetch(entry)
    assert server.ranges[0] is None
    assert len(server.ranges) == 2
    speech = np.frombuffer((folder / "yamnet_test_audio.bin").read_bytes(), dtype="<i2")
    tags = fa.Pipeline.load("yamnet")(speech, sample_rate=16_000)
    label, score = tags.top(1)[0]
    assert label == "Speech"
    assert score > 0.9
