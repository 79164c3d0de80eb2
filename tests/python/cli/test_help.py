"""Help: every line fits a terminal, and what is shown as a command can be pasted into a shell."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

import pytest
from fastaudio.cli import arguments, running

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = re.compile(r"(?:fastaudio|curl) |.*\| fastaudio ")


def parsers() -> Iterator[argparse.ArgumentParser]:
    parser = running._parser()
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def helps(monkeypatch: pytest.MonkeyPatch, columns: int) -> Iterator[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    for parser in parsers():
        yield parser.format_help()


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_a_line_that_goes_on_belongs_to_a_command(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    seen = 0
    for text in helps(monkeypatch, columns):
        whole = ""
        for line in text.splitlines():
            whole += line.strip()
            if whole.endswith("\\"):
                assert COMMAND.match(whole), whole
                whole = whole[:-1]
                seen += 1
            else:
                whole = ""
        assert not whole
    assert seen > 0


@pytest.mark.parametrize("columns", [60, 80])
def test_a_command_is_the_same_however_it_is_broken(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    def commands(columns: int) -> list[list[str]]:
        return [
            line.split()
            for text in helps(monkeypatch, columns)
            for line in re.sub(r"\\\n\s*", "", text.partition("\nexamples:\n")[2]).splitlines()
            if line.startswith("  ") and COMMAND.match(line[2:])
        ]

    broken, wide = commands(columns), commands(300)
    assert len(broken) == len(wide) > 40
    for some, every in zip(broken, wide, strict=True):
        assert every[: len(some)] == some  # what an example says may stand below it


@pytest.mark.parametrize("columns", [60, 80])
def test_a_help_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    for text in helps(monkeypatch, columns):
        for line in text.partition("\n\n")[2].splitlines():  # behind the usage, which argparse breaks itself
            # A word that is longer than the line, such as a name of a file, stays whole.
            assert len(line) <= columns or len(line.split()) <= 2, line


def test_what_belongs_to_an_item_flows_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    parser = argparse.ArgumentParser(
        "x",
        formatter_class=arguments.RAW,
        description="one of:\n  a folder of recordings, tables that lie beside\n    them, or a table\n"
        "  first, second, third, fourth, fifth, sixth,\n  seventh",
    )
    lines = parser.format_help().splitlines()
    start = lines.index("one of:")
    assert lines[start + 1 : start + 5] == [
        "  a folder of recordings, tables that",
        "    lie beside them, or a table",
        "  first, second, third, fourth, fifth,",
        "    sixth, seventh",
    ]
