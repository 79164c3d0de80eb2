"""Workers that fail, hang or never start cost time alone. A stub that works at once stands for Ray."""

from __future__ import annotations

import itertools
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from fastaudio._system.writing import OutputError
from fastaudio.ray import driver, units
from fastaudio.ray.cluster import ClusterError
from fastaudio.ray.driver import scan
from fastaudio.ray.outcomes import Outcome
from fastaudio.ray.worker import Worker
from fastaudio.scanning import shards
from fastaudio.scanning.networks import Chosen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Rule = Callable[[int, list[str]], Any]

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow isn't installed")

MODEL = "silero-vad"
RATE_HZ = 16_000


class RayError(Exception):
    pass


class RayTaskError(RayError):
    def __init__(self, cause: Exception) -> None:
        super().__init__(f"Traceback\n{type(cause).__name__}: {cause}")
        self.cause = cause


HANGS = "a job that never ends"
UNHEARD = "a job that is done by a worker that nobody hears of any more"


class Job:
    """What came of a call; an error is raised."""

    def __init__(self, said: Any = None) -> None:
        self.said = said


class Stub:
    """As much of Ray as the driver uses; a rule says what becomes of a worker's start (no files), or a job.

    The rule gives None to have it done, HANGS, UNHEARD, an error, or an outcome.
    """

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, rule: Rule) -> None:
        self.rule, self.n_started, self.killed = rule, 0, list[int]()
        self.args: tuple[Any, ...] = ()
        self.jobs: list[tuple[Any, ...]] = []
        self.alive = True

    def remote(self, **_: Any) -> Any:
        return lambda kind: SimpleNamespace(remote=lambda *args: self.actor(kind, args))

    def actor(self, kind: type[Worker], args: tuple[Any, ...]) -> Any:
        self.n_started, self.args = self.n_started + 1, args
        number = self.n_started

        def ready() -> Job:
            return Job(self.rule(number, []))

        def run(*how: Any) -> Job:
            self.jobs.append(how)
            said = self.rule(number, [Path(entry.path).name for entry in how[0]])
            if said is None or said is UNHEARD:
                done = kind(*args).run(*how)
                return Job(RayError("gone") if said is UNHEARD else done)
            return Job(said)

        methods = {name: SimpleNamespace(remote=one) for name, one in (("ready", ready), ("run", run))}
        return SimpleNamespace(number=number, **methods)

    def wait(self, jobs: list[Job], num_returns: int, timeout: float) -> tuple[list[Job], list[Job]]:
        ready = [job for job in jobs if job.said is not HANGS]
        if not ready:
            time.sleep(min(timeout, 0.01))
        return ready[:num_returns], []

    def get(self, job: Job) -> Any:
        if isinstance(job.said, Exception):
            raise job.said
        return job.said

    def nodes(self) -> list[dict[str, Any]]:
        return [{"NodeID": "here", "Alive": self.alive}]

    def get_runtime_context(self) -> Any:
        return SimpleNamespace(get_node_id=lambda: "here")

    def kill(self, actor: Any) -> None:
        self.killed.append(actor.number)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for i in range(6):
        soundfile.write(tmp_path / "in" / f"{i}.wav", np.zeros(RATE_HZ), RATE_HZ)
    return tmp_path / "in"


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path) -> Callable[..., Any]:
    """Return what scans the folder on a stub: each file for one of two workers, or `together` for one."""

    def run(rule: Rule, *, together: bool = False, sources: Any = (folder,), **how: Any) -> tuple[Any, Stub]:
        stub = Stub(rule)

        @contextmanager
        def connected(*_: Any) -> Iterator[tuple[Stub, int]]:
            yield stub, 1 if together else 2

        monkeypatch.setattr(driver, "connected", connected)
        if not together:
            monkeypatch.setattr(units, "_MOST_FILES", 1)
        return scan(sources, tmp_path / "out", chosen=Chosen(MODEL), **how), stub

    return run


def errors(tmp_path: Path) -> dict[str, str | None]:
    """Each file's error; a file may be there once."""
    rows = [row for path in shards.tables(tmp_path / "out") for row in parquet.read_table(path).to_pylist()]
    assert len(rows) == len({row["path"] for row in rows})
    return {Path(row["path"]).name: row["error"] for row in rows}


NAMES = [f"{i}.wav" for i in range(6)]
FINE: dict[str, str | None] = dict.fromkeys(NAMES)


def test_a_worker_that_hangs_is_not_waited_for_once_another_has_done_its_files(
    tmp_path: Path, on: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "_LEAST_S", 0.0)
    done, stub = on(lambda number, names: HANGS if names and number == 1 else None)
    assert done.complete
    assert errors(tmp_path) == FINE
    assert sorted(stub.killed) == [1, 2]


def test_the_budget_ends_a_scan_whose_workers_hang(
    tmp_path: Path, on: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_GRACE_S", 0.1)
    done, _ = on(lambda _, names: HANGS if names else None, budget_s=0.1)
    assert not done.complete
    assert errors(tmp_path) == {}
    done, _ = on(lambda *_: None)
    assert done.complete


def test_what_is_done_when_time_is_up_is_kept(
    tmp_path: Path, on: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Worker):
        def run(self, entries: Any, name: str, mark: str, left_s: float = 0.0) -> Outcome:
            work, numbers = self.work, itertools.count()

            def slow(entry: Any) -> Any:
                time.sleep(0.0 if next(numbers) < 2 else left_s)
                return work(entry)

            self.work = slow  # type: ignore[assignment]
            return super().run(entries, name, mark, left_s)

    monkeypatch.setattr(driver, "Worker", Slow)
    for budget_s in (4.0, 16.0, 64.0):  # a slow machine is done with two files only in a longer time
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        done, _ = on(lambda *_: None, together=True, budget_s=budget_s)
        if done.n_done >= 2:
            break
    n_kept = done.n_done  # 2, or one that was begun beside them
    assert 2 <= n_kept < len(NAMES)
    assert not done.complete
    assert len(errors(tmp_path)) == n_kept
    monkeypatch.setattr(driver, "Worker", Worker)
    done, _ = on(lambda *_: None)
    assert (done.n_before, done.n_done, done.complete) == (n_kept, len(NAMES) - n_kept, True)
    assert errors(tmp_path) == FINE


STALE = RayTaskError(OSError(116, "Stale file handle"))


@pytest.mark.parametrize(
    ("at_start", "said"),
    [
        (True, RayTaskError(RuntimeError("no such model"))),
        (False, STALE),
        (False, Outcome(refused="out: expected room to write, got: No space left on device")),
    ],
    ids=["never loads", "stale mount", "full disk"],
)
def test_one_bad_machine_is_gone_on_without(tmp_path: Path, on: Any, at_start: bool, said: Any) -> None:
    done, stub = on(lambda number, names: said if number != 2 and at_start is not bool(names) else None)
    assert done.complete
    assert errors(tmp_path) == FINE
    assert stub.n_started <= 1 + driver._MOST_FAILED


def test_without_a_cluster_the_rows_of_files_that_changed_stay(
    on: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(lambda *_: None)
    for path in folder.iterdir():
        os.utime(path, ns=(1, 1))

    @contextmanager
    def none(*_: Any) -> Iterator[None]:
        raise driver.ClusterError("Ray: expected a cluster, got none")
        yield

    monkeypatch.setattr(driver, "connected", none)
    with pytest.raises(driver.ClusterError):
        scan([folder], tmp_path / "out", chosen=Chosen(MODEL))
    assert errors(tmp_path) == FINE


def test_a_scan_ends_when_ray_has_ended_on_this_machine(on: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "_NODE_S", 0.0)
    monkeypatch.setattr(Stub, "nodes", lambda _: [{"NodeID": "here", "Alive": False}])
    with pytest.raises(driver.ClusterError, match="got one that has ended; what is in tables stays"):
        on(lambda *_: HANGS)


def test_a_scan_that_no_worker_can_do_says_why(on: Any) -> None:
    with pytest.raises(ClusterError, match="no such model"):
        on(lambda _, names: None if names else RayTaskError(RuntimeError("no such model")))
    with pytest.raises(OutputError, match="no room"):
        on(lambda _, names: Outcome(refused="no room") if names else None)
    with pytest.raises(OSError, match="Stale"):
        on(lambda _, names: STALE if names else None)


@pytest.mark.parametrize("said", [RayTaskError(MemoryError()), RayError("gone")], ids=["memory", "process"])
def test_a_file_that_ends_workers_is_a_row_and_no_other_work_is_lost(
    tmp_path: Path, on: Any, said: Any
) -> None:
    marks = set()

    def rule(_: int, names: list[str]) -> Any:
        marks.add((tmp_path / "out" / ".scan.run").read_bytes())
        return said if "3.wav" in names else None

    done, stub = on(rule, together=True)
    assert (done.n_done, done.n_failed, done.complete) == (6, 1, True)
    found = errors(tmp_path)
    assert "its worker ended" in (found.pop("3.wav") or "")
    assert found == {name: None for name in NAMES if name != "3.wav"}
    assert len(marks) == 1  # the run went on as it was, so that no one's table was refused
    before = errors(tmp_path)
    for job in stub.jobs:  # workers that nobody has heard of go on
        Worker(*stub.args).run(*job)
    assert errors(tmp_path) == before


def test_files_that_are_done_by_workers_unheard_of_are_done(
    tmp_path: Path, on: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_MOST_LOST", 1)
    done, _ = on(lambda number, names: UNHEARD if names and number <= 2 else None)
    assert (done.n_done, done.n_failed) == (6, 0)
    assert errors(tmp_path) == FINE


def test_relative_paths_are_meant_in_the_folder_of_the_program(
    tmp_path: Path, on: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert on(lambda *_: None)[1].args[-1] is None  # paths are absolute
    (tmp_path / "out").rename(tmp_path / "first")
    monkeypatch.chdir(tmp_path)
    done, stub = on(lambda *_: None, sources=[folder.name])
    assert (done.n_done, stub.args[-1]) == (6, str(tmp_path))
    chosen, output, about, _ = stub.args
    with pytest.raises(ClusterError, match="by absolute paths that all have"):
        Worker(chosen, output, about, str(tmp_path / "not here"))
    os.chdir("/")
    assert (
        Worker(*stub.args).run(list(stub.jobs[0][0]), "new.parquet", shards.begin(output)).done[0].error
        is None
    )


def test_a_cluster_without_a_free_processor_is_told(on: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "_SILENT_S", 0.0)
    with pytest.warns(UserWarning, match="waiting for workers"):
        on(lambda *_: HANGS, budget_s=0.2)
