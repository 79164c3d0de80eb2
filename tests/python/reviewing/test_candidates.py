"""The stretches to label next are the least sure, or the most alike, among those without a label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from fastaudio.reviewing.candidates import by_example, by_label, by_uncertainty
from fastaudio.reviewing.doubt import doubts, is_multi
from fastaudio.reviewing.labels import Label
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.scan import scan
from fastaudio.searching.search import nearest
from fastaudio.searching.store import SearchError, opened

if TYPE_CHECKING:
    from pathlib import Path

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow isn't installed")

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a scan of scores and one of embeddings, of some noises of which one is silent."""
    home = tmp_path_factory.mktemp("candidates")
    (home / "in").mkdir()
    rng = np.random.default_rng(1)
    for i in range(4):
        samples = rng.normal(0, 0.05 * i, 2 * RATE_HZ) * np.hanning(2 * RATE_HZ)
        soundfile.write(home / "in" / f"{i}.wav", samples, RATE_HZ)
    scan([home / "in"], home / "scores", chosen=Chosen("silero-vad", windows=True))
    scan([home / "in"], home / "rows", chosen=Chosen("aisfx", windows=True))
    return home


def rows_of(output: Path) -> list[dict[str, Any]]:
    return [row for row in parquet.read_table(output).to_pylist() if row["start_s"] is not None]


def test_the_least_sure_come_first_without_silent_and_labelled_ones(folder: Path) -> None:
    want = sorted(
        (
            (-(1 - abs(row["scores"][0] - 0.5) / 0.5), row["path"], row["start_s"])
            for row in rows_of(folder / "scores")
            if not row["silent"]
        ),
    )
    got = by_uncertainty(folder / "scores", top=10)
    np.testing.assert_allclose([one.score for one in got], [-score for score, *_ in want[:10]], atol=1e-6)
    assert all(one.guess == "speech" for one in got)
    first = got[0]
    label = Label(first.path, first.start_s, first.end_s, "owl")
    again = by_uncertainty(folder / "scores", [label], 10)
    assert first not in again
    free = [
        one
        for one in got
        if one.path != first.path or not first.start_s <= (one.start_s + one.end_s) / 2 <= first.end_s
    ]
    assert again[: len(free)] == free
    by_file = by_uncertainty(folder / "scores", top=10, per_file=True)
    assert len({one.path for one in by_file}) == len(by_file) == 3


def test_the_most_alike_come_first_without_labelled_ones(folder: Path) -> None:
    store = opened(folder / "rows")
    vector = np.asarray(store.vectors[0], np.float32)
    hits = nearest(store, vector, len(store))
    labels = [Label(hit.path, hit.start_s, hit.end_s, "owl") for hit in hits[:3]]
    got = by_example(store, vector, labels, 2)
    middles = [(label.path, label.start_s, label.end_s) for label in labels]
    free = [
        hit
        for hit in hits
        if not any(hit.path == p and s <= (hit.start_s + hit.end_s) / 2 <= e for p, s, e in middles)
    ]
    assert [(one.path, one.start_s, one.score) for one in got] == [
        (hit.path, hit.start_s, hit.score) for hit in free[:2]
    ]
    assert len(by_example(store, vector, labels, 10_000)) == len(free)
    whole = [Label(hit.path, 0, 1e6, "owl") for hit in hits]
    assert by_example(store, vector, whole, 5) == []


def test_a_file_is_offered_again_until_all_of_it_has_labels(folder: Path) -> None:
    store = opened(folder / "rows")
    vector = np.asarray(store.vectors[0], np.float32)
    labels: list[Label] = []
    finds: list[Any] = [
        (lambda: by_example(store, vector, labels, 20, per_file=True), 4),
        (lambda: by_label(folder / "scores", "speech", labels, 20, per_file=True), 20),
    ]
    for find, least in finds:
        labels.clear()
        seen = 0
        while found := find():
            assert len({one.path for one in found}) == len(found)
            labels += [Label(one.path, one.start_s, one.end_s, "owl") for one in found]
            seen += len(found)
        assert seen >= least


def test_scores_are_asked_for_where_there_are_embeddings(folder: Path) -> None:
    with pytest.raises(SearchError, match="run fastaudio scan --from"):
        by_uncertainty(folder / "rows")


def test_doubt_is_one_at_the_threshold_and_none_where_a_model_is_sure() -> None:
    sure = np.float32([[0, 1], [1, 0]])
    assert doubts(sure, multi=False).tolist() == doubts(sure, multi=True).tolist() == [0, 0]
    assert doubts(np.float32([[0.5, 0.5]]), multi=False).tolist() == [1]
    assert doubts(
        np.float32([[0.2, 1]]), multi=True, thresholds=np.array([0.2, 0.9])
    ).tolist() == pytest.approx([1])
    assert doubts(np.float32([[0.6, 0.4, 0.0]]), multi=False).tolist() == pytest.approx([0.8])
    assert doubts(np.zeros((0, 3), np.float32), multi=False).tolist() == []
    assert not is_multi({}, np.float32([[0.25, 0.75]]))
    assert is_multi({}, np.float32([[0.25, 0.8]]))
    assert is_multi({"head": {"several_labels_a_file": True}}, np.float32([[0.25, 0.75]]))
