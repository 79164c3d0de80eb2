"""The licence of weights goes with them, wherever and in whatever form a model is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import pytest
from fastaudio import cards
from fastaudio.cards import pack as packing
from fastaudio.cards.licences import licence_at, licence_of
from helpers import rotated
from packed_models import small

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = [path.parent.name for path in sorted(cards.MODELS.glob("*/card.json"))]


def text_of(name: str) -> bytes:
    return (cards.MODELS / name / "LICENSE").read_bytes()


def packed_with(path: Path) -> bytes:
    packed = cards.read_card(path).packed
    assert packed is not None
    return packed.licence


@pytest.mark.parametrize(
    ("name", "form"), rotated(SHIPPED, ["own/card.json", "among/mine.json", "mine.onnx"], 1)
)
def test_it_goes_with_shipped_weights_in_every_form_and_on(name: str, form: str, tmp_path: Path) -> None:
    pipeline, text = fa.Pipeline.load(name), text_of(name)
    pipeline.save(tmp_path / form)
    if form.endswith(".onnx"):
        assert packed_with(tmp_path / form) == text
    else:
        assert (tmp_path / form).with_name("LICENSE").read_bytes() == text
    again = fa.Pipeline.load(tmp_path / form)
    assert licence_of(again.node) == text
    again.save(tmp_path / "again" / "other.json")
    assert (tmp_path / "again" / "LICENSE").read_bytes() == text
    packing.pack(cards.read_card(tmp_path / form), tmp_path / "packed.onnx")
    assert packed_with(tmp_path / "packed.onnx") == text


def test_models_of_several_licences_lie_in_one_folder_each_with_its_own(tmp_path: Path) -> None:
    for name in SHIPPED:
        fa.Pipeline.load(name).save(tmp_path / f"{name}.json")
    for name in SHIPPED:
        assert licence_of(fa.Pipeline.load(tmp_path / f"{name}.json").node) == text_of(name)
        packing.pack(cards.read_card(tmp_path / f"{name}.json"), tmp_path / "packed.onnx", force=True)
        assert packed_with(tmp_path / "packed.onnx") == text_of(name)


@pytest.mark.parametrize("card", ["mine.json", "card.json"])
def test_a_licence_of_others_stays(card: str, tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("of my program", encoding="utf-8")
    (tmp_path / "program.py").touch()
    pipeline = fa.Pipeline.load("silero-vad")
    for _ in range(2):
        pipeline.save(tmp_path / card)
        assert (tmp_path / "LICENSE").read_text(encoding="utf-8") == "of my program"
        own = tmp_path / f"{card.removesuffix('.json')}.LICENSE"
        assert own.read_bytes() == text_of("silero-vad")
    fa.Pipeline.load("musicnn-mtt").save(tmp_path / card)
    assert own.read_bytes() == text_of("musicnn-mtt")
    packing.pack(cards.read_card(tmp_path / card), tmp_path / "packed.onnx")
    assert packed_with(tmp_path / "packed.onnx") == text_of("musicnn-mtt")
    (tmp_path / card).unlink()
    with pytest.raises(
        fa.ModelError, match=r"\.LICENSE: expected none, or the licence of the model's weights"
    ):
        pipeline.save(tmp_path / card)


def test_a_folder_of_a_models_own_has_the_licence_of_the_one_that_is_there(tmp_path: Path) -> None:
    for name in ("musicnn-mtt", "silero-vad"):
        for path in tmp_path.iterdir():
            if path.suffix == ".onnx":
                path.unlink()
        fa.Pipeline.load(name).save(tmp_path / "card.json")
        assert (tmp_path / "LICENSE").read_bytes() == text_of(name)
        assert not (tmp_path / "card.LICENSE").exists()


def test_every_text_of_several_models_is_there_once(tmp_path: Path) -> None:
    front = fa.Pipeline.load("musicnn-mtt").layer("penultimate").node
    other = fa.Pipeline.load("aisfx").node
    both = fa.Parallel({"music": front, "again": front})
    fa.Pipeline(both).save(tmp_path / "both.json")
    assert (tmp_path / "LICENSE").read_bytes() == text_of("musicnn-mtt")
    assert licence_of(other) == text_of("aisfx")


def test_weights_without_a_licence_get_none(tmp_path: Path) -> None:
    small().save(tmp_path / "mine.json")
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".onnx"}
    (tmp_path / "LICENSE").write_text("of my program", encoding="utf-8")
    small().save(tmp_path / "mine.json")
    assert not (tmp_path / "mine.LICENSE").exists()


def test_a_licence_is_no_more_than_one_card_says(tmp_path: Path) -> None:
    fa.Pipeline.load("musicnn-mtt").save(tmp_path / "mine.json")
    (network,) = tmp_path.glob("*.onnx")
    for i in range(3):
        (tmp_path / f"other {i}.json").write_text("[{}]", encoding="utf-8")
    assert licence_at(network) == text_of("musicnn-mtt")
    (tmp_path / "mine.json").unlink()
    assert licence_at(network) == b""  # the LICENSE may be of anything


def test_a_licence_that_was_alone_in_the_folder_stays_however_often_a_model_is_saved(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("mine", encoding="utf-8")
    pipeline = fa.Pipeline.load("silero-vad")
    for _ in range(3):
        pipeline.save(tmp_path / "card.json")
        assert (tmp_path / "LICENSE").read_text(encoding="utf-8") == "mine"
    again = fa.Pipeline.load(tmp_path / "card.json")
    assert licence_of(again.node) == text_of("silero-vad")


def test_a_licence_is_found_among_many_other_files(tmp_path: Path) -> None:
    for i in range(300):
        (tmp_path / f"{i:03}.json").write_text("{}", encoding="utf-8")
    pipeline = fa.Pipeline.load("silero-vad")
    pipeline.save(tmp_path / "mine.json")
    again = fa.Pipeline.load(tmp_path / "mine.json")
    assert licence_of(again.node) == text_of("silero-vad")
