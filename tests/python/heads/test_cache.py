"""Kept embeddings: what is found again, what is computed again, and what a damaged file does."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio import heads
from fastaudio.heads.cache import EmbeddingCache
from heads_helpers import RATE, embedder, tone, write_network, write_tones

if TYPE_CHECKING:
    from collections.abc import Callable

Labelled = tuple[list[str], list[str]]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> fa.Pipeline:
    return embedder(write_network(tmp_path_factory.mktemp("net") / "net.onnx"))


@pytest.fixture
def tones(tmp_path: Path) -> Labelled:
    """Return four files of each of two tones, and their labels."""
    write_tones(tmp_path / "in", ["low", "high"], 4)
    return heads.labelled_files(tmp_path / "in")


def entries(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.npz"))


@pytest.mark.parametrize("how", [{}, {"kind": "mlp"}, {"average": True}, {"l2": True}, {"penalty": 3}])
def test_a_head_on_kept_embeddings_is_the_same_to_the_bit(
    base: fa.Pipeline, tones: Labelled, tmp_path: Path, how: dict[str, Any]
) -> None:
    how |= {"folds": 2, "hidden": 5}
    want = heads.fit(base, *tones, **how)
    assert heads.fit(base, *tones, **how, cache=tmp_path / "kept").n_cached == 0
    got = heads.fit(base, *tones, **how, cache=tmp_path / "kept")
    assert (want.n_cached, got.n_cached) == (0, 8)
    for (a, b), (c, d) in zip(want.classifier.layers, got.classifier.layers, strict=True):
        assert np.array_equal(a, c)
        assert np.array_equal(b, d)
    assert np.array_equal(want.evaluation.scores, got.evaluation.scores)


def test_the_mean_of_kept_rows_is_the_mean_node_s(base: fa.Pipeline, tones: Labelled, tmp_path: Path) -> None:
    head = heads.fit(base, *tones, folds=2, average=True, cache=tmp_path)
    with np.load(entries(tmp_path)[0], allow_pickle=False) as kept:
        rows = kept["rows"]
    means = [(base >> fa.Mean())(file) for file in tones[0]]
    assert any(np.array_equal(fa.Mean()(rows), mean) for mean in means)
    assert len(head.pipeline(tones[0][0])) == 1


def change(path: str) -> None:
    """Replace a sound by another of the same size, and give it the old file's time."""
    before = Path(path).stat()
    soundfile.write(path, tone(700, 1.0, 5), RATE)
    assert Path(path).stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("changed", "n_cached"),
    [
        (lambda files: change(files[0]), 7),
        (lambda files: os.utime(files[0], ns=(1, 1)), 7),
        (lambda files: soundfile.write(files[0], tone(300, 1.5, 1), RATE), 7),
        (lambda _: None, 8),
    ],
)
def test_a_sound_that_was_changed_is_embedded_again(
    base: fa.Pipeline,
    tones: Labelled,
    tmp_path: Path,
    changed: Callable[[list[str]], None],
    n_cached: int,
) -> None:
    heads.fit(base, *tones, folds=2, cache=tmp_path / "kept")
    changed(tones[0])
    again = heads.fit(base, *tones, folds=2, cache=tmp_path / "kept")
    assert again.n_cached == n_cached
    fresh = heads.fit(base, *tones, folds=2)
    assert np.array_equal(again.evaluation.scores, fresh.evaluation.scores)


def other_weights(base: fa.Pipeline, tmp_path: Path) -> fa.Pipeline:
    card = tmp_path / "base" / "card.json"
    base.save(card)
    (tmp_path / "base" / "net.onnx").unlink()
    shutil.move(write_network(tmp_path / "other.onnx", opset=14), tmp_path / "base" / "net.onnx")
    return embedder(tmp_path / "base" / "net.onnx")


@pytest.mark.parametrize(
    ("other", "is_shared"),
    [
        (lambda base, _: base, True),
        (lambda base, _: fa.Pipeline(base.node, card={"name": "of another name"}), True),
        (lambda base, _: base.with_hop(0.125), False),
        (lambda base, _: fa.Pipeline(base.node, channel=1), False),
        (lambda base, _: fa.Pipeline(base.node, quality="best"), False),
        (lambda base, _: base >> fa.L2Normalize(), False),
        (other_weights, False),
    ],
)
def test_embeddings_of_another_pipeline_are_others(
    base: fa.Pipeline, tmp_path: Path, other: Callable[[fa.Pipeline, Path], fa.Pipeline], is_shared: bool
) -> None:
    sound = tmp_path / "a.wav"
    soundfile.write(sound, tone(300, 1.0, 1), RATE)
    ours, theirs = EmbeddingCache(tmp_path, base), EmbeddingCache(tmp_path, other(base, tmp_path))
    assert (ours.place(str(sound)) == theirs.place(str(sound))) is is_shared


def test_the_same_network_elsewhere_shares_embeddings(base: fa.Pipeline, tmp_path: Path) -> None:
    base.save(tmp_path / "elsewhere" / "card.json")
    moved = fa.Pipeline.load(tmp_path / "elsewhere", threads=2)
    places = {EmbeddingCache(tmp_path, one).place(__file__) for one in (base, moved)}
    assert len(places) == 1


def bomb(path: Path) -> None:
    """Put 16 MB of rows into a small file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("rows.npy", bytes(1 << 24))


def other_shape(path: Path, rows: Any) -> None:
    np.savez(path, rows=rows)


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES: list[Callable[[Path], object]] = [
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes()[:-30]),
    flipped,
    bomb,
    lambda path: other_shape(path, np.zeros((4, 11), np.float32)),
    lambda path: other_shape(path, np.zeros((4, 12))),
    lambda path: other_shape(path, np.zeros(12, np.float32)),
    lambda path: other_shape(path, np.zeros((0, 12), np.float32)),
    lambda path: other_shape(path, np.array([{"an": "object"}])),
    lambda path: np.savez(path, other=np.zeros((4, 12), np.float32)),
]


def test_a_damaged_file_is_told_of_and_computed_again(
    base: fa.Pipeline, tones: Labelled, tmp_path: Path
) -> None:
    want = heads.fit(base, *tones, folds=2, cache=tmp_path / "kept")
    for damage in DAMAGES:
        damage(entries(tmp_path / "kept")[3])
        with pytest.warns(UserWarning, match=r"expected kept embeddings, got: .*; they are computed again"):
            got = heads.fit(base, *tones, folds=2, cache=tmp_path / "kept")
        assert got.n_cached == 7  # what was damaged before is whole again
        assert np.array_equal(got.evaluation.scores, want.evaluation.scores)
    assert heads.fit(base, *tones, folds=2, cache=tmp_path / "kept").n_cached == 8


def test_what_can_not_be_kept_is_told_once_and_training_goes_on(
    base: fa.Pipeline, tones: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(UserWarning, match="going on without") as told:
        head = heads.fit(base, *tones, folds=2, jobs=1, cache=tmp_path / "kept")
    assert len(told) == 1
    assert head.failed == ()
    assert not [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]


def test_a_place_that_can_not_be_a_folder_is_refused_before_the_work(
    base: fa.Pipeline, tones: Labelled, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    told: list[object] = []
    with pytest.raises(OSError, match="expected the name of a folder, got a file's"):
        heads.fit(base, *tones, cache=tmp_path / "file", progress=lambda *what: told.append(what))
    assert not told


def test_files_that_are_cut_short_are_told_of_each_time(
    base: fa.Pipeline, tones: Labelled, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.wav"
    soundfile.write(cut, tone(300, 2.0, 1), RATE)
    cut.write_bytes(cut.read_bytes()[: RATE * 2])
    for n_cached in (0, 8):
        with pytest.warns(UserWarning, match=r"cut\.wav: the file is cut short"):
            head = heads.fit(base, [*tones[0], cut], [*tones[1], "low"], folds=2, cache=tmp_path / "kept")
        assert head.n_cached == n_cached
