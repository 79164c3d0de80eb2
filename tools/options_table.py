"""Write into docs/cli.md which command takes which of the shared options, as the parsers say.

    python tools/options_table.py

It replaces the table there; `tests/python/cli/test_options.py` fails if that isn't the one that this writes.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from fastaudio.cli import running

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
HEAD = "| option | what it means | commands |\n|---|---|---|\n"

SHARED = {
    "--model": "the model's name, or the path of a card or a packed model",
    "--layer": "the output of the network that gives the rows",
    "--hop": "step between windows, in seconds",
    "--top": "how many: tags, stretches, or labels",
    "--min-score": "leave out tags with scores, and events with peaks, below it",
    "--output": "where results go; `-o` for short",
    "--force": "replace files that are there, once all is done",
    "--resume": "go on with a run that broke off",
    "--json": "one JSON list, or an object where there is one result",
    "--jsonl": "one JSON line per file, window or event",
    "--csv": "a table with a header",
    "--audacity": "a label track of Audacity",
    "--raven": "a selection table of Raven Pro, with `Begin File`",
    "--rttm": "RTTM, labels as names of speakers",
    "--praat": "a TextGrid of Praat, a tier for each label",
    "--jobs": "files to run at once",
    "--threads": "cores per file",
    "--channel": "one channel instead of the mean of all, counted from 0",
    "--isolate": "decode and run in processes of their own",
    "--untrained": "run untrained weights too",
    "--events": "events instead of tags",
    "--quiet": "no progress bar",
    "--verbose": "say more on stderr; `-v` for short",
}


def options() -> dict[str, dict[str, Any]]:
    """Return the parsers' action of each option of each command, by option and command."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for action in running._parser()._actions:  # noqa: SLF001  # argparse has no other way to read a parser
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command, parser in action.choices.items():
                for each in parser._actions:  # noqa: SLF001
                    for option in each.option_strings:
                        found[option][command] = each
    return found


def table() -> str:
    """Return the table, with its head."""
    found = options()
    rows = [f"| `{option}` | {text} | {', '.join(found[option])} |\n" for option, text in SHARED.items()]
    return HEAD + "".join(rows)


def main() -> None:
    """Replace the table in the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(HEAD)
    if not rest:
        sys.exit(f"{PAGE}: expected the table's head, got none; write it where the table belongs")
    lines = rest.splitlines(keepends=True)
    after = next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))
    PAGE.write_text(before + table() + "".join(lines[after:]), encoding="utf-8")


if __name__ == "__main__":
    main()
