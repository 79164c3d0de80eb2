"""Unpacking a file from anybody writes no more than a model needs, and says what was asked for."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import pytest
from fastaudio import cards, cli
from fastaudio.cards import pack as packing
from fastaudio.cards import packed_file
from helpers import GUITAR, ONNX

if TYPE_CHECKING:
    from pathlib import Path

NETWORK = (ONNX / "nft.onnx").read_bytes()
SHA256 = hashlib.sha256(NETWORK).hexdigest()


def model(path: Path, n_networks: int, n_beside: int = 0) -> cards.Card:
    """A packed card that names one network again and again, and one file with weights."""
    beside: dict[str, Any] = {"external": {f"w{n}.bin": SHA256 for n in range(n_beside)}} if n_beside else {}
    nodes = [
        {"node": "OnnxModel", "path": f"n{n}.onnx", "sha256": SHA256, **beside} for n in range(n_networks)
    ]
    card = {"schema": cards.SCHEMA, "name": "many", "pipeline": nodes}
    packed_file.write(path, json.dumps(card).encode(), b"", [NETWORK], force=False)
    return cards.read_card(path)


@pytest.mark.parametrize(("how", "said"), [((1500,), "64 networks"), ((1, 200), "64 networks and files")])
def test_one_content_under_many_names_is_refused_before_it_is_read(
    how: tuple[int, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = model(tmp_path / "many.onnx", *how)
    monkeypatch.setattr(packed_file, "read_network", lambda *_: pytest.fail("it was read"))
    with pytest.raises(fa.BudgetError, match=f"at most {said}.* got {sum(how)}; if you trust it"):
        packing.unpack(card, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_each_content_is_held_once_and_written_under_all_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = model(tmp_path / "few.onnx", 9)
    read, times = packed_file.read_network, []
    monkeypatch.setattr(packed_file, "read_network", lambda *what: times.append(what) or read(*what))
    written = packing.unpack(card, tmp_path / "out")
    assert len(times) == 1
    assert [path.read_bytes() for path in written if path.suffix == ".onnx"] == [NETWORK] * 9


def test_a_budget_of_your_own_raises_the_bound(tmp_path: Path) -> None:
    card = model(tmp_path / "many.onnx", 70)
    written = packing.unpack(card, tmp_path / "out", budget=fa.Budget(networks=None))
    assert len(written) == 71


def test_a_sound_is_told_from_a_packed_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["unpack", str(GUITAR), "-o", str(tmp_path / "out")]) != 0
    assert "expected a card in JSON or a packed model, got a file that isn't UTF-8" in capsys.readouterr().err


def load(folder: Path, nodes: list[Any], budget: fa.Budget | None = None, **more: Any) -> str:
    card = {"schema": cards.SCHEMA, "name": "much", "pipeline": nodes, **more}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(fa.ModelError) as caught:
        fa.Pipeline.load(folder / "card.json", budget=budget)
    return str(caught.value)


def nested(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"node": "Identity"}
    for _ in range(depth - 1):
        node = {"node": "Sequential", "nodes": [node]}
    return node


def test_errors_of_the_budget_say_what_the_card_asks_for(tmp_path: Path) -> None:
    log = {"node": "Log"}
    assert "at most 2000 nodes in a card, got 3000; " in load(tmp_path, [log] * 3000)
    net = {"node": "OnnxModel", "path": "a.onnx", "sha256": SHA256}
    (tmp_path / "a.onnx").write_bytes(NETWORK)
    said = load(tmp_path, [net] * 90)
    assert "at most 64 networks in a card, got 90; " in said
    assert said.endswith("load it with budget=fastaudio.Budget(networks=None)")
    said = load(tmp_path, [nested(70)])
    assert "at most 32 levels" in said
    assert said.endswith("got 70; if you trust it, load it with budget=fastaudio.Budget(depth=70)")
    assert "got more" not in load(tmp_path, [nested(70)], fa.Budget(depth=70))
    assert "no budget allows more than 100" in load(tmp_path, [nested(130)], fa.Budget.unlimited())


def test_a_card_of_too_many_bytes_says_how_many_and_that_no_budget_raises_them(tmp_path: Path) -> None:
    said = load(tmp_path, [], fa.Budget.unlimited(), notes="x" * 17_000_000)
    n_bytes = (tmp_path / "card.json").stat().st_size
    assert f"a card of at most 16000000 bytes, got {n_bytes}; no budget raises this: shorten" in said
