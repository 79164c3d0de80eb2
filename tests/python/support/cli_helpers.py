"""Runs the command line in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio import cli

if TYPE_CHECKING:
    import pytest


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of the command line."""
    try:
        status = cli.main([*map(str, arguments)])
    except SystemExit as error:
        status = int(str(error.code))
    out, err = capsys.readouterr()
    return status, out, err
