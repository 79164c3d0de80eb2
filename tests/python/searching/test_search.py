"""A search finds the rows that looking at all of them finds, of the scan as it is now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from fastaudio import cli
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.scan import scan
from fastaudio.scanning.shards import ScanError
from fastaudio.searching.neighbours import Neighbours
from fastaudio.searching.query import vector_of
from fastaudio.searching.search import best_of_label, nearest
from fastaudio.searching.store import SearchError, about_scan, opened

if TYPE_CHECKING:
    from pathlib import Path

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow isn't installed")

RATE_HZ = 16_000
CHOSEN = Chosen("aisfx", windows=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with tones and noises of some seconds, and one file without sound."""
    home = tmp_path_factory.mktemp("search")
    (home / "in").mkdir()
    rng = np.random.default_rng(1)
    time_s = np.arange(3 * RATE_HZ) / RATE_HZ
    for i in range(4):
        tone = 0.3 * np.sin(2 * np.pi * 200 * 2**i * time_s)
        noise = rng.normal(0, 0.05 * (i + 1), len(time_s))
        soundfile.write(home / "in" / f"tone{i}.wav", tone, RATE_HZ)
        soundfile.write(home / "in" / f"noise{i}.wav", noise, RATE_HZ)
    soundfile.write(home / "in" / "none.wav", np.zeros(0), RATE_HZ)
    scan([home / "in"], home / "out", chosen=CHOSEN)
    return home


def rows_of(output: Path) -> list[dict[str, Any]]:
    return [row for row in parquet.read_table(output).to_pylist() if row["start_s"] is not None]


def cosines(output: Path, vector: Any) -> list[tuple[float, str, float]]:
    found = []
    for row in rows_of(output):
        own = np.float64(row["embedding"])
        found.append(
            (float(own @ vector / np.linalg.norm(own) / np.linalg.norm(vector)), row["path"], row["start_s"])
        )
    return sorted(found, reverse=True)


def test_the_nearest_rows_are_those_of_all(folder: Path) -> None:
    store = opened(folder / "out")
    assert len(store) == len(rows_of(folder / "out"))
    vector = vector_of(folder / "in" / "tone2.wav", about_scan(folder / "out"))
    want = cosines(folder / "out", np.float64(vector))
    got = nearest(store, vector, 5)
    np.testing.assert_allclose([hit.score for hit in got], [score for score, *_ in want[:5]], atol=1e-5)
    assert got[0].path == str(folder / "in" / "tone2.wav")
    by_file = nearest(store, vector, 100, per_file=True)
    assert len(by_file) == len({hit.path for hit in by_file}) == 8
    for hit in by_file:
        assert hit.score == pytest.approx(max(score for score, path, _ in want if path == hit.path), abs=1e-5)


def test_what_is_like_a_moment_is_that_moment_first(folder: Path) -> None:
    store = opened(folder / "out")
    path = str(folder / "in" / "noise1.wav")
    row = store.row_of(path, 1.5)
    start_s, end_s = store.times[row]
    assert start_s <= 1.5 <= end_s
    best = nearest(store, np.asarray(store.vectors[row]), 1)[0]
    assert best.score == pytest.approx(1.0, abs=1e-6)
    for wrong, at_s in ((path, 99.0), (path, -1.0), ("elsewhere.wav", 0.0)):
        with pytest.raises(SearchError, match="expected a"):
            store.row_of(wrong, at_s)


def test_an_index_finds_them_too(folder: Path) -> None:
    pytest.importorskip("usearch.index", reason="usearch isn't installed")
    store = opened(folder / "out")
    vector = vector_of(folder / "in" / "tone0.wav", about_scan(folder / "out"))
    for _ in range(2):  # the second is read from the disk
        got = Neighbours(store, folder / "out").nearest(vector, 3)
        want = nearest(store, vector, 3)
        assert [hit.path for hit in got] == [hit.path for hit in want]
        np.testing.assert_allclose([hit.score for hit in got], [hit.score for hit in want], atol=1e-6)


def test_tables_that_come_later_are_searched(folder: Path, tmp_path: Path) -> None:
    scan([folder / "in"], tmp_path / "out", chosen=CHOSEN)
    before = opened(tmp_path / "out")
    soundfile.write(tmp_path / "new.wav", np.random.default_rng(9).normal(0, 0.1, 3 * RATE_HZ), RATE_HZ)
    scan([tmp_path / "new.wav"], tmp_path / "out", chosen=CHOSEN)
    after = opened(tmp_path / "out")
    assert len(after) > len(before)
    assert str(tmp_path / "new.wav") in after.paths
    assert {path.name.partition(".")[0] for path in (tmp_path / "out" / ".search").iterdir()} == {after.name}


def test_a_labels_best_rows_are_those_of_all(folder: Path, tmp_path: Path) -> None:
    scan([folder / "in"], tmp_path / "out", chosen=Chosen("silero-vad", windows=True))
    column = about_scan(tmp_path / "out")["labels"].index("speech")
    want = sorted(
        (row["scores"][column] for row in rows_of(tmp_path / "out") if not row["silent"]), reverse=True
    )
    assert [hit.score for hit in best_of_label(tmp_path / "out", "speech", 7)] == want[:7]
    by_file = best_of_label(tmp_path / "out", "speech", 100, per_file=True)
    assert len({hit.path for hit in by_file}) == len(by_file) > 1
    with pytest.raises(SearchError, match="did you mean 'speech'"):
        best_of_label(tmp_path / "out", "speec")
    with pytest.raises(SearchError, match="scan again with --layer"):
        opened(tmp_path / "out")
    with pytest.raises(SearchError, match="scan again without --layer"):
        best_of_label(folder / "out", "speech")
    with pytest.raises(ScanError, match="got none of its tables"):
        about_scan(tmp_path)


def test_another_model_is_refused(folder: Path) -> None:
    with pytest.raises(SearchError, match="expected the model of the scan"):
        vector_of(folder / "in" / "tone0.wav", about_scan(folder / "out"), "musicnn-mtt")


def test_the_command_line_writes_a_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, query = str(folder / "out"), str(folder / "in" / "tone1.wav")
    assert cli.main(["search", out, query, "--top", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [hit["path"] for hit in found][:1] == [query]
    assert cli.main(["search", out, "--like", f"{query}@1.0", "--per-file", "--csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "path,start_s,end_s,score"
    assert len(lines) == 9
    assert cli.main(["search", out, query, "--top", "1"]) == 0
    assert capsys.readouterr().out.rstrip().endswith(query)
    for wrong in (["--like", "x"], ["--like", "x@y"], ["--label", "guitar"]):
        assert cli.main(["search", out, *wrong]) == 2
    assert cli.main(["search", out, str(folder / "no.wav")]) == 1
