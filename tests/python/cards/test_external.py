"""Weights in a file beside a network: read, hashed, saved, packed, isolated; and nothing else is read."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import onnx_bytes as ob
import pytest
from fastaudio import cards
from fastaudio.cards import pack as packing

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("onnx")
from network_forms import node, save, tensor

MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, n_mels=3)
WEIGHTS = np.linspace(-1, 1, 3 * 70, dtype=np.float32).reshape(3, 70)
ROWS = np.random.default_rng(0).uniform(-1, 1, (4, 3)).astype(np.float32)
SOUND = np.random.default_rng(1).uniform(-1, 1, 16_000).astype(np.float32)


def outside(folder: Path, name: str = "net.onnx", scale: float = 1, external: str = "") -> Path:
    """Write a network whose weights lie in `net.onnx.data`, or as `external` says."""
    folder.mkdir(parents=True, exist_ok=True)
    return save(
        folder / name,
        [node("MatMul", ["x", "w"], ["y"])],
        [tensor("x", "float32", ("n", 3))],
        [tensor("y", "float32", ("n", 70))],
        external=external or f"{name}.data",
        w=WEIGHTS * np.float32(scale),
    )


def saved(folder: Path) -> Path:
    """Save a card with that network, made in another folder."""
    net = fa.OnnxModel(outside(folder / "made"))
    path = folder / "card" / "card.json"
    fa.Pipeline(MEL >> net >> fa.Tags([f"t{k}" for k in range(70)])).save(path)
    return path


def test_a_network_of_ones_own_takes_the_file_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = outside(tmp_path / "mine")
    other = tmp_path / "elsewhere"
    outside(other, scale=100)  # the working folder has such a file too
    monkeypatch.chdir(other)
    assert not np.allclose(ROWS @ WEIGHTS, 0)
    np.testing.assert_allclose(fa.OnnxModel(path)(ROWS), ROWS @ WEIGHTS, rtol=0, atol=1e-5)
    sha256 = hashlib.sha256((tmp_path / "mine" / "net.onnx.data").read_bytes()).hexdigest()
    stated = fa.OnnxModel(path, external={"net.onnx.data": sha256})
    np.testing.assert_allclose(stated(ROWS), ROWS @ WEIGHTS, rtol=0, atol=1e-5)
    assert np.array_equal(fa.OnnxModel(path, outputs=["y"])["y"](ROWS), stated(ROWS))


def test_a_saved_card_names_and_hashes_the_file_and_loads_and_packs_with_it(tmp_path: Path) -> None:
    path = saved(tmp_path)
    folder = path.parent
    assert sorted(p.name for p in folder.iterdir()) == ["card.json", "net.onnx", "net.onnx.data"]
    data = json.loads(path.read_text())
    (network,) = [part for part in data["pipeline"] if part["node"] == "OnnxModel"]
    digest = hashlib.sha256((folder / "net.onnx.data").read_bytes()).hexdigest()
    assert network["external"] == {"net.onnx.data": digest}
    want = fa.Pipeline.load(path)(SOUND, sample_rate=16_000)
    packed = tmp_path / "packed.onnx"
    packing.pack(cards.read_card(path), packed)
    (folder / "net.onnx.data").unlink()
    assert np.array_equal(fa.Pipeline.load(packed)(SOUND, sample_rate=16_000).scores, want.scores)
    again = tmp_path / "again"
    names = [p.name for p in packing.unpack(cards.read_card(packed), again)]
    assert sorted(names) == ["card.json", "net.onnx", "net.onnx.data"]
    assert np.array_equal(fa.Pipeline.load(again)(SOUND, sample_rate=16_000).scores, want.scores)
    fa.Pipeline.load(again).save(tmp_path / "direct.onnx")
    assert np.array_equal(
        fa.Pipeline.load(tmp_path / "direct.onnx")(SOUND, sample_rate=16_000).scores, want.scores
    )


@pytest.mark.skipif(sys.platform == "win32", reason="isolation needs Linux or macOS")
@pytest.mark.parametrize("packed", [False, True])
def test_an_isolated_pipeline_gets_the_file_too(tmp_path: Path, *, packed: bool) -> None:
    path = saved(tmp_path)
    if packed:
        packing.pack(cards.read_card(path), tmp_path / "packed.onnx")
        path = tmp_path / "packed.onnx"
    want = fa.Pipeline.load(path)(SOUND, sample_rate=16_000)
    with fa.Pipeline.load(path, isolate=True) as apart:
        assert np.array_equal(apart(SOUND, sample_rate=16_000).scores, want.scores)


def changed(path: Path, **options: Any) -> None:
    """Change the network's options in a card."""
    data = json.loads(path.read_text())
    for part in data["pipeline"]:
        if part["node"] == "OnnxModel":
            part.update(options)
    path.write_text(json.dumps(data))


def test_a_changed_missing_or_undeclared_file_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path)
    weights = path.parent / "net.onnx.data"
    kept = weights.read_bytes()
    weights.write_bytes(kept[:-1] + b"\0")
    with pytest.raises(fa.ModelError, match=r"expected sha256 .*, got .*changed"):
        fa.Pipeline.load(path)
    weights.unlink()
    with pytest.raises(fa.ModelError, match=r"expected the file 'net.onnx.data' beside the card, got none"):
        fa.Pipeline.load(path)
    weights.write_bytes(kept)
    fa.Pipeline.load(path)
    changed(path, external={})
    with pytest.raises(
        fa.ModelError, match=r"the hash of each file with weights, got none of 'net.onnx.data'"
    ):
        fa.Pipeline.load(path)
    digest = hashlib.sha256(kept).hexdigest()
    (path.parent / "more.data").write_bytes(kept)
    changed(path, external={"net.onnx.data": digest, "more.data": digest})
    with pytest.raises(fa.ModelError, match=r"only files that the network has weights in, got 'more.data'"):
        fa.Pipeline.load(path)
    for wrong in ([], {"net.onnx.data": "00"}, {"net.onnx.data": 1}):
        changed(path, external=wrong)
        with pytest.raises(
            fa.ModelError, match=r"expected 'external' as a dict of files, each with its sha256"
        ):
            fa.Pipeline.load(path)


def network_with(
    location: str, offset: str | None = "0", length: str | None = "12", *, attribute: bool = False
) -> bytes:
    """Return a network of one weight of three floats outside."""
    entries = [("location", location), ("offset", offset), ("length", length)]
    fields = b"".join(
        ob.field(13, ob.field(1, key) + ob.field(2, value)) for key, value in entries if value is not None
    )
    weight = ob.field(1, 3) + ob.field(2, 1) + ob.field(8, "w") + fields + ob.field(14, 1)
    rows = [ob.info("x", ("n", 3))], [ob.info("y", ("n", 3))]
    add = ob.node("Add", ["x", "w"], ["y"])
    if attribute:
        constant = ob.node("Constant", [], ["w"], ob.attribute("value", 5, weight, ob.TENSOR))
        return ob.model(ob.graph([constant, add], *rows))
    return ob.model(ob.graph([add], *rows, [weight]))


@pytest.mark.parametrize(
    "location",
    ["../w.data", "/etc/passwd", "a/../../w.data", "C:\\w.data", "..\\w.data", "", ".", "a//b", "./w.data"],
)
def test_a_name_that_leads_out_of_the_folder_is_refused_before_it_is_read(
    tmp_path: Path, location: str
) -> None:
    (tmp_path / "w.data").write_bytes(bytes(100))
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "net.onnx").write_bytes(network_with(location))
    with pytest.raises(fa.ModelError, match=r"expected (weights |a file's name)"):
        fa.OnnxModel(folder / "net.onnx")


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.data").write_bytes(bytes(100))
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "w.data").symlink_to(tmp_path / "w.data")
    (folder / "net.onnx").write_bytes(network_with("w.data"))
    with pytest.raises(fa.ModelError, match=r"a link out of it; copy the file there"):
        fa.OnnxModel(folder / "net.onnx")


@pytest.mark.parametrize(
    ("offset", "length", "message"),
    [
        ("0", "12", ""),
        (None, None, ""),
        ("4", "12", r"expected 16 bytes in 'w.data', got 12"),
        ("4", None, r"."),
        ("4000000000", "12", r"expected 4000000012 bytes"),
        ("-4", "12", r"an offset or a length of weights that is no number"),
        ("x", "12", r"that is no number"),
        ("0", "99999999999999999999999", r"that is no number"),
        ("0", "4", r"."),
    ],
)
def test_offsets_and_lengths_outside_the_file_are_refused(
    tmp_path: Path, offset: str | None, length: str | None, message: str
) -> None:
    (tmp_path / "w.data").write_bytes(np.float32([1, 2, 3]).tobytes())
    (tmp_path / "net.onnx").write_bytes(network_with("w.data", offset, length))
    if not message:
        assert np.array_equal(fa.OnnxModel(tmp_path / "net.onnx")(ROWS), ROWS + np.float32([1, 2, 3]))
        return
    with pytest.raises(fa.ModelError, match=message):
        fa.OnnxModel(tmp_path / "net.onnx")


def test_weights_outside_for_an_attribute_are_refused(tmp_path: Path) -> None:
    (tmp_path / "w.data").write_bytes(bytes(100))
    (tmp_path / "net.onnx").write_bytes(network_with("w.data", attribute=True))
    with pytest.raises(
        fa.ModelError, match=r"the graph's own initializers only, got some of a subgraph or an"
    ):
        fa.OnnxModel(tmp_path / "net.onnx")


def test_a_missing_file_of_ones_own_is_told_with_its_name(tmp_path: Path) -> None:
    path = outside(tmp_path)
    (tmp_path / "net.onnx.data").unlink()
    with pytest.raises(
        fa.ModelError, match=r"expected its weights in 'net.onnx.data' beside it, got no such file"
    ):
        fa.OnnxModel(path)


def test_two_networks_with_one_name_for_other_weights_are_not_mixed(tmp_path: Path) -> None:
    one, two = outside(tmp_path / "a"), outside(tmp_path / "b", scale=2)
    pipeline = fa.Pipeline(MEL >> fa.Concat(fa.OnnxModel(one), fa.OnnxModel(two)))
    with pytest.raises(fa.ModelError, match=r"net.onnx.data: expected no file there, or the same weights"):
        pipeline.save(tmp_path / "both" / "card.json")
    assert not (tmp_path / "both" / "card.json").exists()
    renamed = outside(tmp_path / "b", name="other.onnx", scale=2)  # as the message says
    pipeline = fa.Pipeline(MEL >> fa.Concat(fa.OnnxModel(one), fa.OnnxModel(renamed)))
    pipeline.save(tmp_path / "both" / "card.json")
    fa.Pipeline.load(tmp_path / "both")


def test_weights_are_written_under_harmless_names_only(tmp_path: Path) -> None:
    net = fa.OnnxModel(outside(tmp_path / "made", external="sitecustomize.py"))
    with pytest.raises(fa.ModelError, match=r"got 'sitecustomize.py'; give it one that ends in .data or "):
        fa.Pipeline(MEL >> net).save(tmp_path / "card" / "card.json")
    assert not (tmp_path / "card").exists()
