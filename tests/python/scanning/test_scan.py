"""Nothing of a scan is lost or there twice, whatever ends it, and its rows are what the pipeline gives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio._system.writing import OutputError
from fastaudio.scanning import scan as scanning
from fastaudio.scanning import work
from fastaudio.scanning.entries import Entry
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.rows import top_labels
from fastaudio.scanning.scan import scan
from fastaudio.scanning.shards import ScanError

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow isn't installed")

MODEL = "silero-vad"
RATE_HZ = 16_000


def sounds(folder: Path, n_files: int, longest_s: float = 2.0) -> Path:
    """Write files of different lengths, one of them in a folder of its own, and one that is no sound."""
    (folder / "deep").mkdir(parents=True)
    rng = np.random.default_rng(3)
    for i in range(n_files):
        samples = rng.normal(0, 0.1, int(RATE_HZ * longest_s * (i + 1) / n_files)).astype(np.float32)
        soundfile.write(folder / ("deep" if i == 1 else "") / f"{i:03}.wav", samples, RATE_HZ)
    (folder / "bad.wav").write_bytes(b"RIFF, but nothing else")
    return folder


def rows_of(output: Path) -> list[dict[str, Any]]:
    rows = parquet.read_table(output).to_pylist()
    return sorted(rows, key=lambda row: (row["path"], row["start_s"] or 0.0))


def shown(output: Path) -> list[dict[str, Any]]:
    return [
        {key: row[key] for key in ("path", "start_s", "end_s", "scores", "error")} for row in rows_of(output)
    ]


def test_a_row_per_file_is_its_mean_and_a_bad_file_is_a_row_with_its_error(tmp_path: Path) -> None:
    folder = sounds(tmp_path / "in", 5)
    done = scan([folder], tmp_path / "out", chosen=Chosen(MODEL))
    assert (done.n_files, done.n_done, done.n_failed, done.complete) == (6, 6, 1, True)
    pipeline = fa.Pipeline.load(MODEL)
    rows = rows_of(tmp_path / "out")
    assert [row["path"] for row in rows if row["error"]] == [str(folder / "bad.wav")]
    for row in rows:
        assert row["size"] == Path(row["path"]).stat().st_size
        assert row["version"] == str(Path(row["path"]).stat().st_mtime_ns)
        if not row["error"]:
            tags = pipeline(row["path"])
            np.testing.assert_array_equal(np.float32(row["scores"]), tags.mean())
            assert row["duration_s"] == row["end_s"] == tags.duration_s
            assert not row["truncated"]


@pytest.mark.parametrize("long_bytes", [1, work.LONG_BYTES])
def test_a_row_per_window_is_the_window_of_long_files_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long_bytes: int
) -> None:
    monkeypatch.setattr(work, "LONG_BYTES", long_bytes)
    folder = sounds(tmp_path / "in", 3)
    scan([folder], tmp_path / "out", chosen=Chosen(MODEL, windows=True), jobs=2)
    pipeline = fa.Pipeline.load(MODEL)
    rows = [row for row in rows_of(tmp_path / "out") if not row["error"]]
    for path in {row["path"] for row in rows}:
        tags = pipeline(path)
        mine = [row for row in rows if row["path"] == path]
        np.testing.assert_array_equal(np.float32([row["scores"] for row in mine]), tags.scores)
        np.testing.assert_array_equal([(row["start_s"], row["end_s"]) for row in mine], tags.times)
        assert [row["silent"] for row in mine] == tags.silent.tolist()
        assert {row["duration_s"] for row in mine} == {tags.duration_s}


def test_top_labels_are_each_rows_own_beside_rows_without_any() -> None:
    pa = pytest.importorskip("pyarrow")
    scores = np.float32([[0.1, 0.9], [0, 0], [0, 0], [0.8, 0.2]])
    got = top_labels(pa, scores, np.array([False, True, True, False]), ["a", "b"])
    assert got.to_pylist() == [["b", "a"], None, None, ["a", "b"]]


@pytest.mark.parametrize("model", ["instruments", "musicnn-mtt"])
def test_a_file_on_all_cores_gives_the_same_bits_while_others_run_beside_it(
    tmp_path: Path, model: str
) -> None:
    folder = sounds(tmp_path / "in", 4, longest_s=4.0)
    samples = np.random.default_rng(5).normal(0, 0.1, RATE_HZ * 30).astype(np.float32)
    soundfile.write(folder / "long.wav", samples, RATE_HZ)
    for n_jobs in (1, 2, 3):
        scan([folder], tmp_path / str(n_jobs), chosen=Chosen(model, windows=True), jobs=n_jobs)
    assert shown(tmp_path / "1") == shown(tmp_path / "2") == shown(tmp_path / "3")


def test_a_layer_gives_embeddings_also_as_half(tmp_path: Path) -> None:
    folder = sounds(tmp_path / "in", 2)
    chosen = Chosen("aisfx", half=True)
    scan([folder], tmp_path / "out", chosen=chosen)
    table = parquet.read_table(tmp_path / "out")
    assert str(table.schema.field("embedding").type).startswith("fixed_size_list<element: halffloat>[")
    rows = [row for row in rows_of(tmp_path / "out") if not row["error"]]
    whole = np.asarray(chosen.load()(rows[0]["path"])).ravel()
    np.testing.assert_array_equal(np.float16(rows[0]["embedding"]), whole.astype(np.float16))


def test_the_same_call_does_only_what_is_left_or_was_changed(tmp_path: Path) -> None:
    folder = sounds(tmp_path / "in", 4)
    first = scan([folder], tmp_path / "out", chosen=Chosen(MODEL))
    again = scan([folder], tmp_path / "out", chosen=Chosen(MODEL))
    assert (first.n_done, again.n_done, again.n_before) == (5, 0, 5)
    soundfile.write(folder / "000.wav", np.zeros(RATE_HZ), RATE_HZ)
    soundfile.write(folder / "new.wav", np.zeros(RATE_HZ), RATE_HZ)
    assert scan([folder], tmp_path / "out", chosen=Chosen(MODEL)).n_done == 2
    soundfile.write(folder / "bad.wav", np.zeros(RATE_HZ), RATE_HZ)
    os.utime(folder / "000.wav", ns=(1, 1))
    assert scan([folder], tmp_path / "out", chosen=Chosen(MODEL)).n_done == 2
    scan([folder], tmp_path / "fresh", chosen=Chosen(MODEL))
    assert shown(tmp_path / "out") == shown(tmp_path / "fresh")


def test_files_that_failed_are_run_again_when_that_is_asked_for(tmp_path: Path) -> None:
    folder = sounds(tmp_path / "in", 1)
    scan([folder], tmp_path / "out", chosen=Chosen(MODEL))
    again = scan([folder], tmp_path / "out", chosen=Chosen(MODEL), retry_errors=True)
    assert (again.n_done, again.n_failed) == (1, 1)
    assert len(rows_of(tmp_path / "out")) == 2


def test_another_scan_into_the_same_folder_is_refused(tmp_path: Path) -> None:
    folder = sounds(tmp_path / "in", 1)
    scan([folder], tmp_path / "out", chosen=Chosen(MODEL))
    for other in (Chosen(MODEL, windows=True), Chosen("aisfx"), Chosen(MODEL, half=True)):
        with pytest.raises(ScanError, match="expected an earlier run of this scan"):
            scan([folder], tmp_path / "out", chosen=other)


def test_time_that_is_up_keeps_what_is_done(tmp_path: Path) -> None:
    folder = sounds(tmp_path / "in", 3)
    done = scan([folder], tmp_path / "out", chosen=Chosen(MODEL), budget_s=1e-6)
    assert not done.complete
    while not scan([folder], tmp_path / "out", chosen=Chosen(MODEL), budget_s=5.0).complete:
        pass
    assert len(rows_of(tmp_path / "out")) == 4


def test_a_cancelled_scan_keeps_what_is_done(tmp_path: Path) -> None:
    folder = sounds(tmp_path / "in", 6)
    cancel = fa.Cancel()

    def report(scanned: scanning.Scanned) -> None:
        if scanned.n_done == 3:
            cancel.cancel()

    with pytest.raises(fa.Cancelled):
        scan([folder], tmp_path / "out", chosen=Chosen(MODEL), report=report, cancel=cancel, jobs=1)
    kept = len(rows_of(tmp_path / "out"))
    assert 3 <= kept < 7
    again = scan([folder], tmp_path / "out", chosen=Chosen(MODEL))
    assert (again.n_before, again.n_done) == (kept, 7 - kept)


PROGRAM = """
import sys, time
from pathlib import Path
from fastaudio.scanning import scan
from fastaudio.scanning.networks import Chosen
output = Path(sys.argv[2])
def report(_):
    if len(list(output.glob("*.parquet"))) >= int(sys.argv[3]):
        time.sleep(600)
scan.TABLE_S = 0.0  # a table for each file
scan.scan([sys.argv[1]], output, chosen=Chosen("silero-vad", windows=True), report=report)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
def test_scans_that_are_killed_add_up_to_one_that_is_not(tmp_path: Path) -> None:
    folder = sounds(tmp_path / "in", 12)
    rng, n_killed = np.random.default_rng(5), 0
    for _ in range(8):
        n_tables, wanted = len(list(tmp_path.glob("out/*.parquet"))), int(rng.integers(0, 4))
        most = n_tables + wanted + 1  # where it waits, however late the signal comes
        command = [sys.executable, "-c", PROGRAM, str(folder), str(tmp_path / "out"), str(most)]
        run = subprocess.Popen(command)
        until_s = time.monotonic() + 60
        while run.poll() is None and time.monotonic() < until_s:
            if len(list(tmp_path.glob("out/*.parquet"))) >= n_tables + wanted and (tmp_path / "out").exists():
                run.send_signal(signal.SIGKILL)
                break
            time.sleep(0.001)
        if run.wait() == 0:
            break
        n_killed += 1
    scan([folder], tmp_path / "out", chosen=Chosen(MODEL, windows=True))
    assert n_killed > 1
    scan([folder], tmp_path / "fresh", chosen=Chosen(MODEL, windows=True))
    assert shown(tmp_path / "out") == shown(tmp_path / "fresh")
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".fastaudio-")]


def test_where_the_path_looks_like_a_url_a_scan_goes_on_and_a_url_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sounds(tmp_path / "in", 3)
    monkeypatch.chdir(tmp_path)
    for name in ("s3:q", os.fsdecode(b"o\xff")):
        scan([folder], name, chosen=Chosen(MODEL))
        os.utime(folder / "000.wav", ns=(1, 1))
        assert scan([folder], name, chosen=Chosen(MODEL)).n_done == 1
        (folder / "000.wav").touch()
    with pytest.raises(OutputError, match="expected a folder of this machine, got a URL"):
        scan([folder], "s3://bucket/out", chosen=Chosen(MODEL))


def test_failures_of_earlier_runs_and_lists_that_changed_are_told(tmp_path: Path) -> None:
    folder = sounds(tmp_path / "in", 2)
    table = folder / "list.csv"
    table.write_text("path,site\n000.wav,hill\nbad.wav,hill\n", encoding="utf-8")
    scan([table], tmp_path / "out", chosen=Chosen(MODEL))
    again = scan([table], tmp_path / "out", chosen=Chosen(MODEL))
    assert (again.n_before, again.n_failed_before, again.said) == (2, 1, ())
    os.utime(table, (2e9, 2e9))
    (said,) = scan([table], tmp_path / "out", chosen=Chosen(MODEL)).said
    assert "keep the other columns that it had" in said
    assert scan([table], tmp_path / "out", chosen=Chosen(MODEL), retry_errors=True).n_failed_before == 0


@pytest.mark.parametrize("cell", ["x" * 100_000])
def test_long_texts_of_a_list_count_as_memory(tmp_path: Path, cell: str) -> None:
    rows = work.LongRows(Entry("a.wav", columns={"note": cell}), tmp_path, 2, 1e9)
    for _ in range(3):
        rows.add(np.zeros((200, 2)), np.zeros((200, 2), np.float32), np.zeros(200, np.bool_))
    assert rows.is_long
    rows.close()


def test_files_that_are_gone_keep_their_rows(tmp_path: Path) -> None:
    folder = sounds(tmp_path / "in", 3)
    table = tmp_path / "list.csv"
    names = [str(path) for path in sorted(folder.rglob("*.wav"))]
    table.write_text("path\n" + "\n".join(names) + "\n", encoding="utf-8")
    first = scan([table], tmp_path / "out", chosen=Chosen(MODEL))
    before = rows_of(tmp_path / "out")
    folder.rename(tmp_path / "away")  # as a disk that isn't there
    again = scan([table], tmp_path / "out", chosen=Chosen(MODEL))
    assert (first.n_done, again.n_done, again.n_before) == (4, 0, 4)
    assert rows_of(tmp_path / "out") == before


def test_a_table_that_was_there_when_its_run_was_interrupted_is_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sounds(tmp_path / "in", 3)
    write = scanning.Shards.write

    def interrupted(*arguments: Any) -> None:
        write(*arguments)
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(scanning.Shards, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scan([folder], tmp_path / "out", chosen=Chosen(MODEL))
    assert len(rows_of(tmp_path / "out")) == 4
    assert scan([folder], tmp_path / "out", chosen=Chosen(MODEL)).n_done == 0


def test_a_file_whose_rows_memory_does_not_hold_is_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sounds(tmp_path / "in", 3)
    run = work.Work.__call__

    def short(self: work.Work, entry: Entry) -> Any:
        if entry.path.endswith("002.wav"):
            raise MemoryError
        return run(self, entry)

    monkeypatch.setattr(work.Work, "__call__", short)
    done = scan([folder], tmp_path / "out", chosen=Chosen(MODEL))
    assert (done.n_done, done.n_failed) == (4, 2)
    errors = [row["error"] for row in rows_of(tmp_path / "out") if row["path"].endswith("002.wav")]
    assert errors == [
        "expected room in memory for its rows, got too little; scan it with --windows, or alone"
    ]


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="its file names are text")
def test_a_name_that_is_not_utf_8_is_done_once(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(str(tmp_path)) + b"/caf\xe9.wav")
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE_HZ), RATE_HZ)
    (tmp_path / "a.wav").rename(name)
    assert [scan([name], tmp_path / "out", chosen=Chosen(MODEL)).n_done for _ in range(3)] == [1, 0, 0]
    os.utime(name, ns=(1, 1))
    assert scan([name], tmp_path / "out", chosen=Chosen(MODEL)).n_done == 1
    (row,) = rows_of(tmp_path / "out")
    (tmp_path / "list.csv").write_text(f"path\n{row['path']}\n", encoding="utf-8")
    again = scan([tmp_path / "list.csv"], tmp_path / "again", chosen=Chosen(MODEL))
    assert (again.n_done, again.n_failed) == (1, 0)
    assert rows_of(tmp_path / "again")[0]["path"] == row["path"]


def test_half_a_character_in_a_list_of_files_is_spelled(tmp_path: Path) -> None:
    sounds(tmp_path / "in", 1)
    (tmp_path / "list.jsonl").write_text('{"path": "in/000.wav", "note": "\\ud83d"}\n', encoding="utf-8")
    assert scan([tmp_path / "list.jsonl"], tmp_path / "out", chosen=Chosen(MODEL)).n_failed == 0
    assert rows_of(tmp_path / "out")[0]["note"] == "\\ud83d"


def test_numbers_that_half_precision_does_not_hold_are_an_error(tmp_path: Path) -> None:
    values, silent = np.full((1, 2), 70_000, np.float32), np.zeros(1, np.bool_)
    rows = work.LongRows(Entry("a.wav"), tmp_path, 2, float(np.finfo(np.float16).max))
    with pytest.raises(fa.ModelError, match="scan without --half"):
        rows.add(np.zeros((1, 2)), values, silent)
    work.LongRows(Entry("a.wav"), tmp_path, 2, float(np.finfo(np.float32).max)).add(
        np.zeros((1, 2)), values, silent
    )
