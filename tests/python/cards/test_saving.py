"""What is saved or packed takes nothing from outside, and no place but a model's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import fastaudio as fa
import pytest
from fastaudio import cards
from fastaudio.cards import pack as packing
from helpers import ONNX
from packed_models import MEL, small

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A small model in a folder, with a licence."""
    small().save(tmp_path / "mine" / "card.json")
    (tmp_path / "mine" / "LICENSE").write_text("Do what you like.", encoding="utf-8")
    return tmp_path / "mine"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_what_is_no_regular_file_is_neither_packed_nor_waited_for(mine: Path, tmp_path: Path) -> None:
    for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
        (mine / "LICENSE").unlink()
        make(mine / "LICENSE")
        packing.pack(cards.read_card(mine), tmp_path / "mine.onnx", force=True)
        assert cards.read_card(tmp_path / "mine.onnx").packed.licence == b""
    os.mkfifo(tmp_path / "nft.onnx")  # where a network would be written
    with pytest.raises(fa.ModelError, match=r"nft\.onnx: expected a readable file, got: not a regular file"):
        small().save(tmp_path / "card.json")
    assert not (tmp_path / "card.json").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_no_model_takes_the_place_of_a_pipe_or_a_device(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null.json").symlink_to(os.devnull)
    for name in ("pipe", "null.json"):
        with pytest.raises(fa.OutputError, match="expected the name of a file, got a device's or pipe's"):
            small().save(tmp_path / name)
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "null.json").is_char_device()
    assert {path.name for path in tmp_path.iterdir()} == {"pipe", "null.json"}


def test_other_names_of_a_file_keep_what_it_held(mine: Path, tmp_path: Path) -> None:
    packing.pack(cards.read_card(mine), tmp_path / "mine.onnx")
    before = (tmp_path / "mine.onnx").read_bytes()
    os.link(tmp_path / "mine.onnx", tmp_path / "other.onnx")
    small().save(tmp_path / "mine.onnx")
    assert (tmp_path / "other.onnx").read_bytes() == before


@pytest.mark.parametrize("name", ["con.onnx", "net.bin", "a b~1.onnx", "é\u202e.onnx", "..onnx"])
def test_a_network_gets_a_name_that_can_be_packed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes((ONNX / "nft.onnx").read_bytes())
    net = fa.OnnxModel(str(tmp_path / name), layout="nft")
    pipeline = fa.Pipeline(MEL >> fa.Patches(length=4) >> net >> fa.Tags(["loudness"]))
    pipeline.save(tmp_path / "mine.onnx")
    packing.unpack(cards.read_card(tmp_path / "mine.onnx"), tmp_path / "out")
    assert len(list((tmp_path / "out").glob("*.onnx"))) == 1
    fa.Pipeline.load(tmp_path / "out")
