"""What is loaded ahead changes nothing but the time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import fastaudio as fa
import pytest
from fastaudio import cli
from fastaudio.cli.ahead import loading
from fastaudio.kinds import Ahead, judge_of
from helpers import GUITAR

if TYPE_CHECKING:
    from pathlib import Path


def run(code: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


_MAIN = "import gc, os, sys\nfrom fastaudio.cli import main\nbefore = dict(os.environ)\nstatus = main()\n"


def test_the_program_leaves_the_environment_and_the_garbage_collector_as_they_were() -> None:
    code = (
        _MAIN + "changed = {k for k, v in os.environ.items() if before.get(k) != v}\n"
        "assert not changed and gc.isenabled(), changed\nsys.exit(status)"
    )
    done = run(code, "tag", str(GUITAR), ORT_DISABLE_TELEMETRY="1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(GUITAR))


def test_a_chosen_number_of_blas_threads_is_kept() -> None:
    code = _MAIN + "assert os.environ['OPENBLAS_NUM_THREADS'] == '2'\nsys.exit(status)"
    assert run(code, "tag", str(GUITAR), OPENBLAS_NUM_THREADS="2").returncode == 0


@pytest.mark.parametrize("words", [[], ["tag", "--help"], ["info"], ["--version", "tag"]])
def test_other_commands_begin_no_thread(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _: pytest.fail("a thread"))
    with loading(words, program=False):
        pass


def test_wrong_words_are_told_as_before(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["tag", "--hope", "1", "x.wav"])
    assert ended.value.code == 2
    assert "did you mean --hop" in capfd.readouterr().err


def test_what_tells_kinds_is_the_same_ahead() -> None:
    pipeline = fa.Pipeline.load("musicnn-mtt")
    ahead, alone = judge_of(pipeline, ahead=Ahead("musicnn-mtt")), judge_of(pipeline)
    assert ahead is not None
    assert alone is not None
    assert str(ahead.pipeline) == str(alone.pipeline)
    assert (ahead.wanted, ahead.model, ahead.window_s) == (alone.wanted, alone.model, alone.window_s)


def test_a_model_that_is_not_there_is_told_by_who_loads_it(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["tag", "--model", str(tmp_path / "none.json"), str(GUITAR)]) == 2
    told = capfd.readouterr().err
    assert told.count("expected") == 1
    assert "none.json" in told
