"""A search finds the rows that looking at all of them finds, of the scan as it is now."""

from __future__ import annotations

import importlib.util
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from fastaudio import cli
from fastaudio.scanning.entries import Entry
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.rows import FileRows
from fastaudio.scanning.scan import scan
from fastaudio.scanning.schema import SCHEMA
from fastaudio.scanning.shards import ScanError, Shards
from fastaudio.searching import store as store_module
from fastaudio.searching.neighbours import Neighbours
from fastaudio.searching.query import vector_of
from fastaudio.searching.search import best_of_label, nearest, similarities
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


def written(output: Path, rows: Any, names: list[str], *, half: bool = True) -> None:
    """Write a table of embeddings, some for each file, as a scan does."""
    output.mkdir(exist_ok=True)
    about: dict[str, Any] = {"schema": SCHEMA, "model": "", "card": "{}", "card_sha256": "", "layer": "x"}
    about |= {"labels": [], "width": rows.shape[1], "hop_s": None, "windows": True, "half": half}
    about |= {"channel": None, "columns": []}
    parts = []
    for name, values in zip(names, np.array_split(rows, len(names)), strict=True):
        times = np.stack([np.arange(len(values)), np.arange(len(values)) + 1.0], axis=1)
        silent = np.zeros(len(values), np.bool_)
        parts.append(FileRows(Entry(name, 1, "1"), times, values.astype(np.float32), silent, len(values)))
    Shards(output, about).write([parts])


@pytest.mark.parametrize("half", [True, False])
def test_every_number_of_half_precision_counts_as_what_it_is(tmp_path: Path, *, half: bool) -> None:
    rng = np.random.default_rng(4)
    bits = rng.integers(0, 1 << 16, (5_000, 33)).astype(np.uint16).view(np.float16)  # subnormal ones too
    rows = np.where(np.isfinite(bits), bits, 0).astype(np.float32)
    rows[7] = 0
    rows[8:11] = np.float32([[-0.0], [6e-8], [-65504]])
    written(tmp_path / "out", rows, ["a.wav"], half=half)
    vector = rng.normal(size=33).astype(np.float32)
    got = similarities(opened(tmp_path / "out"), vector)
    lengths = np.maximum(np.linalg.norm(np.float64(rows), axis=1), 1e-300)
    want = np.float64(rows) @ vector / lengths / np.linalg.norm(np.float64(vector))
    np.testing.assert_allclose(got, want, atol=2e-6)
    assert got[7] == 0


def test_only_new_tables_are_gathered_and_the_index_is_extended(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(400, 16)).astype(np.float16)
    out = tmp_path / "out"
    written(out, rows[:200], ["a.wav", "b.wav"])
    told: list[tuple[int, int]] = []
    first = opened(out, lambda *done: told.append(done))
    assert told == [(1, 1)]
    has_index = importlib.util.find_spec("usearch") is not None
    if has_index:
        Neighbours(first, out)
    held = np.array(first.vectors)
    for start in (200, 210, 300):
        end = {200: 210, 210: 300, 300: 400}[start]
        written(out, rows[start:end], ["b.wav", f"{start}.wav"])
        store = opened(out, lambda *done: told.append(done))
        assert told[-1] == (1, 1)
        assert store.name == first.name
        np.testing.assert_array_equal(store.vectors, rows[:end])
        np.testing.assert_array_equal(first.vectors, held)  # who had it mapped has it still
        assert store.paths[store.path[-1]] == f"{start}.wav"
        if has_index:
            index = Neighbours(store, out)
            for row in (0, start - 1, end - 1):
                vector = np.asarray(rows[row], np.float32)
                best = index.nearest(vector, 1)[0]
                assert best.score == pytest.approx(1, abs=1e-3)
                want = nearest(store, vector, 1)[0]
                assert (best.path, best.start_s) == (want.path, want.start_s)
    oldest = min(path for path in out.iterdir() if path.suffix == ".parquet")
    oldest.unlink()  # as a scan does with files that changed
    after = opened(out)
    assert after.name != first.name
    np.testing.assert_array_equal(after.vectors, rows[200:])
    names = {path.name.partition(".")[0] for path in (out / ".search").iterdir() if path.suffix == ".bin"}
    assert names == {after.name}


def test_a_table_that_comes_between_others_or_meanwhile_is_gathered_without_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.random.default_rng(6).normal(size=(60, 8)).astype(np.float16)
    out = tmp_path / "out"
    for start in (0, 20):
        written(out, rows[start : start + 20], [f"{start}.wav"])
    middle = sorted(out.glob("part-*"))[1]
    middle.rename(tmp_path / middle.name)
    written(out, rows[40:], ["40.wav"])
    name = opened(out).name
    (tmp_path / middle.name).rename(middle)  # as of a worker that was slower than another
    told: list[tuple[int, int]] = []
    gather = store_module._gather

    def while_it_goes_on(*arguments: Any) -> None:
        gather(*arguments)
        written(out, rows[:1], ["meanwhile.wav"])

    monkeypatch.setattr(store_module, "_gather", while_it_goes_on)
    store = opened(out, lambda *done: told.append(done))
    assert (store.name, told, len(store)) == (name, [(1, 1)], 60)
    np.testing.assert_array_equal(store.vectors, rows[[*range(20), *range(40, 60), *range(20, 40)]])
    monkeypatch.undo()
    assert len(opened(out)) == 61


def test_an_index_finds_as_many_files_as_are_wanted(tmp_path: Path) -> None:
    pytest.importorskip("usearch.index", reason="usearch isn't installed")
    rng = np.random.default_rng(6)
    rows = rng.normal(size=(640, 8)) * 0.1
    rows[:600, 0] += 1  # of one long file, nearer than all others
    rows[600:, 1] += 1
    out = tmp_path / "out"
    written(out, rows[:600].astype(np.float16), ["long.wav"])
    written(out, rows[600:].astype(np.float16), [f"{i}.wav" for i in range(4)])
    store = opened(out)
    vector = np.eye(8, dtype=np.float32)[0]
    for top in (3, 20):
        got = Neighbours(store, out).nearest(vector, top, per_file=True)
        assert [hit.path for hit in got] == [hit.path for hit in nearest(store, vector, top, per_file=True)]
        assert len(got) == min(top, 5)


def test_rows_that_a_killed_search_has_left_are_overwritten(tmp_path: Path) -> None:
    rows = np.random.default_rng(6).normal(size=(100, 8)).astype(np.float16)
    written(tmp_path / "out", rows[:50], ["a.wav"])
    name = opened(tmp_path / "out").name
    for path in (tmp_path / "out" / ".search").glob("*.bin"):
        with path.open("ab") as file:
            file.write(b"half a row")
    written(tmp_path / "out", rows[50:], ["b.wav"])
    store = opened(tmp_path / "out")
    assert store.name == name
    np.testing.assert_array_equal(store.vectors, rows)
    state = tmp_path / "out" / ".search" / "store.json"
    data = json.loads(state.read_text(encoding="utf-8"))
    for wrong in (
        {},
        [],
        data | {"name": "../../elsewhere"},
        data | {"n_rows": 10**9},
        data | {"paths": [1]},
    ):
        state.write_text(json.dumps(wrong), encoding="utf-8")
        np.testing.assert_array_equal(opened(tmp_path / "out").vectors, rows)
    assert not list(tmp_path.glob("elsewhere*"))


def linked_scan(tmp_path: Path) -> tuple[Path, Path, Any]:
    """Return a scan, a folder with others' files, and the scan's rows."""
    rows = np.random.default_rng(8).normal(size=(50, 8)).astype(np.float16)
    written(tmp_path / "out", rows, ["a.wav"])
    (tmp_path / "project").mkdir()
    for name in ("package.json", "model.bin", "0123456789abcdef.usearch", f"{'a' * 16}.path.bin"):
        (tmp_path / "project" / name).write_text("mine", encoding="utf-8")
    return tmp_path / "out", tmp_path / "project", rows


def untouched(project: Path) -> bool:
    return [path.read_text(encoding="utf-8") for path in project.iterdir()] == ["mine"] * 4


def test_a_search_goes_into_no_folder_that_a_link_leads_to(tmp_path: Path) -> None:
    out, project, rows = linked_scan(tmp_path)
    (out / ".search").symlink_to(project)
    with pytest.raises(SearchError, match="got a link; remove it"):
        opened(out)
    assert untouched(project)
    (out / ".search").unlink()
    np.testing.assert_array_equal(opened(out).vectors, rows)
    if importlib.util.find_spec("usearch") is not None:
        (out / ".search" / "index").symlink_to(project)
        with pytest.raises(SearchError, match="got a link; remove it"):
            Neighbours(opened(out), out)
        assert untouched(project)


@pytest.mark.parametrize("n_rows", [0, 4])
@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_a_search_writes_into_no_file_that_a_link_leads_to(tmp_path: Path, n_rows: int, link: str) -> None:
    out, project, rows = linked_scan(tmp_path)
    (out / ".search").mkdir()
    name = "0" * 16
    for part in ("vectors", "lengths", "times", "path"):
        getattr(out / ".search" / f"{name}.{part}.bin", link)(project / "model.bin")
    (out / ".search" / ".lock").symlink_to(project / "new")
    state = {"schema": "fastaudio.search/1", "name": name, "n_rows": n_rows, "tables": [], "paths": []}
    (out / ".search" / "store.json").write_text(json.dumps(state), encoding="utf-8")
    with pytest.raises(OSError, match=r"\.lock: expected a file that can be written"):
        opened(out)
    (out / ".search" / ".lock").unlink()
    np.testing.assert_array_equal(opened(out).vectors, rows)
    assert untouched(project)


def test_only_files_of_a_search_s_own_are_removed(tmp_path: Path) -> None:
    out, _, _ = linked_scan(tmp_path)
    (out / ".search").mkdir()
    others = {"package.json", "model.bin", "index.usearch", f"{'0' * 16}.notes.bin", ".fastaudio-mine"}
    own = {f"{'0' * 16}.path.bin", f".fastaudio-{'0' * 16}"}
    for name in others | own:
        (out / ".search" / name).write_text("x", encoding="utf-8")
    opened(out)
    left = {path.name for path in (out / ".search").iterdir()}
    assert others <= left
    assert not own & left


def test_a_search_that_is_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    rows = np.random.default_rng(9).normal(size=(60, 8)).astype(np.float16)
    for start in (0, 20, 40):
        written(tmp_path / "out", rows[start : start + 20], [f"{start}.wav"])

    def end(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened(tmp_path / "out", end)
    told: list[tuple[int, int]] = []
    store = opened(tmp_path / "out", lambda *done: told.append(done))
    assert told == [(1, 1)]
    np.testing.assert_array_equal(store.vectors, rows)
    assert store.paths == ["0.wav", "20.wav", "40.wav"]


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    written(tmp_path / "out", np.ones((5, 4), np.float16), ["a.wav"])
    about = about_scan(tmp_path / "out")
    table = next((tmp_path / "out").glob("*.parquet"))
    content = table.read_bytes()
    for damaged in (content[:-50], content[:20] + b"\xff" * 30 + content[50:], b""):
        table.write_bytes(damaged)
        with pytest.raises(ScanError, match=f"{table.name}: expected a whole table"):
            opened(tmp_path / "out")
    assert about["width"] == 4


def test_searches_that_gather_at_once_all_find_what_is_there(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(2_000, 16)).astype(np.float16)
    out = tmp_path / "out"

    def search(number: int) -> bool:
        store = opened(out)
        vector = np.asarray(store.vectors[number], np.float32)
        return nearest(store, vector, 1)[0].score > 0.999 and len(store) % 500 == 0

    with ThreadPoolExecutor(4) as threads:
        for start in range(0, 2_000, 500):
            written(out, rows[start : start + 500], [f"{start}.wav"])
            if start == 1_000:
                min(path for path in out.iterdir() if path.suffix == ".parquet").unlink()
            assert all(threads.map(search, range(8)))


def test_a_labels_best_rows_are_those_of_all(folder: Path, tmp_path: Path) -> None:
    scan([folder / "in"], tmp_path / "out", chosen=Chosen("silero-vad", windows=True))
    column = about_scan(tmp_path / "out")["labels"].index("speech")
    want = sorted(
        (row["scores"][column] for row in rows_of(tmp_path / "out") if not row["silent"]), reverse=True
    )
    assert [hit.score for hit in best_of_label(tmp_path / "out", "speech", 7)] == want[:7]
    by_file = best_of_label(tmp_path / "out", "speech", 100, per_file=True)
    assert len({hit.path for hit in by_file}) == len(by_file) > 1
    for hit in by_file:
        own = [row["scores"][column] for row in rows_of(tmp_path / "out") if row["path"] == hit.path]
        assert hit.score == max(own)
    with pytest.raises(SearchError, match="did you mean 'speech'"):
        best_of_label(tmp_path / "out", "speec")
    with pytest.raises(SearchError, match="scan again with --layer"):
        opened(tmp_path / "out")
    with pytest.raises(SearchError, match="scan again without --layer"):
        best_of_label(folder / "out", "speech")
    with pytest.raises(ScanError, match="got none of its tables"):
        about_scan(tmp_path)


def test_a_file_is_looked_for_in_a_scan_of_whole_files(folder: Path, tmp_path: Path) -> None:
    scan([folder / "in"], tmp_path / "out", chosen=Chosen("aisfx"))
    query = folder / "in" / "tone3.wav"
    best = nearest(opened(tmp_path / "out"), vector_of(query, about_scan(tmp_path / "out")), 1)[0]
    assert best.path == str(query)
    assert best.score == pytest.approx(1, abs=1e-6)


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
