"""What the benchmarks conclude from times is right; the times themselves are no test's matter."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def _benchmarks() -> Any:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield
    sys.path.remove(str(ROOT / "benchmarks"))


@pytest.mark.parametrize(
    ("times", "noise", "verdict"),
    [(1.0, 0.05, ""), (1.1, 0.05, "SLOWER"), (0.9, 0.05, "faster"), (1.1, 0.6, ""), (1.01, 0.001, "")],
)
def test_the_guard_tells_only_what_is_beyond_noise(times: float, noise: float, verdict: str) -> None:
    guard = importlib.import_module("guard")
    drawn = np.random.default_rng(7).lognormal(0, noise, (2, 30))
    case = guard.Compared("made up", list(drawn[0]), list(times * drawn[1]))
    assert case.verdict() == verdict
    ratio, low, high = case.interval()
    assert low <= ratio <= high
    assert (verdict == "SLOWER") == ("slower beyond noise: made up" in guard.table([case]))


FAKE = """
import os
from pathlib import Path
with Path(__file__).with_name("found").open("a") as file:
    file.write("imported\\n")
class _Node:
    def __init__(self, **options): pass
    def __rshift__(self, other): return self
    def __call__(self, sound): pass
Log = _Node
class MelSpectrogram(_Node):
    def __init__(self, **options): {mel}
"""


def fake(folder: Path, mel: str = "pass") -> Path:
    """Make a folder with a fastaudio that counts its imports, and runs log-mel as told."""
    (folder / "fastaudio").mkdir(parents=True)
    (folder / "fastaudio" / "__init__.py").write_text(FAKE.format(mel=mel))
    (folder / "fastaudio" / "__main__.py").write_text("")
    return folder


def test_the_guard_runs_each_folders_own_package_whatever_is_installed(tmp_path: Path) -> None:
    guard = importlib.import_module("guard")
    worker, found = guard.Worker(fake(tmp_path)), tmp_path / "fastaudio" / "found"
    assert worker.seconds("log-mel 512") > 0
    for case in ("import", "command line"):  # these are processes of their own
        before = found.read_text().count("imported")
        assert worker.seconds(case) > 0
        assert found.read_text().count("imported") > before > 0
    worker.end()


def test_the_guard_refuses_another_package_than_that_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    guard = importlib.import_module("guard")
    (tmp_path / "empty").mkdir()
    monkeypatch.syspath_prepend(fake(tmp_path / "other"))
    with pytest.raises(SystemExit) as ended:
        guard.Worker(tmp_path / "empty").seconds("import")
    assert ended.value.code == 2
    assert f"expected fastaudio from {tmp_path / 'empty'}, got {tmp_path / 'other'}" in capfd.readouterr().err


def test_a_case_that_ends_its_process_is_told_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guard = importlib.import_module("guard")
    monkeypatch.setattr(guard, "_WORKERS", 1)
    base, head = str(fake(tmp_path / "base")), str(fake(tmp_path / "head", "os._exit(3)"))
    options = ["--rounds", "1", "--only", "log-mel 512"]
    assert guard.main([base, head, *options, "import"]) == 1
    told = capsys.readouterr().out
    assert "head: the process ended with status 3" in told
    assert "runs no longer: log-mel 512\n" in told
    assert guard.main([head, base, *options]) == 1
    assert "nothing was compared" in capsys.readouterr().out
    assert guard.main([base, head, *options, "--report"]) == 0


def test_what_head_no_longer_runs_is_broken_and_what_base_lacked_is_not() -> None:
    guard = importlib.import_module("guard")
    new, gone = guard.Compared("new", note="base: no such node"), guard.Compared("gone", note="head: crash")
    told = guard.table([new, gone, guard.Compared("both", [1.0] * 3, [1.0] * 3)])
    assert "base: no such node" in told
    assert "runs no longer: gone\nnothing got slower beyond noise" in told
    assert guard.broken([new]) == []


def test_a_build_is_kept_for_its_options_compiler_and_python(monkeypatch: pytest.MonkeyPatch) -> None:
    builds = importlib.import_module("guard_builds")
    names = {builds.name_of_build("sha")}
    for variable in ("CMAKE_ARGS", "CXX", "CXXFLAGS"):
        monkeypatch.setenv(variable, "another")
        names.add(builds.name_of_build("sha"))
    monkeypatch.setattr(sys, "version", "another")
    names.add(builds.name_of_build("sha"))
    assert len(names) == 5
    assert builds.name_of_build("sha") in names


@pytest.mark.parametrize(("words", "status"), [([], 2), (["--report"], 0)])
def test_a_commit_that_does_not_build_fails_no_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], status: int
) -> None:
    guard = importlib.import_module("guard")

    def unbuilt(base: str, _head: str, _installed: Path | None) -> tuple[Path, Path]:
        raise guard.NotBuiltError(f"guard: expected {base} to build, got exit status 1")

    monkeypatch.setattr(guard, "both", unbuilt)
    assert guard.main(["main", *words]) == status
    out, err = capsys.readouterr()
    assert "expected main to build, got exit status 1; nothing was compared" in (out if words else err)


def test_the_guard_says_that_there_is_no_such_commit(capfd: pytest.CaptureFixture[str]) -> None:
    guard = importlib.import_module("guard")
    with pytest.raises(SystemExit) as ended:
        guard.main(["no-such-commit"])
    assert ended.value.code == 2
    assert "expected a commit or a folder with fastaudio, got 'no-such-commit'" in capfd.readouterr().err


@pytest.fixture
def commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A repository and the guard's builds on it; call it with a file to change, for the commit after."""
    builds = importlib.import_module("guard_builds")
    root = tmp_path / "repository"
    (root / "cpp").mkdir(parents=True)
    (root / "cpp" / "core.cpp").write_text("int core;")
    (root / "CMakeLists.txt").write_text("")
    (root / "pyproject.toml").write_text("[build-system]\nrequires = []\n[tool.ruff]\nline-length = 1\n")
    fake(root / "python")
    (root / "models" / "recipes").mkdir(parents=True)
    (root / "models" / "card.json").write_text("{}")
    monkeypatch.setattr(builds, "_ROOT", root)
    monkeypatch.setattr(builds, "_BUILDS", tmp_path / "builds")
    built: list[str] = []

    def build(commit: str, _sha: str, package: Path) -> None:
        built.append(commit)
        fake(package)

    monkeypatch.setattr(builds, "_build", build)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(root)]

    def commit(path: str, text: str) -> list[str]:
        (root / path).write_text(text)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-qm", "change", "--allow-empty"], check=True)
        return built

    subprocess.run([*git, "init", "-q"], check=True)
    commit("README.md", "before")
    return commit


@pytest.mark.parametrize(
    ("path", "text", "made"),
    [
        ("README.md", "after", None),
        ("pyproject.toml", "[build-system]\nrequires = []\n[tool.ruff]\nline-length = 2\n", None),
        ("models/recipes/make.py", "print()", None),
        ("models/card.json", "{1}", []),
        ("python/fastaudio/__main__.py", "print()", []),
        ("cpp/core.cpp", "int core = 1;", ["HEAD~1"]),
        ("CMakeLists.txt", "# another", ["HEAD~1"]),
        ("pyproject.toml", "[build-system]\nrequires = ['cmake']\n", ["HEAD~1"]),
    ],
)
def test_the_guard_builds_no_more_than_differs(
    tmp_path: Path, commits: Any, path: str, text: str, made: list[str] | None
) -> None:
    builds = importlib.import_module("guard_builds")
    built = commits(path, text)
    installed = fake(tmp_path / "site-packages")
    (installed / "fastaudio" / "_core.so").write_text("an extension")
    (installed / "fastaudio" / "only_in_head.py").write_text("")
    pair = builds.both("HEAD~1", "HEAD", installed)
    assert built == (made or [])
    assert (pair is None) == (made is None)
    if pair:
        assert pair[1] == installed
    if pair and not made:
        base = pair[0] / "fastaudio"
        assert (base / "__main__.py").read_text() == ""
        assert (base / "_core.so").read_text() == "an extension"
        assert (base / "_models" / "card.json").read_text() == "{}"
        assert not (base / "only_in_head.py").exists()


def test_the_guard_builds_head_where_it_is_not_installed(commits: Any) -> None:
    builds = importlib.import_module("guard_builds")
    built = commits("python/fastaudio/__main__.py", "print()")
    assert builds.both("HEAD~1", "HEAD") is not None
    assert built == ["HEAD"]


def test_the_guard_says_that_nothing_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guard = importlib.import_module("guard")
    monkeypatch.setattr(guard, "both", lambda *_: None)
    assert guard.main(["HEAD~1"]) == 0
    assert (
        "HEAD~1 and HEAD have the same C++, Python and models; nothing was compared"
        in capsys.readouterr().out
    )


def test_a_table_of_markdown_names_what_is_absent_and_why() -> None:
    harness, rounds, show = (importlib.import_module(name) for name in ("harness", "rounds", "show"))
    cases = [
        harness.Case("ours", harness.Timed(lambda: None, clock="cpu")),
        harness.Case("theirs", lambda values: 2 * values["ours"], "ours"),
        harness.Case("gone", None, "ours", absent="wants another Python"),
    ]
    context = harness.Context(ROOT, ROOT, repeat=2)
    told = show.markdown(
        rounds.run_group("peers", harness.Group("made up", "s", cases), context)
    ).splitlines()
    assert told[0] == "| peers: made up | s | times ours |"
    assert told[3].endswith("| 2.00 |")
    assert told[4] == "| gone | wants another Python |  |"


def test_growth_says_where_a_line_bends() -> None:
    growth, found = importlib.import_module("growth"), importlib.import_module("growth_lines")
    how: dict[str, Any] = {"values": (), "quick": (), "make": lambda _: list, "small": "opening"}
    line = found.Line("labels", "made up", "labels", "us", large="caches", **how)
    level = growth.Measured(line, [1, 10, 100], [30.0, 10.0, 10.5])
    assert level.holds()
    assert level.said() == "10 us from 10 to 100; 3.0 times that at 1: opening"
    rising = growth.Measured(line, [1, 10, 100], [10.0, 11.0, 40.0])
    assert not rising.holds()
    assert "4.0 times that at 100: caches. THIS IS MORE THAN IT NEEDS TO BE" in rising.said()


def test_growth_leaves_out_what_memory_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    growth, found = importlib.import_module("growth"), importlib.import_module("growth_lines")
    monkeypatch.setattr(growth, "free_memory", lambda: 1e9)
    monkeypatch.setattr(growth, "seconds", lambda _, x: float(x))
    how: dict[str, Any] = {"quick": (), "make": lambda _: list, "small": "", "large": ""}
    line = found.Line("made up", "", "s", "us", values=(1, 2, 3), memory=lambda x: x * 3e8, **how)
    told = growth.measured(line, quick=False)
    assert told.sizes == [1, 2]
    assert told.said().endswith("; left out, from 0.9 GB on: 3")
    assert found.free_memory() > 0


def test_every_line_of_growth_runs_at_its_smallest(tmp_path: Any) -> None:
    found = importlib.import_module("growth_lines")
    every = found.lines(tmp_path)
    assert len({line.name for line in every}) == len(every) > 10
    for line in every:
        assert list(line.values) == sorted(set(line.values))
        assert set(line.quick) <= set(line.values)
        if line.name not in ("threads", "batch"):  # these are long at any size
            line.make(line.values[0])()
