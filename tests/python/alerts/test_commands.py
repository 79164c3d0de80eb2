"""Commands run beside the rest, without a shell, whatever labels are like; none runs for ever."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastaudio.alerts.commands import Commands, arguments, environment
from fastaudio.alerts.rules import Rule
from fastaudio.alerts.watch import Alert
from fastaudio.mqtt.broker import PASSWORD

TIME = datetime(2026, 11, 28, 22, tzinfo=UTC)
LIMIT_S = 60.0
WRITES = """
import json, os, sys
own = {key: value for key, value in os.environ.items() if key.startswith("FASTAUDIO_")}
open(sys.argv[1], "w").write(json.dumps([sys.argv[2:], own]))
"""


def alert(*command: str, label: str = "dog", **more: Any) -> Alert:
    rule = Rule(name="barking", labels=(label,), command=command, **more)
    return Alert(rule, "yamnet", label, 0.75, 1.0, 2.0, TIME)


def test_values_come_as_arguments_and_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD, "secret")
    path, said = tmp_path / "out", []
    commands = Commands(said.append)
    command = (sys.executable, "-c", WRITES, str(path), "{label} {score}", "{time}", "{unknown} {")
    commands.run(alert(*command, label="big dog"))
    commands.close()
    given, variables = json.loads(path.read_text(encoding="utf-8"))
    variables = {key: value for key, value in variables.items() if key not in os.environ}
    assert given == ["big dog 0.75", "2026-11-28T22:00:00.000+00:00", "{unknown} {"]
    assert variables == {
        "FASTAUDIO_RULE": "barking",
        "FASTAUDIO_LABEL": "big dog",
        "FASTAUDIO_SCORE": "0.75",
        "FASTAUDIO_TIME": "2026-11-28T22:00:00.000+00:00",
        "FASTAUDIO_DURATION_S": "2",
        "FASTAUDIO_MODEL": "yamnet",
    }
    assert said == []
    assert commands.n_failed == 0


@pytest.mark.parametrize(
    "label", ["--help", "-rf /", "$(touch x)", "`touch x`", "a; touch x", "{score}", "\x1b[2J\x00", "a\nb"]
)
def test_a_label_is_no_option_no_command_and_controls_nothing(label: str) -> None:
    program, value, option = arguments(("echo", "{label}", "--text={label}"), alert("echo", label=label))
    assert program == "echo"
    assert not value.startswith("-")
    assert option.startswith("--text=")
    assert value.isprintable()
    assert all(text.isprintable() for text in environment(alert("echo", label=label)).values())
    if label == "{score}":
        assert value == "{score}"


def test_a_program_that_fails_or_is_not_there_is_said_and_the_rest_runs(tmp_path: Path) -> None:
    path, said = tmp_path / "out", []
    commands = Commands(said.append)
    commands.run(alert("/no/such/program"))
    commands.run(alert(sys.executable, "-c", "import sys; print('x' * 10**6); sys.exit(3)"))
    commands.run(alert(sys.executable, "-c", WRITES, str(path)))
    commands.close()
    assert path.exists()
    missing, failed = said
    assert missing.startswith("alerts: rule barking: expected a program that runs, got /no/such/program: ")
    assert failed == f"alerts: rule barking: {sys.executable} ended with status 3"
    assert commands.n_failed == 2


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="this system has no groups of processes")
def test_a_program_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    path, said = tmp_path / "pid", []
    commands = Commands(said.append)
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\n"
        "time.sleep(600)"
    )
    commands.run(alert(sys.executable, "-c", code, str(path), timeout_s=3.0))
    started_s = time.monotonic()
    while not said:
        assert time.monotonic() - started_s < LIMIT_S
        time.sleep(0.02)
    assert "didn't end within 3 s, and was ended" in said[0]
    if path.exists() and (text := path.read_text(encoding="utf-8")):  # a slow machine may not come so far
        child = int(text)
        for _ in range(6000):
            try:
                os.kill(child, 0)
                state = Path(f"/proc/{child}/stat").read_text(encoding="utf-8").split()[2]
            except OSError:
                break
            if state == "Z":  # nobody has asked how it ended
                break
            time.sleep(0.01)
        else:
            pytest.fail("the child goes on")
    commands.close()


def test_many_alerts_wait_in_a_queue_that_has_an_end_and_nothing_waits_for_it() -> None:
    said: list[str] = []
    commands = Commands(said.append)
    slow = alert(sys.executable, "-c", "import time; time.sleep(600)", timeout_s=600.0)
    started_s = time.monotonic()
    for _ in range(30):
        commands.run(slow)
    assert time.monotonic() - started_s < LIMIT_S
    assert commands.n_dropped >= 13
    assert said == ["alerts: 16 commands wait: others are dropped"]
    commands.close()  # ends the one that runs
    assert time.monotonic() - started_s < LIMIT_S
    assert said[-1].endswith("commands weren't run")
