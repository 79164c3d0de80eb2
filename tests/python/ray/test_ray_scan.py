"""On Ray each file's rows are in the tables once, whatever ends in the middle, as those of a scan."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from fastaudio import ray as fastaudio_ray
from fastaudio.ray import cluster, driver, units
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.scan import Scanned, scan

if TYPE_CHECKING:
    from collections.abc import Iterator

ray = pytest.importorskip("ray", reason="Ray isn't installed")
parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow isn't installed")
if sys.platform == "win32":
    pytest.skip("file locks, which tell runs apart, are POSIX's", allow_module_level=True)

MODEL = "instruments"
RATE_HZ = 16_000
KEPT = ("path", "size", "version", "duration_s", "start_s", "end_s", "scores", "error")


@pytest.fixture(scope="module", autouse=True)
def two_workers() -> Iterator[None]:
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=100_000_000,
        log_to_driver=False,
    )
    yield
    ray.shutdown()


@pytest.fixture(autouse=True)
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "UNIT_S", 0.05)
    monkeypatch.setattr(units, "_LEAST_S", 0.02)
    monkeypatch.setattr(units, "_FIRST", 100_000)


def sounds(folder: Path, n_files: int) -> Path:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    for i in range(n_files):
        samples = rng.normal(0, 0.1, int(RATE_HZ * (0.5 + 3 * i / n_files))).astype(np.float32)
        soundfile.write(folder / f"{i:03}.wav", samples, RATE_HZ)
    (folder / "bad.wav").write_bytes(b"RIFF, but nothing else")
    return folder


def shown(output: Path) -> list[dict[str, Any]]:
    rows = parquet.read_table(output, columns=list(KEPT)).to_pylist()
    return sorted(rows, key=lambda row: (row["path"], row["start_s"] or 0.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sounds(tmp_path_factory.mktemp("ray") / "in", 60)


@pytest.fixture(scope="module")
def whole(folder: Path) -> list[dict[str, Any]]:
    output = folder.parent / "whole"
    scan([folder], output, chosen=Chosen(MODEL))
    return shown(output)


def test_the_rows_are_those_of_a_scan_without_it(
    tmp_path: Path, folder: Path, whole: list[dict[str, Any]]
) -> None:
    done = fastaudio_ray.scan([folder], tmp_path / "out", chosen=Chosen(MODEL))
    assert (done.n_files, done.n_done, done.n_failed, done.complete) == (61, 61, 1, True)
    assert shown(tmp_path / "out") == whole
    again = fastaudio_ray.scan([folder], tmp_path / "out", chosen=Chosen(MODEL))
    assert (again.n_before, again.n_done) == (61, 0)
    assert scan([folder], tmp_path / "out", chosen=Chosen(MODEL)).n_done == 0
    assert not list((tmp_path / "out").glob(".fastaudio-*"))


def workers() -> list[int]:
    """The processes of this test's own workers that run just now."""
    parents, found = {}, []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            text = (path / "stat").read_text(encoding="utf-8", errors="replace")
            is_worker = (path / "cmdline").read_bytes().startswith(b"ray::Worker")
        except OSError:
            continue
        parents[int(path.name)] = int(text.rpartition(")")[2].split()[1])
        found += [int(path.name)] if is_worker else []
    return [one for one in found if os.getpid() in ancestors(one, parents)]


def ancestors(process: int, parents: dict[int, int]) -> list[int]:
    found = []
    while (process := parents.get(process, 0)) and process not in found:
        found.append(process)
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are found in /proc")
def test_workers_that_are_killed_cost_nothing_but_time(
    tmp_path: Path, folder: Path, whole: list[dict[str, Any]]
) -> None:
    rng, killed = np.random.default_rng(5), [0, 0.0]

    def report(scanned: Scanned) -> None:
        due = scanned.n_done > 2 and killed[0] < 3 and time.monotonic() > killed[1]
        if due and (found := workers()):
            os.kill(found[int(rng.integers(len(found)))], signal.SIGKILL)
            killed[:] = killed[0] + 1, time.monotonic() + 0.5

    done = fastaudio_ray.scan([folder], tmp_path / "out", chosen=Chosen(MODEL), report=report)
    assert killed[0] > 0
    assert done.complete
    assert shown(tmp_path / "out") == whole


PROGRAM = """
import sys
from fastaudio import ray
from fastaudio.ray import units
from fastaudio.scanning.networks import Chosen
units.UNIT_S, units._LEAST_S, units._FIRST = 0.05, 0.02, 100_000
ray.scan([sys.argv[1]], sys.argv[2], chosen=Chosen(sys.argv[3]), workers=2)
"""


def test_a_driver_that_is_killed_is_gone_on_from(
    tmp_path: Path, folder: Path, whole: list[dict[str, Any]]
) -> None:
    output = tmp_path / "out"
    run = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), str(output), MODEL])
    until_s = time.monotonic() + 120
    while run.poll() is None and time.monotonic() < until_s and len(list(output.glob("part-*"))) < 3:
        time.sleep(0.005)
    run.kill()
    run.wait()
    assert len(list(output.glob("part-*"))) >= 3
    fastaudio_ray.scan([folder], output, chosen=Chosen(MODEL))
    assert shown(output) == whole


def test_a_file_that_ends_its_worker_is_a_row_with_an_error(
    tmp_path: Path, folder: Path, whole: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ending(driver.Worker):
        def run(self, entries: Any, *how: Any) -> Any:
            if any(entry.path.endswith("007.wav") for entry in entries):
                os.kill(os.getpid(), signal.SIGKILL)
            return super().run(entries, *how)

    monkeypatch.setattr(driver, "Worker", Ending)
    monkeypatch.setattr(driver, "_MOST_LOST", 1)
    done = fastaudio_ray.scan([folder], tmp_path / "out", chosen=Chosen(MODEL))
    assert (done.n_done, done.n_failed) == (61, 2)
    rows = shown(tmp_path / "out")
    bad = [row for row in rows if row["path"].endswith("007.wav")]
    assert len(bad) == 1
    assert "its worker ended" in bad[0]["error"]
    assert [row for row in rows if row not in bad] == [
        row for row in whole if not row["path"].endswith("007.wav")
    ]


def test_no_time_at_all_leaves_all_to_the_next_run(
    tmp_path: Path, folder: Path, whole: list[dict[str, Any]]
) -> None:
    done = fastaudio_ray.scan([folder], tmp_path / "out", chosen=Chosen(MODEL), budget_s=1e-6)
    assert (done.n_done, done.complete) == (0, False)
    assert fastaudio_ray.scan([folder], tmp_path / "out", chosen=Chosen(MODEL), budget_s=600.0).complete
    assert shown(tmp_path / "out") == whole


@pytest.mark.filterwarnings("ignore")  # Ray Data's own
def test_a_step_of_ray_data_gives_rows_or_writes_them_once(
    tmp_path: Path, folder: Path, whole: list[dict[str, Any]]
) -> None:
    data = pytest.importorskip("ray.data", reason="Ray Data isn't installed")
    paths = [row["path"] for row in whole]
    how: dict[str, Any] = {"concurrency": 1, "batch_size": 16}
    files = data.from_items(paths)
    rows = files.map_batches(fastaudio_ray.Scan, fn_constructor_kwargs={"model": MODEL}, **how).take_all()
    got = {row["path"]: row for row in rows}
    assert len(got) == len(rows) == 61
    for row in whole:
        assert got[row["path"]]["error"] == row["error"]
        if row["scores"] is not None:
            np.testing.assert_array_equal(np.float32(got[row["path"]]["scores"]), np.float32(row["scores"]))
    how["fn_constructor_kwargs"] = {"output": str(tmp_path / "out"), "model": MODEL}
    first = files.map_batches(fastaudio_ray.Scan, **how).take_all()
    assert sorted(row["path"] for row in first) == sorted(paths)
    assert shown(tmp_path / "out") == whole
    again = files.map_batches(fastaudio_ray.Scan, **how).take_all()  # the same program
    assert sorted(row["path"] for row in again) == sorted(paths)
    assert shown(tmp_path / "out") == whole
    assert scan([folder], tmp_path / "out", chosen=Chosen(MODEL)).n_done == 0


def test_no_ray_at_an_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise ConnectionError("nobody there")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refuse)
    told = pytest.raises(cluster.ClusterError, match="name the address of one, auto, or local")
    with told, cluster.connected("192.0.2.1:6379", None):
        pass
