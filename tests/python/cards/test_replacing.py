"""In Python a model takes the place of a model, and of no other file, whichever function writes it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import pytest
from fastaudio import importing
from fastaudio.cards.replacing import save_model
from packed_models import small

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {
    "save": ["mine/card.json", "mine.json", "mine.onnx"],
    "importing.save": ["mine", "mine.json", "mine.onnx"],
}
CASES = [(how, name) for how, names in NAMES.items() for name in names]


def write(how: str, pipeline: fa.Pipeline, path: Path) -> Any:
    return pipeline.save(path) if how == "save" else importing.save(pipeline, path)


@pytest.mark.parametrize(("how", "name"), CASES)
def test_a_model_that_is_there_is_replaced(how: str, name: str, tmp_path: Path) -> None:
    write(how, fa.Pipeline.load("musicnn-mtt"), tmp_path / name)
    write(how, small(), tmp_path / name)
    found = [type(part) for part in fa.Pipeline.load(tmp_path / name).node.parts()]
    assert found == [type(part) for part in small().node.parts()]


@pytest.mark.parametrize(("how", "name"), CASES)
def test_any_other_file_is_refused_and_stays(how: str, name: str, tmp_path: Path) -> None:
    place = tmp_path / name / "card.json" if name == "mine" else tmp_path / name
    place.parent.mkdir(exist_ok=True)
    place.write_text("mine", encoding="utf-8")
    with pytest.raises(fa.ModelError, match="got another file; choose another name"):
        write(how, small(), tmp_path / name)
    assert place.read_text(encoding="utf-8") == "mine"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [place]


def test_where_force_is_false_a_model_stays_too(tmp_path: Path) -> None:
    importing.save(small(), tmp_path / "mine")
    before = (tmp_path / "mine" / "card.json").read_bytes()
    with pytest.raises(fa.OutputError, match="expected no model there, got one"):
        importing.save(fa.Pipeline.load("musicnn-mtt"), tmp_path / "mine", force=False)
    assert (tmp_path / "mine" / "card.json").read_bytes() == before


def strange(folder: Path, sha256: str) -> dict[Path, bytes]:
    """A folder with somebody's own files, which a card names as the model's."""
    (folder / "sub").mkdir(parents=True)
    own = {folder / name: name.encode() for name in ("my.onnx", "weights.bin", "sub/more.bin", "notes.txt")}
    for path, content in own.items():
        path.write_bytes(content)
    network = {"node": "OnnxModel", "path": "my.onnx", "sha256": sha256}
    network["external"] = dict.fromkeys(["weights.bin", "sub/more.bin"], sha256)
    card = {"schema": "fastaudio.card/1", "name": "strange", "pipeline": [network]}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return own


@pytest.mark.parametrize(
    "write", [importing.save, lambda pipeline, path: save_model(path, pipeline.node, {})]
)
def test_a_card_can_not_have_files_removed_that_are_not_its_own(write: Any, tmp_path: Path) -> None:
    own = strange(tmp_path / "mine", "0" * 64)
    write(small(), tmp_path / "mine")
    assert {path: path.read_bytes() for path in own} == own


def test_nor_those_in_other_folders_even_with_their_hashes(tmp_path: Path) -> None:
    own = strange(tmp_path / "mine", hashlib.sha256(b"sub/more.bin").hexdigest())
    save_model(tmp_path / "mine", small().node, {})
    assert {path: path.read_bytes() for path in own} == own


def test_nor_have_a_licence_replaced_by_naming_all_that_lies_there(tmp_path: Path) -> None:
    strange(tmp_path / "mine", "0" * 64)
    (tmp_path / "mine" / "notes.txt").unlink()
    (tmp_path / "mine" / "LICENSE").write_bytes(b"mine")
    with pytest.raises(fa.ModelError, match="LICENSE: expected none, or the licence"):
        save_model(tmp_path / "mine", small().node, {}, licence=b"theirs")
    assert (tmp_path / "mine" / "LICENSE").read_bytes() == b"mine"


def test_the_networks_of_the_model_before_go(tmp_path: Path) -> None:
    save_model(tmp_path / "mine", fa.Pipeline.load("musicnn-mtt").node, {})
    before = set((tmp_path / "mine").glob("*.onnx"))
    save_model(tmp_path / "mine", small().node, {})
    assert before
    assert not before & set((tmp_path / "mine").glob("*.onnx"))
