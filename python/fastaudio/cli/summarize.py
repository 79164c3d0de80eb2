"""The command `fastaudio summarize`: hours of a scan per label, per day and per folder."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from fastaudio._system.commas import csv_text
from fastaudio._system.text import printable
from fastaudio.cli.arguments import (
    OK,
    Commands,
    add_command,
    add_force,
    add_verbose,
    number,
    positive,
    refuse_idle,
)
from fastaudio.cli.terminal import put
from fastaudio.drawing import figures
from fastaudio.summarizing.days import UNKNOWN
from fastaudio.summarizing.hours import HOUR_S, summarize
from fastaudio.summarizing.picture import picture

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from fastaudio.summarizing.hours import Group, Summary

_HELP = """\
sum up a scan: hours per label, per day and per folder

Say how many hours of sound a scan holds, per day and per folder, and in how many of them each label is heard.

examples:
  fastaudio scan archive/ --windows --output scanned    first
  fastaudio summarize scanned
  fastaudio summarize scanned --min-score 0.5 --csv > hours.csv
  fastaudio summarize scanned --plot hours.png --dark
  fastaudio summarize scanned --day-column recorded    a column of the table that listed the files

A label is heard where its score reaches what the model's card says of it (or 0.5, or --min-score); where
windows overlap, sound counts once. A scan without --windows has the mean score of each file, which counts
for all of it. The day of a file is that of a column such as recorded or date, or else in its name
(20240513_053000.WAV, 2024-05-13.flac), or else that of its last change in this machine's time zone; the first
lines say which it was. CSV has the columns by (all, label, day or folder), name, label, hours and n_files;
label is empty where all sound counts.

exit status: 0 done, 1 the picture can't be written, 2 wrong usage, 130 interrupted
"""
CSV_COLUMNS = ("by", "name", "label", "hours", "n_files")


def add(commands: Commands) -> None:
    """Add the command."""
    command = add_command(commands, "summarize", _run, _HELP)
    command.add_argument("scan", metavar="SCAN", help="a folder that fastaudio scan has written")
    command.add_argument(
        "--min-score", type=number, metavar="X", help="from which score labels count (what the card says)"
    )
    command.add_argument(
        "--day-column", metavar="NAME", help="column of the scan that says when files were recorded"
    )
    command.add_argument(
        "--top", type=positive, default=15, metavar="K", help="labels, days and folders to show (%(default)s)"
    )
    forms = command.add_mutually_exclusive_group()
    for name, text in (("json", "write all as JSON"), ("csv", "write all as CSV")):
        forms.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=text)
    command.add_argument("--plot", metavar="FILE.png", help="draw it (PNG, SVG or PDF)")
    command.add_argument("--dark", action="store_true", help="draw on a dark page")
    add_force(command)
    add_verbose(command)


def _run(args: argparse.Namespace) -> int:
    if args.plot:
        figures.check(args.plot, force=args.force)
    else:
        refuse_idle(args, "without --plot, got it; add --plot FILE.png", "dark", "force")
    found = summarize(args.scan, min_score=args.min_score, day_column=args.day_column)
    if args.form == "json":
        put(json.dumps({"scan": args.scan} | found.to_dict(), ensure_ascii=False) + "\n")
    elif args.form == "csv":
        put(_csv(found))
    else:
        sys.stdout.write(printable(_text(args.scan, found, args.top), lines=True))
    if args.plot:
        figures.save(picture(found, args.scan, top=args.top, dark=args.dark), args.plot, force=args.force)
    return OK


def _csv(found: Summary) -> str:
    rows: list[Sequence[object]] = [CSV_COLUMNS]
    for by, groups in (("all", {"": found.whole}), ("day", found.days), ("folder", found.folders)):
        for name, group in groups.items():
            rows.append((by, name, "", _hours(group.sound_s), group.n_files))
            for label, value_s in group.most_heard():
                rows.append((by, name, label, _hours(value_s), group.n_files))
    return csv_text(rows)


def _hours(value_s: float) -> float:
    return round(value_s / HOUR_S, 6)


def _text(scan: str, found: Summary, top: int) -> str:
    whole = found.whole
    failed = f", {whole.n_failed:,} failed" if whole.n_failed else ""
    sources = ", ".join(
        f"unknown ({n:,} files)" if name == UNKNOWN else f"from {name} ({n:,} files)"
        for name, n in found.days_from.most_common()
    )
    lines = [
        f"{scan}: {whole.n_files:,} files{failed}, {whole.sound_s / HOUR_S:,.3f} h of sound",
        f"days {sources}",
    ]
    if found.thresholds:
        shares = [(name, value_s, None) for name, value_s in whole.most_heard()]
        lines += _table("label", shares, top, whole.sound_s)
    lines += _table("day", [(name or "unknown", *_of(group)) for name, group in found.days.items()], top)
    folders = sorted(found.folders.items(), key=lambda pair: (-pair[1].sound_s, pair[0]))
    lines += _table("folder", [(name, *_of(group)) for name, group in folders], top)
    return "\n".join(lines) + "\n"


def _of(group: Group) -> tuple[float, int]:
    return group.sound_s, group.n_files


def _table(
    what: str, rows: Sequence[tuple[str, float, int | None]], top: int, whole_s: float = 0.0
) -> list[str]:
    lines = ["", f"     hours  {'share' if whole_s else 'files'}  {what}"]
    for name, value_s, n_files in rows[:top]:
        beside = f"{value_s / whole_s:5.1%}" if n_files is None and whole_s else f"{n_files or 0:5,}"
        lines.append(f"{value_s / HOUR_S:10,.3f}  {beside}  {name}")
    if not rows:
        lines.append(f"         -      -  no {what} is heard")
    if len(rows) > top:
        lines.append(f"            and {len(rows) - top:,} more; --csv has all")
    return lines
