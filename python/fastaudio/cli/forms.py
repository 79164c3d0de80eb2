"""The forms that results may have: the options that choose one, and the names of files that hold it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio._system.writing import is_stream

if TYPE_CHECKING:
    import argparse

_FORMS = {
    "json": "write one JSON list",
    "jsonl": "write one JSON line per file, window or event",
    "csv": "write one CSV row per tag or event",
    "audacity": "write events as an Audacity label track",
    "raven": "write events as a Raven Pro selection table",
    "rttm": "write events as RTTM, with labels as names of speakers",
    "praat": "write events as a TextGrid of Praat",
}

TABLES = ("audacity", "raven", "rttm", "praat")
"""Forms that hold events only."""

ALONE = ("audacity", "raven", "praat")
"""Those that hold the events of a single recording."""

SUFFIXES = {
    None: ".txt",
    "json": ".json",
    "jsonl": ".jsonl",
    "csv": ".csv",
    "audacity": ".txt",
    "raven": ".Table.1.selections.txt",
    "rttm": ".rttm",
    "praat": ".TextGrid",
}
"""How the name of a recording's own file ends, by its form."""

_BY_SUFFIX = {suffix.lower(): form for form, suffix in SUFFIXES.items() if ".txt" not in suffix}


def add_forms(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a form; at most one of them may be given."""
    forms = parser.add_mutually_exclusive_group()
    for name, text in _FORMS.items():
        forms.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=text)


def choose_form(args: argparse.Namespace) -> None:
    """Let the name of --output choose the form, such as tags.csv, where no option does."""
    if args.form is None and args.output and not is_stream(args.output):
        args.form = _BY_SUFFIX.get(Path(args.output).suffix.lower())


def names_folder(output: str) -> bool:
    """Tell whether --output names a folder, by its end or since it is one, where recordings get files."""
    return output.endswith(("/", os.sep)) or os.path.isdir(output)  # noqa: PTH112  # Path drops the slash
