"""The command line. Each command is a module with `add(commands)`, which adds its parser.

Commands: `tag`, `embed`, `listen`, `train`, `evaluate`, `pack`, `devices`, `models`, `info`.
Shared: `arguments`; `files` runs over files and `progress` shows it; `events` has the options of events;
`write` writes tags and events, `embedding_files` and `standardize` serve embed; `input`, `record`, `quiet`,
`live_lines` and `screen` serve listen.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from typing import TYPE_CHECKING

from fastaudio._core import FastaudioError, __version__
from fastaudio.cli import devices, embed, evaluate, info, listen, models, pack, tag, train
from fastaudio.cli.arguments import FAILED, INTERRUPTED, OK, RAW, USAGE
from fastaudio.cli.record import RecordError
from fastaudio.live.devices import DeviceError
from fastaudio.running.decode import DecodeError

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXAMPLES = """\
examples:
  fastaudio tag song.mp3
  fastaudio embed album/ --output album.npz
  fastaudio listen
  fastaudio train sounds/ -o my-model
  fastaudio models musicnn-mtt
  fastaudio info
"""
_COMMANDS = (tag, embed, listen, train, evaluate, pack, devices, models, info)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fastaudio",
        description="Tag the sound of files or a microphone: labels with their scores.",
        epilog=_EXAMPLES,
        formatter_class=RAW,
    )
    parser.add_argument("--version", action="version", version=f"fastaudio {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    args = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):  # its encoding may lack characters of a file's name
        sys.stdout.reconfigure(errors="backslashreplace")
    level = logging.INFO if getattr(args, "verbose", False) else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)
    try:
        status: int = args.run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("fastaudio: interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output is gone, so there is nothing left to do
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except (FastaudioError, ValueError, OSError) as error:
        sys.stderr.write(f"fastaudio: {error}\n")
        return FAILED if isinstance(error, DeviceError | DecodeError | RecordError) else USAGE
    return status
