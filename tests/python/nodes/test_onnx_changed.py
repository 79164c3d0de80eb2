"""OnnxModel: what is saved, packed, exported, pickled or kept is what ran, whatever became of its files."""

from __future__ import annotations

import copy
import hashlib
import pickle
import re
import sys
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cards
from fastaudio.cards import packed_file
from fastaudio.heads.cache import EmbeddingCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest.importorskip("onnx")
from network_forms import node, save, tensor

MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, n_mels=3)
WEIGHTS = np.linspace(-1, 1, 3 * 70, dtype=np.float32).reshape(3, 70)
ROWS = np.random.default_rng(0).uniform(-1, 1, (4, 3)).astype(np.float32)
SOUND = np.random.default_rng(1).uniform(-1, 1, 16_000).astype(np.float32)
REFUSED = r"expected sha256 [0-9a-f]{64}.*, got [0-9a-f]{64}; the file is damaged or was changed: put back"


def network(folder: Path, *, scale: float = 1, apart: bool = False) -> Path:
    """Write a network whose weights lie in it, or in a file beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.onnx.data").unlink(missing_ok=True)  # which onnx would add to
    return save(
        folder / "net.onnx",
        [node("MatMul", ["x", "w"], ["y"])],
        [tensor("x", "float32", ("n", 3))],
        [tensor("y", "float32", ("n", 70))],
        external="net.onnx.data" if apart else "",
        w=WEIGHTS * np.float32(scale),
    )


def sha256_of(path: Path) -> str:
    """Return a file's hash."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def packed(pipeline: fa.Pipeline, folder: Path) -> Any:
    """Return what a packed file of a pipeline gives."""
    pipeline.save(folder / "packed.onnx")
    return fa.Pipeline.load(folder / "packed.onnx")


def carded(pipeline: fa.Pipeline, folder: Path) -> Any:
    """Return what a card of a pipeline gives."""
    pipeline.save(folder / "card" / "card.json")
    return fa.Pipeline.load(folder / "card")


def isolated(pipeline: fa.Pipeline, folder: Path) -> Any:
    """Return a pipeline in a process of its own."""
    del folder
    if sys.platform == "win32":
        pytest.skip("isolation needs Linux or macOS")
    return fa.isolated(pipeline)


def exported(pipeline: fa.Pipeline, folder: Path) -> Any:
    """Write a pipeline as one graph, and return it."""
    pipeline.export_onnx(folder / "everything.onnx")
    return pipeline


WAYS: dict[str, Callable[[fa.Pipeline, Path], Any]] = {
    "card": carded,
    "packed": packed,
    "pickle": lambda pipeline, _: pickle.loads(pickle.dumps(pipeline)),  # noqa: S301
    "copy": lambda pipeline, _: copy.deepcopy(pipeline),
    "isolated": isolated,
}


def pipeline_of(path: Path) -> fa.Pipeline:
    """Return a pipeline with the network."""
    return fa.Pipeline(MEL >> fa.OnnxModel(path) >> fa.Tags([f"t{k}" for k in range(70)]))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("apart", [False, True])
def test_what_was_not_changed_gives_the_same_numbers(tmp_path: Path, way: str, *, apart: bool) -> None:
    pipeline = pipeline_of(network(tmp_path / "made", apart=apart))
    want = pipeline(SOUND, sample_rate=16_000).scores
    assert np.array_equal(WAYS[way](pipeline, tmp_path)(SOUND, sample_rate=16_000).scores, want)


@pytest.mark.parametrize("way", [*WAYS, "exported"])
@pytest.mark.parametrize("apart", [False, True])
def test_a_network_that_was_changed_since_it_ran_is_refused(tmp_path: Path, way: str, *, apart: bool) -> None:
    if way == "exported" and apart:
        pytest.skip("a network with weights beside it isn't exported")
    pipeline = pipeline_of(network(tmp_path / "made", apart=apart))
    network(tmp_path / "made", scale=2, apart=apart)  # another one under the same name
    with pytest.raises(fa.ModelError, match=REFUSED) as caught:
        {**WAYS, "exported": exported}[way](pipeline, tmp_path)
    assert ("of 'net.onnx.data' beside it" in str(caught.value)) == apart
    assert not any(path.is_file() for path in tmp_path.rglob("*") if path.parent.name != "made")
    again = pipeline_of(tmp_path / "made" / "net.onnx")  # as the message says
    want = again(SOUND, sample_rate=16_000).scores
    assert np.array_equal(WAYS["card"](again, tmp_path)(SOUND, sample_rate=16_000).scores, want)


def test_a_node_holds_the_hashes_of_what_it_read(tmp_path: Path) -> None:
    path = network(tmp_path, apart=True)
    data = tmp_path / "net.onnx.data"
    net = fa.OnnxModel(path)
    assert net.sha256 == sha256_of(path)
    assert net.external == {data.name: sha256_of(data)}
    assert net.to_dict() == {
        "node": "OnnxModel",
        "path": str(path),
        "sha256": net.sha256,
        "external": net.external,
    }
    assert net == fa.OnnxModel(path, sha256=net.sha256, external=net.external)
    assert net["y"].sha256 == net.sha256
    assert eval(repr(net), {"OnnxModel": fa.OnnxModel}) == net  # noqa: S307
    with data.open("ab") as file:  # more than the network needs; the hash is the whole file's
        file.write(b"more")
    longer = fa.OnnxModel(path)
    assert longer.external == {data.name: sha256_of(data)}
    assert longer != net
    assert np.array_equal(longer(ROWS), net(ROWS))


def test_each_file_is_read_once_to_make_a_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    pieces = packed_file._pieces

    def counted(*of: Any) -> Any:
        for piece in pieces(*of):
            read.append(len(piece))
            yield piece

    path = network(tmp_path, apart=True)
    monkeypatch.setattr(packed_file, "_pieces", counted)
    fa.OnnxModel(path)
    assert sum(read) == path.stat().st_size + (tmp_path / "net.onnx.data").stat().st_size


def test_a_packed_network_is_held_by_its_own_hash(tmp_path: Path) -> None:
    one = network(tmp_path / "one")
    fa.Pipeline(MEL >> fa.OnnxModel(one)).save(tmp_path / "packed.onnx")
    net = fa.OnnxModel(tmp_path / "packed.onnx")
    assert net.sha256 == sha256_of(one)
    assert np.array_equal(pickle.loads(pickle.dumps(net))(ROWS), net(ROWS))  # noqa: S301
    other = network(tmp_path / "two", scale=2)
    fa.Pipeline(MEL >> fa.OnnxModel(other)).save(tmp_path / "packed.onnx")
    with pytest.raises(fa.ModelError, match=REFUSED):
        pickle.loads(pickle.dumps(net))  # noqa: S301


@pytest.mark.parametrize("apart", [False, True])
def test_rows_are_kept_under_the_network_that_gave_them(tmp_path: Path, *, apart: bool) -> None:
    def folder(pipeline: fa.Pipeline) -> str:
        place = EmbeddingCache(tmp_path / "cache", pipeline).place(__file__)
        assert place is not None
        return place.parent.name

    path = network(tmp_path / "made", apart=apart)
    pipeline = fa.Pipeline(MEL >> fa.OnnxModel(path))
    before = folder(pipeline)
    network(tmp_path / "made", scale=2, apart=apart)
    assert folder(pipeline) == before  # it still runs the old one
    changed = fa.Pipeline(MEL >> fa.OnnxModel(path))
    assert folder(changed) != before
    network(tmp_path / "made", apart=apart)
    assert folder(changed) != before
    assert folder(fa.Pipeline(MEL >> fa.OnnxModel(path))) == before


def test_a_changed_file_of_a_card_is_refused_with_its_name_and_a_remedy(tmp_path: Path) -> None:
    pipeline_of(network(tmp_path / "made", apart=True)).save(tmp_path / "card" / "card.json")
    weights = tmp_path / "card" / "net.onnx.data"
    kept = weights.read_bytes()
    weights.write_bytes(kept[:-1] + b"\0")
    with pytest.raises(fa.ModelError, match=rf"{re.escape('net.onnx.data')}.*put back the one of that hash"):
        fa.Pipeline.load(tmp_path / "card")
    weights.write_bytes(kept)
    cards.build(cards.read_card(tmp_path / "card"))
