"""In Python a model takes the place of a model, and of no other file, whichever function writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import pytest
from fastaudio import importing
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
