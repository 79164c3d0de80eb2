"""Stretches of files that were found, in the forms that results may have."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fastaudio._system.commas import csv_text
from fastaudio._system.text import printable
from fastaudio.annotations.event import Event
from fastaudio.annotations.tables import audacity_line, raven_header, raven_row
from fastaudio.cli.terminal import put

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_FORMS = {
    "json": "write one JSON list",
    "jsonl": "write a line of JSON for each",
    "csv": "write CSV",
    "audacity": "write an Audacity label track, of stretches of one file",
    "raven": "write a Raven Pro selection table, which names the files in the column Begin File",
}
_HIGH_HZ = 22_050.0  # to which selections reach: files' rates aren't read


def add_forms(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a form; at most one of them may be given."""
    forms = parser.add_mutually_exclusive_group()
    for name, text in _FORMS.items():
        forms.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=text)


def write(found: Sequence[Any], form: str | None, label: str) -> None:
    """Write what was found to stdout; arguments as for `text_of`."""
    text = text_of(found, form, label)
    if form is None:
        sys.stdout.write(text)
    else:
        put(text)


def text_of(found: Sequence[Any], form: str | None, label: str) -> str:
    """Return what was found in a form; `label` is the label of a stretch that has no guess of a model.

    Args:
        found: hits of a search, or candidates to review.
        form: "json", "jsonl", "csv", "audacity" or "raven"; None for text.
        label: what it is called in tables of labels.

    Raises:
        ValueError: a label track is wanted of stretches of several files.
    """
    plain = [asdict(one) for one in found]
    if form == "json":
        return json.dumps(plain, ensure_ascii=False) + "\n"
    if form == "jsonl":
        return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in plain)
    if form == "csv":
        return _csv(plain)
    if form in ("audacity", "raven"):
        return _table(found, form, label)
    return "".join(f"{one.score:7.3f}  {place(one)}{_guess(one)}\n" for one in found)


def place(one: Any) -> str:
    """Return where a stretch is, as text."""
    return f"{one.start_s:9.2f} - {one.end_s:9.2f} s  {printable(one.path)}"


def _guess(one: Any) -> str:
    guess = getattr(one, "guess", None)
    return "" if guess is None else f"  {printable(guess)} {one.guess_score:.3f}"


def _csv(plain: Sequence[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(key for one in plain for key in one)) or [
        "path",
        "start_s",
        "end_s",
        "score",
    ]
    return csv_text([columns, *([one[name] for name in columns] for one in plain)])


def _table(found: Sequence[Any], form: str, label: str) -> str:
    paths = list(dict.fromkeys(one.path for one in found))
    if form == "audacity" and len(paths) > 1:
        raise ValueError(
            f"--audacity: expected stretches of one file, got some of {len(paths)}; take --raven, which "
            "names the files, or --csv"
        )
    events = [
        Event(getattr(one, "guess", None) or label, one.start_s, one.end_s, one.score, one.score)
        for one in found
    ]
    if form == "audacity":
        return "".join(audacity_line(event) for event in sorted(events, key=lambda event: event.start_s))
    rows = [
        raven_row(event, i, high_hz=_HIGH_HZ, path=one.path)
        for i, (event, one) in enumerate(zip(events, found, strict=True), start=1)
    ]
    return raven_header() + "".join(rows)
