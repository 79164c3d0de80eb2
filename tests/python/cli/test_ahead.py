"""What is loaded ahead changes nothing but the time."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import pytest
from fastaudio import cli
from fastaudio.cli import ahead as ahead_module
from fastaudio.cli.ahead import Ahead as Libraries
from fastaudio.cli.ahead import Loaded
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
    with Libraries(words, program=False):
        pass


def test_an_interruption_while_numpy_is_imported_ends_what_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ahead_module, "_import_numpy", interrupted)
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with pytest.raises(KeyboardInterrupt), Libraries(["tag", str(GUITAR)], program=True):
        pytest.fail("it goes on")
    assert gc.isenabled()
    assert "OPENBLAS_NUM_THREADS" not in os.environ
    assert "fastaudio-libraries" not in {thread.name for thread in threading.enumerate()}


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


def test_a_model_that_is_loaded_ahead_is_the_one_that_was_asked_for() -> None:
    loaded = Loaded(2, kinds=True)
    loaded.load()
    pipeline = loaded.pipeline("musicnn-mtt", 2, channel=None, isolate=False)
    assert pipeline is not None
    alone = fa.Pipeline.load("musicnn-mtt", threads=2)
    assert (str(pipeline), pipeline.card, pipeline.node) == (str(alone), alone.card, alone.node)
    judge, wanted = loaded.judge(pipeline), judge_of(alone)
    assert judge is not None
    assert wanted is not None
    assert str(judge.pipeline) == str(wanted.pipeline)
    assert loaded.judge(alone) is None
    others: list[tuple[str, int, dict[str, Any]]] = [
        ("vgg-mtt", 2, {}),
        ("musicnn-mtt", 1, {}),
        ("musicnn-mtt", 2, {"channel": 0}),
        ("musicnn-mtt", 2, {"isolate": True}),
    ]
    assert [loaded.pipeline(model, threads, **how) for model, threads, how in others] == [None] * 4


@pytest.mark.parametrize(
    "more", [["--hop", "1.5"], ["--threads", "1"], ["--channel", "0"], ["--no-kind"], ["--model", "vgg-mtt"]]
)
def test_the_program_tags_as_main_does(more: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    words = ["tag", str(GUITAR), "--json", *more]
    assert cli.main(words) == 0
    assert run(_MAIN + "sys.exit(status)", *words).stdout == capfd.readouterr().out


def test_a_model_that_is_not_there_is_told_by_who_loads_it(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["tag", "--model", str(tmp_path / "none.json"), str(GUITAR)]) == 2
    told = capfd.readouterr().err
    assert told.count("expected") == 1
    assert "none.json" in told
