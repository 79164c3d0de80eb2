"""The option --start, and the time of day in the JSON of recordings whose start is known."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from fastaudio.running.start_time import start_in_name, start_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastaudio.cli.write import Form


def moment(text: str) -> str:
    """Return a time as ISO 8601 writes it, with its zone."""
    try:
        return start_of(text).isoformat()
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_start(parser: argparse.ArgumentParser | argparse._ArgumentGroup, what: str) -> None:
    """Add --start for `what`, such as a file."""
    parser.add_argument(
        "--start",
        type=moment,
        metavar="TIME",
        help=f"when the sound of {what} began, such as 2026-11-28T13:15:00, or with +01:00 at the end "
        "(a file's name may say it: 20261128_131500.wav)",
    )


def started_of(start: str | None, name: str | None) -> datetime | None:
    """Return when a recording began: as --start says, or else as the file's name does, if it does."""
    if start is not None:
        return datetime.fromisoformat(start)
    return None if name is None else start_in_name(name)


def timed(form: Form, args: argparse.Namespace, names: Sequence[str]) -> Form:
    """Return a form that adds the time of day, `time`, to the JSON of recordings whose start is known.

    Raises:
        ValueError: --start for several files, or for a form that has no place for it.
    """
    if args.start is not None and len(names) > 1:
        raise ValueError(f"tag: expected one file with --start, got {len(names)}; call it for each file")
    if args.form not in {"json", "jsonl"}:
        if args.start is not None:
            raise ValueError("tag: expected --json or --jsonl with --start, got another form; add one")
        return form

    def piece(result: Any) -> str:
        text = form.piece(result)
        start = started_of(args.start, result.path)
        if start is None:
            return text
        if args.form == "jsonl":
            parts = [_with_times(json.loads(line), start) for line in text.split("\n") if line]
            return "".join(json.dumps(part, ensure_ascii=False) + "\n" for part in parts)
        whole = json.dumps(_with_times(json.loads(text), start), indent=2, ensure_ascii=False)
        return "  " + whole.replace("\n", "\n  ")

    return replace(form, piece=piece)


def _with_times(data: dict[str, Any], start: datetime) -> dict[str, Any]:
    """Add the time to a whole, a window or an event, and to all that it holds."""
    moment = start + timedelta(seconds=data.get("start_s") or 0.0)
    parts = {
        key: [_with_times(part, start) for part in data[key]] for key in ("windows", "events") if key in data
    }
    return data | {"time": moment.isoformat(timespec="milliseconds")} | parts
