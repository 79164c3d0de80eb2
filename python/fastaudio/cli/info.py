"""The command `fastaudio info`: versions, for bug reports."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fastaudio._system.text import printable
from fastaudio._system.versions import format_versions
from fastaudio.cli.arguments import OK, Commands, add_command

if TYPE_CHECKING:
    import argparse

_HELP = """\
show versions, instruction set and ONNX Runtime

Show the versions of what is installed, the instruction set in use, and ONNX Runtime.

examples:
  fastaudio info          what to paste into a bug report
"""


def add(commands: Commands) -> None:
    """Add the command."""
    add_command(commands, "info", _run, _HELP)


def _run(_: argparse.Namespace) -> int:
    sys.stdout.write(printable(format_versions(), lines=True))
    return OK
