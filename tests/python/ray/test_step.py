"""Whatever Ray Data runs again, each file's rows are in the tables once, and each file comes out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fastaudio.ray import Scan, step
from fastaudio.scanning import shards
from fastaudio.scanning.entries import SourceError
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.scan import scan

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow isn't installed")
if os.name == "nt":
    pytest.skip("file locks, which tell runs apart, are POSIX's", allow_module_level=True)

MODEL = "silero-vad"
RATE_HZ = 16_000


@pytest.fixture(autouse=True)
def job(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name of the program that runs; a list, to change it."""
    name = ["job 1"]
    monkeypatch.setattr(step, "_run", lambda: name[0])
    monkeypatch.setattr(shards, "_OTHERS_S", 0.1)
    return name


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    found = []
    for name in "abc":
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(RATE_HZ), RATE_HZ)
        os.utime(tmp_path / f"{name}.wav", ns=(1, 1))
        found.append(str(tmp_path / f"{name}.wav"))
    return found


def worker(tmp_path: Path, **how: Any) -> Scan:
    return Scan(str(tmp_path / "out"), model=MODEL, **how)


def out(made: Scan, paths: list[str], **columns: list[str]) -> list[str]:
    return sorted(Path(path).stem for path in made({"path": paths, **columns})["path"].to_pylist())


def held(tmp_path: Path) -> list[str]:
    names = [
        name
        for path in shards.tables(tmp_path / "out")
        for name in parquet.read_table(path, columns=["path"])["path"].to_pylist()
    ]
    return sorted(Path(name).stem for name in names)


def test_a_batch_that_runs_again_comes_out_again_and_is_written_once(
    tmp_path: Path, paths: list[str], job: list[str]
) -> None:
    one, other = worker(tmp_path), worker(tmp_path)
    assert out(one, []) == []
    assert out(other, paths[2:]) == ["c"]  # it has read the folder by now
    for made in (one, other, worker(tmp_path), one):
        assert out(made, paths[:2]) == ["a", "b"]
    assert held(tmp_path) == ["a", "b", "c"]
    job[0] = "job 2"  # while they run
    with pytest.raises(shards.OutputError, match="wait for it"):
        worker(tmp_path)


def test_what_an_earlier_program_has_done_is_left_out(
    tmp_path: Path, paths: list[str], job: list[str]
) -> None:
    first = worker(tmp_path)
    assert out(first, paths[:2]) == ["a", "b"]
    first._stack.close()
    job[0] = "job 2"
    assert out(worker(tmp_path), paths) == ["c"]
    assert held(tmp_path) == ["a", "b", "c"]


@pytest.mark.parametrize("again", [False, True], ids=["one worker", "workers that follow each other"])
def test_files_that_change_there_and_back_are_never_lost(
    tmp_path: Path, paths: list[str], again: bool
) -> None:
    made = worker(tmp_path)
    for time_ns in (1, 2, 1, 2, 1):
        os.utime(paths[1], ns=(time_ns, time_ns))
        if again:
            made._stack.close()
            made = worker(tmp_path)
        assert out(made, paths) == ["a", "b", "c"]
        assert held(tmp_path) == ["a", "b", "c"]


def test_a_table_that_lost_a_file_does_not_stand_for_it(tmp_path: Path, paths: list[str]) -> None:
    first = worker(tmp_path)
    out(first, paths)
    first._shards.forget({paths[1]})  # type: ignore[union-attr]  # as by a run that was killed then
    second = worker(tmp_path)
    assert out(second, paths) == ["a", "b", "c"]
    assert held(tmp_path) == ["a", "b", "c"]


def test_a_file_that_is_in_two_batches_is_written_once(tmp_path: Path, paths: list[str]) -> None:
    made = worker(tmp_path)
    out(made, paths[:2])
    assert out(made, paths[1:]) == ["b", "c"]
    assert held(tmp_path) == ["a", "b", "c"]


def test_columns_of_later_batches_are_kept(tmp_path: Path, paths: list[str]) -> None:
    made = worker(tmp_path)
    out(made, paths[:1])
    out(made, paths[1:2], label=["dog"])
    out(made, paths[2:], site=["north"])
    assert shards.columns_of(tmp_path / "out") == ["label", "site"]
    wanted = ["path", "label", "site"]
    rows = [
        row
        for path in shards.tables(tmp_path / "out")
        for row in shards.with_columns(parquet.read_table(path), wanted).to_pylist()
    ]
    found = {Path(row["path"]).stem: (row["label"], row["site"]) for row in rows}
    assert found == {"a": (None, None), "b": ("dog", None), "c": (None, "north")}


def test_a_table_that_another_worker_takes_away_meanwhile_is_none(
    tmp_path: Path, paths: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(paths[:1], tmp_path / "out", chosen=Chosen(MODEL))
    there = shards.tables(tmp_path / "out")
    gone = tmp_path / "out" / "part-000009-01234567.parquet"
    monkeypatch.setattr(shards, "tables", lambda _: [*there, gone])
    assert out(worker(tmp_path), paths) == ["b", "c"]


def test_relative_paths_are_refused_as_workers_may_be_elsewhere(tmp_path: Path) -> None:
    for how in ({"output": "out"}, {"model": "./head"}):
        with pytest.raises(ValueError, match=r"absolute path.*os\.path\.abspath"):
            Scan(**{"model": MODEL, **how})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"absolute path.*os\.path\.abspath"):
        worker(tmp_path)({"item": ["a.wav"]})


def test_a_batch_opens_no_store_that_nobody_named(tmp_path: Path) -> None:
    batch = {"path": ["s3://other/a.wav"]}
    with pytest.raises(SourceError, match=r"add stores=\['s3://other'\]"):
        worker(tmp_path, stores=["s3://bucket"])(batch)
    named = step._entries(batch, step.Stores(["s3://other"]))
    assert [entry.path for entry in named] == batch["path"]


def test_an_empty_batch_gives_an_empty_table(tmp_path: Path) -> None:
    for made in (worker(tmp_path), Scan(model=MODEL)):
        for name in ("path", "item"):
            assert len(made({name: []})) == 0
    with pytest.raises(ValueError, match="column path or item"):
        worker(tmp_path)({"name": []})
