"""An option means the same in every command that has it, and docs/cli.md says which commands these are."""

from __future__ import annotations

import argparse
import re
import runpy

import pytest
from fastaudio.cli import running
from helpers import ROOT

options_table = runpy.run_path(str(ROOT / "tools" / "options_table.py"))
SHARED = options_table["SHARED"]
# An option that may be given again takes a list, and says so.
AGAIN = {("--model", "listen"), ("--model", "serve"), ("--model", "train")}
# What is written differs from command to command; all else is told in the same words.
TOLD_APART = {"--output", "--json", "--csv", "--hop", "--layer", "--jobs", "--untrained", "--model", "--top"}
TOLD_APART |= {"--jsonl", "--audacity", "--raven", "--min-score"}
DEFAULT_TOP = {"plot": 10, "summarize": 15, "search": 20, "review": 20}


def parsers() -> dict[str, argparse.ArgumentParser]:
    (commands,) = (a for a in running._parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(commands.choices)


options = options_table["options"]


@pytest.mark.parametrize("option", SHARED)
def test_an_option_is_the_same_in_every_command(option: str) -> None:
    actions = options()[option]
    assert actions
    ours = {command: a for command, a in actions.items() if (option, command) not in AGAIN}
    kinds = {(a.type, a.nargs, a.choices is None) for a in ours.values()}
    assert len(kinds) == 1, {command: (a.type, a.nargs) for command, a in ours.items()}
    if option not in TOLD_APART:
        assert len({a.help for a in ours.values()}) == 1
    metavars = {a.metavar for a in ours.values()}
    assert metavars <= (
        {"FILE", "FOLDER"} if option == "--output" else metavars if len(metavars) == 1 else set()
    )


def test_defaults_are_the_same_but_where_the_help_says_so() -> None:
    for option in SHARED:
        for command, action in options()[option].items():
            default = DEFAULT_TOP.get(command, 5) if option == "--top" else None
            if option == "--top":
                assert action.default == default
            if action.default is not None and action.nargs != 0:
                assert (
                    str(action.default) in (action.help % {"default": action.default}) or option == "--jobs"
                )


def test_what_writes_a_file_has_a_short_form_and_asks_for_force() -> None:
    found = options()
    assert found["-o"].keys() == found["--output"].keys()
    grows, draws = {"scan"}, {"summarize"}  # adds to the folder; writes a picture by --plot only
    assert found["--force"].keys() - draws == found["--output"].keys() - grows
    assert found["--resume"].keys() <= found["--output"].keys()


@pytest.mark.parametrize("command", parsers())
def test_help_fits_a_terminal_and_shows_examples(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    parser = parsers()[command]
    forms = "[--json | --jsonl"  # which argparse keeps together
    lines = parser.format_help().splitlines()
    assert [line for line in lines if len(line) > 80 and forms not in line] == []
    monkeypatch.setenv("COLUMNS", "120")
    assert parser.epilog is None or parser.epilog.strip() in parser.format_help()
    if command not in {"unpack", "info"}:
        assert "examples:\n" in (parser.epilog or ""), command
        assert f"  fastaudio {command}" in parser.epilog
    for action in parser._actions:
        assert action.help, action
        assert action.help == argparse.SUPPRESS or not action.help.endswith("."), action.help


def test_the_page_says_which_command_takes_which_option() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert options_table["table"]() in page, "run: python tools/options_table.py"
    assert set(parsers()) <= set(re.findall(r"`fastaudio ([\w-]+)`", page))
