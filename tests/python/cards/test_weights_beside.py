"""Files with weights: which are read, saved and replaced, and what strangers' cards may ask of them."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cards
from fastaudio.cards import pack as packing
from fastaudio.cards import packed_file
from fastaudio.cards.replacing import save_model

pytest.importorskip("onnx")
from network_forms import node, save, tensor

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS = np.linspace(-1, 1, 3 * 70, dtype=np.float32).reshape(3, 70)
ROWS = np.random.default_rng(0).uniform(-1, 1, (4, 3)).astype(np.float32)


def network(folder: Path, scale: float = 1, external: str = "net.data", name: str = "net.onnx") -> Path:
    """Write a network that multiplies by weights in a file beside it."""
    (folder / external).parent.mkdir(parents=True, exist_ok=True)
    return save(
        folder / name,
        [node("MatMul", ["x", "w"], ["y"])],
        [tensor("x", "float32", ("n", 3))],
        [tensor("y", "float32", ("n", 70))],
        external=external,
        w=WEIGHTS * np.float32(scale),
    )


def sha256_of(path: Path) -> str:
    """Return a file's hash in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def card_with(folder: Path, path: str, external: dict[str, str]) -> cards.Card:
    """Write a card of a network that lies in the folder."""
    part = {"node": "OnnxModel", "path": path, "sha256": sha256_of(folder / path), "external": external}
    data: dict[str, Any] = {"schema": "fastaudio.card/1", "name": "c", "pipeline": [part]}
    (folder / "card.json").write_text(json.dumps(data))
    return cards.read_card(folder / "card.json")


def test_packed_weights_without_a_hash_are_never_another_file(tmp_path: Path) -> None:
    packed = tmp_path / "packed.onnx"
    packing.save(packed, fa.OnnxModel(network(tmp_path)), {})
    (tmp_path / "net.data").unlink()
    want = ROWS @ WEIGHTS
    np.testing.assert_allclose(cards.build(cards.read_card(packed))(ROWS), want, rtol=0, atol=1e-5)
    with pytest.raises(fa.ModelError, match=r"no hash of the one that is meant; load the .*Pipeline\.load"):
        fa.OnnxModel(packed)
    with pytest.raises(fa.ModelError, match="packed with the network, got no file of sha256 0000"):
        packed_file.read_network(str(packed), "0" * 64, "net.data")


@pytest.mark.parametrize("name", ["./net.data", "sub/../net.data", "sub//net.data", "net.data/"])
def test_a_card_names_weights_as_the_network_does(tmp_path: Path, name: str) -> None:
    network(tmp_path)
    card = card_with(tmp_path, "net.onnx", {name: sha256_of(tmp_path / "net.data")})
    with pytest.raises(fa.ModelError, match=r"leave out '\.', '\.\.' and empty parts"):
        cards.build(card)


def test_a_card_of_many_names_for_weights_is_refused_at_once(tmp_path: Path) -> None:
    network(tmp_path)
    digest = sha256_of(tmp_path / "net.data")
    card = card_with(tmp_path, "net.onnx", {f"n{k}": digest for k in range(1001)})
    with pytest.raises(fa.ModelError, match="expected at most 1000 files in 'external', got 1001"):
        cards.build(card)


def test_looking_for_weights_ends_when_it_is_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network(tmp_path)
    card = card_with(tmp_path, "net.onnx", {f"n{k}": "0" * 64 for k in range(1000)})
    looked = []
    monkeypatch.setattr(
        cards.card, "network_beside", lambda _, name: looked.append(name) or tmp_path / "net.onnx"
    )
    monkeypatch.setattr(cards.card, "check_interrupt", lambda: looked.append("asked"))
    with pytest.raises(fa.ModelError):
        cards.build(card)
    assert looked.count("asked") == 1000


def test_a_time_limit_isnt_taken_for_a_file_that_is_not_packed(tmp_path: Path) -> None:
    packed = tmp_path / "packed.onnx"
    packing.save(packed, fa.OnnxModel(network(tmp_path)), {})
    with fa._core.Interruptible(timeout_s=1e-6):
        time.sleep(0.01)
        with pytest.raises(fa.TimedOut):
            packed_file.is_packed(str(packed))


def test_packed_weights_are_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "packed.onnx"
    packing.save(packed, fa.OnnxModel(network(tmp_path)), {})
    found, find = [], packed_file.find
    monkeypatch.setattr(packed_file, "find", lambda *file: found.append(file) or find(*file))
    packed_file.read_network(str(packed), sha256_of(tmp_path / "net.data"), "net.data")
    assert len(found) == 1


def test_no_more_is_kept_of_weights_than_the_network_needs(tmp_path: Path) -> None:
    network(tmp_path)
    content = (tmp_path / "net.data").read_bytes()
    with (tmp_path / "net.data").open("ab") as file:
        file.truncate(len(content) + (8 << 20))
    path, longer = str(tmp_path / "net.onnx"), sha256_of(tmp_path / "net.data")
    for sha256 in ("", longer):
        assert packed_file.read_network(path, sha256, "net.data", len(content)) == content
    with pytest.raises(fa.ModelError, match="expected sha256"):
        packed_file.read_network(path, hashlib.sha256(content).hexdigest(), "net.data", len(content))
    with pytest.raises(
        fa.ModelError, match=r"expected \d+ bytes in 'net.data', got \d+; the file is cut short"
    ):
        packed_file.read_network(path, "", "net.data", 1 << 40)


def test_a_network_asks_for_the_bytes_that_it_needs(tmp_path: Path) -> None:
    path = network(tmp_path)
    n_bytes = WEIGHTS.nbytes
    asked: list[Any] = []

    def read(*of: Any) -> tuple[bytes, str]:
        asked.append(of[3])
        return packed_file.read_hashed(*of)

    fa._core.set_model_reader(read)
    try:
        net = fa.OnnxModel(path)
    finally:
        fa._core.set_model_reader(packed_file.read_hashed)
    assert asked == [None, n_bytes]
    np.testing.assert_allclose(net(ROWS), ROWS @ WEIGHTS, rtol=0, atol=1e-5)


def test_weights_in_a_folder_are_saved_with_it_and_stay_when_the_model_goes(tmp_path: Path) -> None:
    model = tmp_path / "model"
    save_model(model, fa.OnnxModel(network(tmp_path / "made", external="sub/net.data")), {})
    assert {p.name for p in model.rglob("*")} == {"card.json", "net.onnx", "sub", "net.data"}
    loaded = cards.build(cards.read_card(model / "card.json"))
    np.testing.assert_allclose(loaded(ROWS), ROWS @ WEIGHTS, rtol=0, atol=1e-5)
    save_model(model, fa.Patches(length=4), {})
    # The card may be anybody's: what it names in other folders is left alone.
    assert {p.name for p in model.rglob("*")} == {"card.json", "sub", "net.data"}


def test_weights_arent_saved_through_a_link_to_another_folder(tmp_path: Path) -> None:
    net = fa.OnnxModel(network(tmp_path / "made", external="sub/net.data"))
    (tmp_path / "model").mkdir()
    (tmp_path / "other").mkdir()
    try:
        (tmp_path / "model" / "sub").symlink_to(tmp_path / "other", target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    with pytest.raises(fa.ModelError, match=r"got a link, .*; remove it"):
        save_model(tmp_path / "model", net, {})
    assert not any((tmp_path / "other").iterdir())


def test_other_weights_take_the_place_of_the_model_before(tmp_path: Path) -> None:
    model = tmp_path / "model"
    save_model(model, fa.OnnxModel(network(tmp_path / "one")), {})
    save_model(model, fa.OnnxModel(network(tmp_path / "two", scale=2)), {})
    assert sorted(p.name for p in model.iterdir()) == ["card.json", "net.data", "net.onnx"]
    loaded = cards.build(cards.read_card(model / "card.json"))
    np.testing.assert_allclose(loaded(ROWS), 2 * ROWS @ WEIGHTS, rtol=0, atol=1e-5)
    save_model(model, fa.Patches(length=4), {})
    assert [p.name for p in model.iterdir()] == ["card.json"]


def test_weights_of_another_card_or_of_a_network_that_stays_arent_replaced(tmp_path: Path) -> None:
    model = tmp_path / "model"
    save_model(model, fa.OnnxModel(network(tmp_path / "one")), {})
    other = fa.OnnxModel(network(tmp_path / "two", scale=2))
    before = sha256_of(model / "net.data")
    here = fa.OnnxModel(model / "net.onnx")
    for both in (fa.Parallel({"a": here, "b": other}), fa.Parallel({"a": other, "b": here})):
        with pytest.raises(fa.ModelError, match="expected no file there, or the same weights, got others"):
            save_model(model, both, {})
        assert sha256_of(model / "net.data") == before
    (model / "second.json").write_bytes((model / "card.json").read_bytes())
    with pytest.raises(fa.ModelError, match="expected no file there, or the same weights, got others"):
        save_model(model, other, {})
    assert sha256_of(model / "net.data") == before


def test_weights_are_looked_for_where_they_are_read(tmp_path: Path) -> None:
    network(tmp_path / "sub")
    digest = sha256_of(tmp_path / "sub" / "net.data")
    try:
        (tmp_path / "net.onnx").symlink_to(tmp_path / "sub" / "net.onnx")
    except OSError:
        pytest.skip("no links here")
    card = card_with(tmp_path, "net.onnx", {"net.data": digest})
    np.testing.assert_allclose(cards.build(card)(ROWS), ROWS @ WEIGHTS, rtol=0, atol=1e-5)
    packing.pack(card, tmp_path / "packed.onnx")
    packed = cards.build(cards.read_card(tmp_path / "packed.onnx"))
    np.testing.assert_allclose(packed(ROWS), ROWS @ WEIGHTS, rtol=0, atol=1e-5)
