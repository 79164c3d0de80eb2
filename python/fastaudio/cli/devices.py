"""The command `fastaudio devices`: the microphones that there are."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from fastaudio._system.text import printable
from fastaudio.cli.arguments import OK, Commands, add_command
from fastaudio.live.devices import devices, find_device

if TYPE_CHECKING:
    import argparse

_HELP = """\
list the microphones

List the sound inputs that `fastaudio listen` can open, with their numbers and names.

examples:
  fastaudio devices          a table; * marks the default
  fastaudio devices --json   a JSON list

exit status: 0 there are some, 1 there are none, or PortAudio isn't installed, 2 wrong usage
"""


def add(commands: Commands) -> None:
    """Add the command."""
    listing = add_command(commands, "devices", _run, _HELP)
    listing.add_argument("--json", action="store_true", help="write one JSON list")


def _run(args: argparse.Namespace) -> int:
    found = devices()
    used = find_device()  # raises if there is none
    if args.json:
        sys.stdout.write(json.dumps([asdict(device) for device in found], indent=2) + "\n")
        return OK
    names = max(len(printable(device.name)) for device in found)
    hosts = max(len(printable(device.host_api)) for device in found)
    for device in found:
        mark = "*" if device == used else " "
        channels = f"{device.channels} channel{'s' if device.channels > 1 else ''}"
        sys.stdout.write(
            f"{mark} {device.index:>3}  {printable(device.name):<{names}}  "
            f"{printable(device.host_api):<{hosts}}  "
            f"{device.sample_rate:>6} Hz  {channels}\n"
        )
    return OK
