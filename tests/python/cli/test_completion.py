"""The script of --print-completion, in a real bash, completes what the parsers take, and runs no name."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

import fastaudio as fa
import pytest
from cli_helpers import run
from fastaudio import registry
from fastaudio.cli import running

if TYPE_CHECKING:
    from pathlib import Path

BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="no bash")


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setenv("FASTAUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, "--print-completion", "bash")
    assert (status, err) == (0, "")
    return out


def completed(script: str, folder: Path, *lines: str) -> list[list[str]]:
    """Return what bash offers for the last word of each line, which is empty after a space."""
    calls = []
    for line in lines:
        words = [*shlex.split(line), *([""] if line.endswith(" ") else [])]
        calls.append(f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}; _fastaudio")
        calls.append('printf "%s\\n" "${COMPREPLY[@]}"; echo =====')
    text = "\n".join([script, *calls])
    result = subprocess.run(
        [str(BASH), "--norc", "-c", text],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    assert result.stderr == ""
    return [[word for word in part.split("\n") if word] for part in result.stdout.split("=====\n")[:-1]]


def test_commands_options_choices_and_models_are_completed(script: str, tmp_path: Path) -> None:
    lines = ["t", "tag song.mp3 --mi", "tag --model mus", "tag --model = sil", "listen --overflow "]
    lines += ["get pan", "--print-c"]
    got = completed(script, tmp_path, *(f"fastaudio {line}" for line in lines))
    assert got == [
        ["tag", "train"],
        ["--min-score", "--min-on", "--min-off"],
        [name for name in fa.models() if name.startswith("mus")],
        ["silero-vad"],
        ["drop_oldest", "block", "raise"],
        [name for name in registry.entries() if name.startswith("pan")],
        ["--print-completion"],
    ]


def test_every_option_of_every_command_is_completed(script: str, tmp_path: Path) -> None:
    (commands,) = (a for a in running._parser()._actions if isinstance(a, argparse._SubParsersAction))
    got = completed(script, tmp_path, *(f"fastaudio {name} -" for name in commands.choices))
    for words, parser in zip(got, commands.choices.values(), strict=True):
        known = {word for action in parser._actions for word in action.option_strings}
        assert set(words) == {word for word in known if word.startswith("--")}


def test_files_are_left_to_the_shell_and_numbers_to_the_user(script: str, tmp_path: Path) -> None:
    (tmp_path / "mine card.json").touch()
    got = completed(
        script, tmp_path, "fastaudio tag so", "fastaudio tag a --output x", "fastaudio tag --top "
    )
    assert got == [[], [], []]  # bash then offers files, but none after --top
    assert completed(script, tmp_path, "fastaudio tag --model mi")[0] == ["mine card.json"]
    assert "complete -o bashdefault -o default -F _fastaudio fastaudio" in script


def test_a_model_fetched_later_is_offered_and_no_name_is_run(script: str, tmp_path: Path) -> None:
    for name in ("my-model", "x$(touch ran)", "x`touch ran`", "x*"):
        (tmp_path / "home" / "models" / name).mkdir(parents=True)
    got = completed(script, tmp_path, "fastaudio tag --model my", "fastaudio tag --model x")
    assert got[0] == ["my-model"]
    assert sorted(got[1]) == ["x$(touch ran)", "x*", "x`touch ran`"]
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh")
def test_zsh_takes_it_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "--print-completion", "zsh")[1]
    after = "whence -w _fastaudio; print ${_comps[fastaudio]}"
    call = f"autoload -U +X compinit && compinit -u -D\n{text}\n{after}"
    result = subprocess.run(
        ["zsh", "-f", "-c", call], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "_fastaudio: function" in result.stdout
    assert "_bash_complete" in result.stdout


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "--print-completion", "tcsh")
    assert (status, out) == (2, "")
    assert "expected one of bash, zsh, got 'tcsh'" in err
