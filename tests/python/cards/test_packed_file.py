"""Packed models: one file is enough, and any other file than the one that was packed is refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import onnxruntime
import pytest
from fastaudio import cards
from fastaudio.cards import pack as packing
from fastaudio.cards import packed_file as packed
from helpers import GUITAR, ONNX, WEIGHTS
from hypothesis import given, settings
from hypothesis import strategies as st
from packed_models import MEL, double, entry, network, sealed, small

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SEAL_BYTES = packed._SEAL_BYTES


@pytest.fixture(scope="module")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The small pipeline, packed."""
    path = tmp_path_factory.mktemp("small") / "small.onnx"
    small().save(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where to write spoilt files, one after the other."""
    return tmp_path_factory.mktemp("spoilt") / "model.onnx"


def refused(path: Path, content: bytes, message: str = "expected .*, got ") -> None:
    """Loading a file of this content gives a ModelError that names it."""
    path.write_bytes(content)
    with pytest.raises(fa.ModelError, match=message) as caught:
        fa.Pipeline.load(path)
    assert str(path) in str(caught.value)


def card_of(content: bytes) -> dict[str, Any]:
    """The card in a packed file."""
    found = packed.find(io.BytesIO(content), "")
    assert found is not None
    card = json.loads(found.card)
    assert isinstance(card, dict)
    return card


def test_one_file_is_enough_and_gives_the_same_scores(tmp_path: Path, tagger: fa.Pipeline) -> None:
    packing.pack(cards.read_card("musicnn-mtt"), tmp_path / "model.onnx")
    (tmp_path / "elsewhere").mkdir()
    path = (tmp_path / "model.onnx").rename(tmp_path / "elsewhere" / "my tagger.onnx")
    got = fa.Pipeline.load(path)
    assert got.card == tagger.card
    assert np.array_equal(got(GUITAR).scores, tagger(GUITAR).scores)
    assert path.read_bytes().startswith(WEIGHTS.read_bytes())


def test_onnx_runtime_runs_the_packed_file_and_shows_its_card(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    packing.pack(cards.read_card("musicnn-mtt"), path)
    plain, whole = (
        onnxruntime.InferenceSession(place, providers=["CPUExecutionProvider"]) for place in (WEIGHTS, path)
    )
    metadata = whole.get_modelmeta().custom_metadata_map
    assert set(metadata) == {"fastaudio.card", "fastaudio.licence", "fastaudio.packed"}
    assert metadata["fastaudio.card"].encode() == (WEIGHTS.parent / "card.json").read_bytes()
    rows = {plain.get_inputs()[0].name: np.random.default_rng(0).random((1, 187, 96), dtype=np.float32)}
    assert np.array_equal(plain.run(["taggram"], rows)[0], whole.run(["taggram"], rows)[0])


def test_the_onnx_package_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the onnx package isn't there")
    double().save(tmp_path / "model.onnx")
    onnx.checker.check_model(str(tmp_path / "model.onnx"), full_check=True)
    model = onnx.load(str(tmp_path / "model.onnx"))
    largest = max((ONNX / "nft.onnx", ONNX / "n1tf.onnx"), key=lambda path: path.stat().st_size)
    assert model.graph == onnx.load(str(largest)).graph


def test_several_networks_fit_in_each_once(tmp_path: Path) -> None:
    pipeline = double()
    pipeline.save(tmp_path / "model.onnx")
    found = packed.find(io.BytesIO((tmp_path / "model.onnx").read_bytes()), "")
    assert found is not None
    assert len(found.files) == 1
    again = fa.Pipeline.load(tmp_path / "model.onnx")
    assert np.array_equal(again(GUITAR).scores, pipeline(GUITAR).scores)


def test_it_is_pickled_and_saved_again_as_any_other(tmp_path: Path) -> None:
    want = double()(GUITAR).scores
    double().save(tmp_path / "model.onnx")
    pipeline = fa.Pipeline.load(tmp_path / "model.onnx")
    assert np.array_equal(pickle.loads(pickle.dumps(pipeline))(GUITAR).scores, want)  # noqa: S301
    pipeline.save(tmp_path / "beside.json")  # the packed file still holds its networks
    pipeline.save(tmp_path / "folder" / "x.json")
    pipeline.save(tmp_path / "again" / "x.onnx")
    fa.Pipeline.load(tmp_path / "folder" / "x.json").save(tmp_path / "once more.onnx")
    assert np.array_equal(fa.Pipeline.load(tmp_path / "beside.json")(GUITAR).scores, want)
    for name in ("model.onnx", "beside.json"):
        (tmp_path / name).unlink()
    for name in ("folder/x.json", "again/x.onnx", "once more.onnx"):
        assert np.array_equal(fa.Pipeline.load(tmp_path / name)(GUITAR).scores, want)


def test_another_process_loads_it_from_a_pickle(tmp_path: Path) -> None:
    double().save(tmp_path / "model.onnx")
    pipeline = fa.Pipeline.load(tmp_path / "model.onnx")
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer)(sys.argv[1]).scores.tobytes().hex())"
    out = subprocess.run(
        [sys.executable, "-c", code, str(GUITAR)],
        input=pickle.dumps(pipeline),
        capture_output=True,
        check=True,
        cwd=tmp_path.parent,
        timeout=120,
    )
    assert out.stdout.decode().strip() == pipeline(GUITAR).scores.tobytes().hex()


def test_save_replaces_a_packed_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    small().save(path)
    fa.Pipeline.load(path).save(path)
    double().save(path)
    assert np.array_equal(fa.Pipeline.load(path)(GUITAR).scores, double()(GUITAR).scores)
    shutil.copy(WEIGHTS, path)
    with pytest.raises(
        fa.ModelError, match="expected no file there, or a packed model to replace, got another"
    ):
        small().save(path)
    assert path.read_bytes() == WEIGHTS.read_bytes()


def test_a_pipeline_without_a_network_has_nothing_to_be_packed_in(tmp_path: Path) -> None:
    with pytest.raises(fa.ModelError, match=r"expected 1 to 64 networks, got 0; save it as \.json"):
        fa.Pipeline(MEL).save(tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_an_onnx_file_without_a_card_says_what_to_do() -> None:
    with pytest.raises(
        fa.ModelError,
        match=r"expected a packed model, got an ONNX file .*; fastaudio pack makes one from a card",
    ):
        fa.Pipeline.load(WEIGHTS)


def test_the_card_is_found_without_reading_the_network(small_file: bytes) -> None:
    places = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            places.append(self.tell())
            return super().read(size)

    found = packed.find(Watched(small_file), "")
    assert found is not None
    assert min(places) == found.length == (ONNX / "nft.onnx").stat().st_size


def test_any_changed_byte_is_refused(small_file: bytes, spoilt: Path) -> None:
    for i in range(len(small_file)):
        content = bytearray(small_file)
        content[i] ^= 1 << (i % 8)
        refused(spoilt, bytes(content))


@given(data=st.data(), mask=st.integers(1, 255))
@settings(max_examples=200)
def test_any_changed_byte_is_refused_whatever_it_becomes(
    data: st.DataObject, mask: int, small_file: bytes, spoilt: Path
) -> None:
    content = bytearray(small_file)
    content[data.draw(st.integers(0, len(content) - 1))] ^= mask
    refused(spoilt, bytes(content))


def test_a_file_cut_short_anywhere_is_refused(small_file: bytes, spoilt: Path) -> None:
    for end in range(len(small_file)):
        refused(spoilt, small_file[:end])


@given(before=st.binary(max_size=9), after=st.binary(max_size=9), at=st.integers(0, 2000))
def test_bytes_put_in_anywhere_are_refused(
    before: bytes, after: bytes, at: int, small_file: bytes, spoilt: Path
) -> None:
    for content in (before + small_file, small_file + after, small_file[:at] + after + small_file[at:]):
        if content != small_file:
            refused(spoilt, content)


@given(content=st.binary(max_size=400), length=st.integers(0, 300))
@settings(max_examples=200)
def test_random_bytes_are_refused_sealed_or_not(content: bytes, length: int, spoilt: Path) -> None:
    refused(spoilt, content)
    refused(spoilt, sealed(content, length=min(length, len(content))))


def test_a_network_exchanged_for_another_is_refused(small_file: bytes, spoilt: Path) -> None:
    card = packed.entry("fastaudio.card", json.dumps(card_of(small_file)).encode())
    other = (ONNX / "n1tf.onnx").read_bytes()
    message = r"expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}; the file is damaged or was changed"
    refused(spoilt, sealed(other, card), message)
    spoilt.write_bytes(sealed((ONNX / "nft.onnx").read_bytes(), card))
    assert np.array_equal(fa.Pipeline.load(spoilt)(GUITAR).scores, small()(GUITAR).scores)


HASH = "0" * 64
BAD_TAILS: dict[str, tuple[list[bytes], str]] = {
    "no card": ([], "expected a card of at most"),
    "an empty card": ([entry("fastaudio.card", b"")], "expected a card of at most"),
    "two cards": ([entry("fastaudio.card", b"{}")] * 2, "each once"),
    "no JSON": ([entry("fastaudio.card", b"{")], "expected a card in JSON"),
    "no text": ([entry("fastaudio.card", b"\xff")], "expected a card in JSON"),
    "no object": ([entry("fastaudio.card", b"[]")], "expected a card of schema"),
    "a deep card": ([entry("fastaudio.card", b"[" * 200_000)], "expected a card in JSON"),
    "a foreign key": ([entry("fastaudio.cart", b"{}")], "expected metadata of fastaudio only"),
    "a long key": ([entry("fastaudio.card" * 99, b"{}")], "expected metadata of fastaudio only"),
    "a key without hash": ([entry("fastaudio.file.x", b"")], "expected metadata of fastaudio only"),
    "a key of odd bytes": ([b"\x72\x06\x0a\x02\xff\xfe\x12\x00"], "expected metadata of fastaudio only"),
    "another field": ([b"\x7a\x00"], "expected metadata at byte"),
    "a group": ([b"\x73"], "expected metadata at byte"),
    "an empty entry": ([b"\x72\x00"], "expected metadata at byte"),
    "a key only": ([b"\x72\x10\x0a\x0efastaudio.card"], "expected metadata at byte"),
    "a third field": ([b"\x72\x14\x0a\x0efastaudio.card\x12\x00\x1a\x00"], "expected a key and a value"),
    "a huge length": ([b"\x72\xff\xff\xff\xff\x7f"], "expected metadata at byte"),
    "a length beyond 64 bits": ([b"\x72" + b"\xff" * 10 + b"\x7f"], "expected metadata at byte"),
    "a length without end": ([b"\x72" + b"\xff" * 500], "expected metadata at byte"),
    "a value beyond its entry": ([b"\x72\x12\x0a\x0efastaudio.card\x12\x7f"], "expected metadata at byte"),
    "too many files": ([entry(f"fastaudio.file.{i:064x}", b"") for i in range(99)], "expected at most 64"),
    "an endless nest": ([b"\x72\x7f" * 1000], "expected metadata at byte"),
}


@pytest.mark.parametrize(("tail", "message"), BAD_TAILS.values(), ids=BAD_TAILS)
def test_metadata_that_does_not_hold_is_refused(tail: list[bytes], message: str, spoilt: Path) -> None:
    refused(spoilt, sealed((ONNX / "nft.onnx").read_bytes(), *tail), message)


def test_a_card_that_is_too_large_is_refused(spoilt: Path) -> None:
    tail = entry("fastaudio.card", b" " * (packed.LARGEST_CARD + 1))
    refused(spoilt, sealed(b"", tail), "expected a card of at most 16000000 bytes, got 16000001")


@pytest.mark.parametrize("n_bytes", [(1 << 31) - SEAL_BYTES - 1, 1 << 40])
def test_a_sparse_file_is_refused_before_it_is_hashed(
    spoilt: Path, monkeypatch: pytest.MonkeyPatch, n_bytes: int
) -> None:
    with spoilt.open("wb") as file:
        try:
            file.truncate(n_bytes)
        except OSError:
            pytest.skip("no file of that size here")
        file.seek(0, os.SEEK_END)
        file.write(packed._seal(0, "0" * 64))
    monkeypatch.setattr(packed.hashlib, "sha256", None)
    for read in (cards.read_card, lambda path: packed.read_network(str(path), "")):
        with pytest.raises(
            fa.ModelError, match=r"expected metadata at byte 0|expected (?:a network of 0 bytes in|at most)"
        ):
            read(spoilt)
    spoilt.unlink()


def large(path: Path, n_bytes: int) -> str:
    """Make a file of zeros that takes no room on the disk; return its path."""
    with path.open("wb") as file:
        try:
            file.truncate(n_bytes)
        except OSError:
            pytest.skip("no file of that size here")
    return str(path)


def head_of_one_entry(n_bytes: int) -> bytes:
    """Return what makes one further network of all bytes of a file that follow."""
    n_key, n_head = len("fastaudio.file." + HASH), 93

    def length(value: int) -> bytes:
        return bytes([*(value >> shift & 0x7F | 0x80 for shift in (0, 7, 14, 21)), value >> 28])

    key = b"\x0a" + bytes([n_key]) + b"fastaudio.file." + HASH.encode()
    return b"\x72" + length(n_bytes - 6) + key + b"\x12" + length(n_bytes - n_head)


def test_a_network_of_another_hash_takes_no_memory(spoilt: Path) -> None:
    path = large(spoilt, 256 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(fa.ModelError, match="expected sha256 0000"):
            packed.read_network(path, HASH)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        spoilt.unlink()
    assert peak < 16 << 20


@pytest.mark.parametrize("how", ["network", "unchecked", "metadata", "card"])
def test_reading_a_large_network_ends_in_between(spoilt: Path, how: str) -> None:
    n_bytes = (1 << 31) - 4096
    path = large(spoilt, n_bytes)
    sha256 = "" if how == "unchecked" else HASH
    if how in ("metadata", "card"):
        with spoilt.open("r+b") as file:
            file.write(head_of_one_entry(n_bytes))
            file.seek(n_bytes)
            file.write(packed._seal(0, HASH))
    with fa._core.Interruptible(timeout_s=0.01), pytest.raises(fa.TimedOut):
        cards.read_card(path) if how == "card" else packed.read_network(path, sha256)
    spoilt.unlink()


def test_a_network_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, sha256 = tmp_path / "a.onnx", cards.hash_file(ONNX / "nft.onnx")
    shutil.copy(ONNX / "nft.onnx", path)
    kept = packed._kept

    def changed(pieces: Iterable[bytes], *how: Any) -> bytes:
        with path.open("r+b") as file:
            file.write(b"?")
        return kept(pieces, *how)

    monkeypatch.setattr(packed, "_kept", changed)
    with pytest.raises(fa.ModelError, match=f"expected sha256 {sha256}, got"):
        packed.read_network(str(path), sha256)


@pytest.mark.parametrize("n_bytes", [0, 1, packed._CHUNK - 1, packed._CHUNK, 3 * packed._CHUNK + 2])
def test_networks_of_any_length_come_back_whole(tmp_path: Path, n_bytes: int) -> None:
    contents = [np.random.default_rng(0).bytes(n_bytes), bytes(4 * packed._CHUNK)]
    packed.write(tmp_path / "a.onnx", b"{}", b"", contents, force=False)
    for content in contents:
        sha256 = hashlib.sha256(content).hexdigest()
        assert packed.read_network(str(tmp_path / "a.onnx"), sha256) == content
        (tmp_path / "alone.onnx").write_bytes(content)
        for checked in (sha256, ""):
            assert packed.read_network(str(tmp_path / "alone.onnx"), checked) == content


def test_a_length_beyond_the_file_is_refused(small_file: bytes, spoilt: Path) -> None:
    at = len(small_file) - 64 - 1 - 16
    content = small_file[:at] + b"f" * 16 + small_file[at + 16 :]
    refused(spoilt, content, "expected a network of .* the file is damaged")


@pytest.mark.parametrize("value", [b"%%%%", b"AAA", b"", b"\xff"])
def test_a_further_network_that_is_no_base64_or_another_is_refused(
    value: bytes, small_file: bytes, spoilt: Path
) -> None:
    card = card_of(small_file)
    card["pipeline"][2]["sha256"] = HASH
    tail = entry("fastaudio.card", json.dumps(card).encode()), entry(f"fastaudio.file.{HASH}", value)
    refused(spoilt, sealed((ONNX / "nft.onnx").read_bytes(), *tail))


@pytest.mark.parametrize("name", ["../secret.onnx", "/etc/passwd", "beside.onnx", "a\0b", "", "x" * 5000])
def test_a_packed_card_reaches_no_other_file(name: str, small_file: bytes, tmp_path: Path) -> None:
    card, path = card_of(small_file), tmp_path / "folder" / "model.onnx"
    path.parent.mkdir()
    for place in (tmp_path / "secret.onnx", path.parent / "beside.onnx"):
        shutil.copy(ONNX / "n1tf.onnx", place)
    card["pipeline"][2] |= {"path": name, "sha256": cards.hash_file(ONNX / "n1tf.onnx")}
    body = (ONNX / "nft.onnx").read_bytes()
    refused(path, sealed(body, entry("fastaudio.card", json.dumps(card).encode())), "expected sha256")


def test_a_packed_file_stands_for_its_network(tmp_path: Path) -> None:
    small().save(tmp_path / "model.onnx")
    whole = str(tmp_path / "model.onnx")
    rows = np.ones((2, 4, 3), dtype=np.float32)
    want = network("nft", layout="nft")(rows)
    assert np.array_equal(fa.OnnxModel(whole, layout="nft")(rows), want)
    sha256 = cards.hash_file(ONNX / "nft.onnx")
    assert np.array_equal(fa.OnnxModel(whole, layout="nft", sha256=sha256)(rows), want)
    with pytest.raises(fa.ModelError, match="expected sha256 0000"):
        fa.OnnxModel(whole, layout="nft", sha256=HASH)
