"""The program ends sooner than Python would end it, and leaves out nothing that shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_INTERRUPTED = (
    "import fastaudio.cli\n"
    "def main(): raise KeyboardInterrupt\n"
    "fastaudio.cli.main = main\n"
    "fastaudio.cli.program()"
)
_LEAVE = "import atexit, gc, sys, threading, time\nfrom fastaudio.cli.leaving import leave\n"


def run(code: str, *options: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", _LEAVE + code],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def test_what_is_to_be_done_at_the_end_is_done_and_written() -> None:
    done = run("atexit.register(print, 'last')\nprint('first', end=' ')\nleave(0)")
    assert (done.returncode, done.stdout, done.stderr) == (0, "first last\n", "")


def test_python_takes_nothing_apart_after_success_unless_it_is_watched() -> None:
    code = "class Late:\n    def __del__(self): print('late')\nlate = Late()\nleave({})"
    assert run(code.format(0)).stdout == ""
    assert run(code.format(1)).stdout == "late\n"
    assert run(code.format(0), "-X", "dev").stdout == "late\n"


def test_threads_are_waited_for() -> None:
    code = "threading.Thread(target=lambda: (time.sleep(0.2), print('done'))).start()\nleave(0)"
    assert run(code).stdout == "done\n"


def test_what_only_holds_itself_is_let_go() -> None:
    code = (
        "gc.disable()\nclass Own:\n    def __init__(self): self.own = self\n"
        "    def __del__(self): print('let go')\nOwn()\nleave(0)"
    )
    assert run(code).stdout == "let go\n"


@pytest.mark.parametrize("status", [0, 1, 2, 130])
def test_the_status_is_kept(status: int) -> None:
    assert run(f"leave({status})").returncode == status


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is full")
def test_a_full_disk_is_told_as_python_does() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ours = run("print('lost')\nleave(0)", stdout=full.fileno())
        theirs = run("print('lost')\nsys.exit(0)", stdout=full.fileno())
    assert (ours.returncode, ours.stderr) == (theirs.returncode, theirs.stderr)
    assert ours.returncode != 0


def test_an_interruption_before_the_command_runs_is_told_and_no_fault() -> None:
    done = run(_INTERRUPTED)
    assert (done.returncode, done.stderr) == (130, "fastaudio: interrupted\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("words", "status"),
    [(["tag", "x.ogg", "--bogus"], 2), (["tag", "x.ogg"], 1), (["info", "--nothing"], 2), (["--version"], 0)],
)
def test_a_status_stays_what_it_is_also_if_nothing_can_be_told(
    words: list[str], status: int, unbuffered: str
) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-m", "fastaudio", *words]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stderr=full, stdout=subprocess.PIPE, check=False, env=environment)
    assert done.returncode == status


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_early_interruption_stays_one_also_if_it_cannot_be_told(unbuffered: str) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", _INTERRUPTED], stderr=full, check=False, env=environment)
    assert done.returncode == 130
