"""--resume: a run that was interrupted anywhere goes on, and ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio import cli
from fastaudio.cli import results
from fastaudio.cli.unfinished import Unfinished, unfinished
from helpers import GUITAR, decode

ABOUT = {"command": "tag", "top": 5, "start": datetime(2026, 11, 28, tzinfo=UTC)}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Paths of four short sounds, one of them with a name that isn't ASCII, and of one that is missing."""
    folder = tmp_path_factory.mktemp("sounds")
    samples, rate = decode(GUITAR)
    names = ["a.wav", "b ♪.wav", "missing.wav", "c.wav", "d.wav"]
    for i, name in enumerate(names):
        if i != 2:
            soundfile.write(folder / name, samples[i * rate : (i + 3) * rate], rate)
    return [str(folder / name) for name in names]


def main(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    status = cli.main([*map(str, arguments)])
    return status, capsys.readouterr().err


def interrupted_after(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Ctrl-C come when `n` inputs are done."""
    add = Unfinished.add
    done: list[str] = []

    def count(self: Unfinished, name: str, *args: Any, **kwargs: Any) -> None:
        if len(done) == n:
            raise KeyboardInterrupt
        done.append(name)
        add(self, name, *args, **kwargs)

    monkeypatch.setattr(Unfinished, "add", count)


@pytest.mark.parametrize(
    ("command", "name", "options"),
    [
        ("tag", "tags.json", ["--json", "--windows"]),
        ("tag", "tags.jsonl", ["--jsonl"]),
        ("tag", "tags.csv", ["--csv", "--min-score", "0.2"]),
        ("tag", "tags.txt", []),
        ("tag", "events.json", ["--json", "--onset", "0.2"]),
        ("tag", "labels", ["--audacity", "--onset", "0.2"]),
        ("embed", "rows.npz", ["--mean", "--standardize", "self"]),
        ("embed", "rows.parquet", []),
    ],
)
def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(  # noqa: PLR0917
    command: str,
    name: str,
    options: list[str],
    sounds: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    out, whole = tmp_path / name, tmp_path / "whole" / name
    whole.parent.mkdir()
    call = [command, *sounds, *options, "--jobs", 1]
    status, said = main(capsys, *call, "--output", whole)
    assert (status, said.splitlines()[-1]) == (1, "fastaudio: 1 of 5 files failed")
    with monkeypatch.context() as patch:
        interrupted_after(2, patch)
        status, said = main(capsys, *call, "--output", out)
    assert status == 130
    assert f"fastaudio: 2 of 5 files are done and kept in {out}.part; the same command with --resume" in said
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.part", "whole"}
    status, said = main(capsys, *call, "--output", out)
    assert status == 2
    assert "expected no unfinished run, got one with 2 files done; go on with --resume" in said
    status, said = main(capsys, *call, "--output", out, "--resume")
    assert (status, said.splitlines()[0]) == (1, "fastaudio: 2 of 5 files are done already")
    files = {path.relative_to(whole.parent): path.read_bytes() for path in whole.parent.rglob("*.*")}
    del files[Path(f"{name}.part")]  # of the file that failed
    assert {path: (tmp_path / path).read_bytes() for path in files} == files
    assert Path(f"{out}.part").exists()


def test_what_failed_is_run_once_it_can_be(
    sounds: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    late, out = tmp_path / "late.wav", tmp_path / "tags.csv"
    call = ["tag", sounds[0], late, "--csv", "--jobs", 1, "--output", out]
    status, said = main(capsys, *call)
    assert status == 1
    assert f"once {late} can be read, the same command with --resume runs only what failed (1)" in said
    late.write_bytes(Path(sounds[0]).read_bytes())
    status, said = main(capsys, *call, "--resume")
    assert (status, said) == (0, "fastaudio: 1 of 2 files are done already\n")
    assert not Path(f"{out}.part").exists()
    assert out.read_text(encoding="utf-8").count(str(late)) == 5


def held(path: Path) -> bytes:
    """Return what a file holds, nothing if it isn't there, or not any more."""
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals of POSIX")
@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
def test_a_killed_run_goes_on(how: str, sounds: list[str], tmp_path: Path) -> None:
    out, part = tmp_path / "tags.csv", tmp_path / "tags.csv.part"
    call = [sys.executable, "-m", "fastaudio", "tag", *sounds, "--csv", "--jobs", "1", "--output"]
    subprocess.run([*call, str(tmp_path / "whole.csv")], check=False, stderr=subprocess.DEVNULL)
    with subprocess.Popen([*call, str(out)], stderr=subprocess.PIPE) as process:
        while process.poll() is None and b'"crc"' not in held(part):
            time.sleep(0.001)
        process.send_signal(getattr(signal, how))
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
    assert part.exists()  # with the file that failed, at least
    if not out.exists():  # else it had written all before the signal came
        assert process.returncode != 1
        subprocess.run([*call, str(out), "--resume"], check=False, stderr=subprocess.DEVNULL)
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="limits of POSIX")
@pytest.mark.parametrize(("blocks", "kept"), [(0, 0), (2, 1)])
def test_a_full_disk_is_told_and_the_run_goes_on_when_there_is_room(
    sounds: list[str], tmp_path: Path, blocks: int, kept: int
) -> None:
    out = tmp_path / "tags.json"
    call = [sys.executable, "-m", "fastaudio", "tag", sounds[0], *sounds[3:], "--json", "--jobs", "1"]
    limited = ["bash", "-c", f'ulimit -f {blocks}; exec "$@"', "bash", *call, "--output", str(out)]
    result = subprocess.run(limited, check=False, capture_output=True, text=True)
    assert result.returncode == 1
    assert f"fastaudio: {out}.part: expected room to write, got: File too large; free some" in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["tags.json.part"][:kept]
    call += ["--output", str(out), "--resume"]
    result = subprocess.run(call, check=False, capture_output=True, text=True)
    assert result.returncode == 0
    assert bool(re.search("[12] of 3 files are done already", result.stderr)) == bool(kept)
    assert len(json.loads(out.read_bytes())) == 3


def test_another_run_is_refused_by_what_differs(
    sounds: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "tags.csv"
    call = ["tag", *sounds, "--csv", "--output", out]
    with monkeypatch.context() as patch:
        interrupted_after(1, patch)
        main(capsys, *call)
    kept = Path(f"{out}.part").read_bytes()
    status, said = main(capsys, *call, "--resume", "--top", 3, "--model", "musicnn-msd")
    assert status == 2
    assert "model musicnn-mtt" in said
    assert "top 5" in said
    assert "musicnn-msd, 3; give the same, or begin anew with --force and without --resume" in said
    assert Path(f"{out}.part").read_bytes() == kept
    status, said = main(capsys, *call, "--top", 3, "--force")
    assert status == 1
    assert "already" not in said
    assert len(out.read_text().splitlines()) == 1 + 4 * 3


def test_resume_without_an_unfinished_run_is_a_run(
    sounds: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tags.csv"
    call = ["tag", sounds[0], "--csv", "--output", out, "--resume"]
    assert main(capsys, *call) == (0, "")
    status, said = main(capsys, *call)
    assert status == 2
    assert f"expected {out}.part of an unfinished run, got none, so {out} is whole" in said
    status, said = main(capsys, "tag", sounds[0], "--resume")
    assert status == 2
    assert "--resume: expected --output FILE, got none" in said


def records(path: Path, names: list[str], n: int = 3) -> bytes:
    """Make an unfinished run with what `n` inputs gave, and return its file."""
    with (  # noqa: PT012
        pytest.raises(KeyboardInterrupt),
        unfinished(str(path), ABOUT, names, force=False, resume=False) as run,
    ):
        for i in range(n):
            run.add(names[i], f"result {i}\n".encode() * i)
        raise KeyboardInterrupt
    return Path(f"{path}.part").read_bytes()


def test_a_file_cut_anywhere_keeps_what_is_whole(sounds: list[str], tmp_path: Path) -> None:
    names = [sounds[i] for i in (0, 1, 3)]
    out = tmp_path / "out"
    kept = records(out, names)
    want = {name: f"result {i}\n".encode() * i for i, name in enumerate(names)}
    ends = [kept.index(b'\n{"name"', kept.index(json.dumps(name).encode())) + 1 for name in names[:-1]]
    ends.append(len(kept))
    for cut in range(len(kept) + 1):
        began = cut > kept.index(b"\n")  # with its first line torn, it is new
        for rest in (b"", b"\xff\n" * 3, b"\0" * 64) if began else (b"",):
            Path(f"{out}.part").write_bytes(kept[:cut] + rest)
            with unfinished(str(out), ABOUT, names, force=False, resume=True) as run:
                found = dict(run.pieces(names))
            n_whole = sum(cut >= end for end in ends)
            assert list(found.items()) == list(want.items())[:n_whole]
    assert n_whole == len(names)


@pytest.mark.parametrize("error", [FileNotFoundError, OSError, ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("n", [0, 1])
def test_whatever_ends_a_run_comes_through(tmp_path: Path, error: type[BaseException], n: int) -> None:
    out = tmp_path / "out"
    with (  # noqa: PT012
        pytest.raises(error, match="why"),
        unfinished(str(out), ABOUT, ["a"], force=False, resume=False) as run,
    ):
        for _ in range(n):
            run.add("a", b"result")
        raise error("why")
    assert Path(f"{out}.part").exists() == bool(n)


def test_a_changed_input_is_run_again_and_a_new_one_too(sounds: list[str], tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in "abc"]
    for name in names:
        Path(name).write_bytes(b"sound")
    records(tmp_path / "out", names)
    Path(names[1]).write_bytes(b"other sound")
    with unfinished(str(tmp_path / "out"), ABOUT, [*names, sounds[0]], force=False, resume=True) as run:
        assert [run.has(name) for name in [*names, sounds[0]]] == [True, False, True, False]
        assert dict(run.pieces(names)).keys() == {names[0], names[2]}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="links and locks of POSIX")
def test_what_is_no_unfinished_run_of_ones_own_is_left_alone(tmp_path: Path, sounds: list[str]) -> None:
    out, part, other = tmp_path / "out", tmp_path / "out.part", tmp_path / "other"
    other.write_bytes(b"dear")

    def refused(said: str) -> None:
        for how in ({"force": True, "resume": False}, {"force": False, "resume": True}):
            with pytest.raises(fa.OutputError, match=said), unfinished(str(out), ABOUT, sounds, **how):
                pass
        assert other.read_bytes() == b"dear"

    part.symlink_to("other")
    refused(r"out\.part: expected a file that can be written")
    part.unlink()
    os.link(other, part)
    refused(r"out\.part: expected a file of your own, got another")
    part.unlink()
    part.write_bytes(b"my notes")
    refused(r"out\.part: expected an unfinished run, got another file; move it away")
    assert part.read_bytes() == b"my notes"
    part.unlink()
    with unfinished(str(out), ABOUT, sounds, force=False, resume=False):
        refused("expected no other run with this output, got one")
    assert not part.exists()


def test_scores_that_are_no_numbers_are_run_again(
    sounds: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "tags.txt"

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        found = fa.Pipeline.load()(sounds[0])
        spoilt = replace(found, scores=np.full_like(found.scores, np.nan))
        patch.setattr(fa.Pipeline, "__call__", lambda *_, **__: spoilt)
        patch.setattr(results, "_write_whole", interrupt)
        status, said = main(capsys, "tag", sounds[0], "--csv", "--output", out)
    assert f"{sounds[0]}: expected scores that are numbers, got NaN or infinity from the network" in said
    status, said = main(capsys, "tag", sounds[0], "--csv", "--output", out, "--resume")
    assert (status, said) == (0, "fastaudio: 0 of 1 files are done already\n")
