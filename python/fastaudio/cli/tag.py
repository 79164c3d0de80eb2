"""fastaudio tag: files to labels."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from fastaudio.cli.arguments import RAW, Commands, add_untrained, positive
from fastaudio.cli.events import (
    EVENT_WRITERS,
    TABLES,
    add_events_forms,
    add_events_options,
    gives_events,
    with_events,
)
from fastaudio.cli.files import FileRun, add_files, add_files_options, find_files, threads_of
from fastaudio.cli.write import WRITERS
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    _OpenWriter = Callable[[TextIO], Callable[[Any], None]]

_EXAMPLES = """\
examples:
  fastaudio tag song.mp3                         the five best tags
  fastaudio tag album/ --top 3 --jobs 2          every audio file in a folder and below
  fastaudio tag song.mp3 --windows               tags over time, a window every 3 s
  fastaudio tag song.mp3 --events --onset 0.3    what is heard from when to when
  fastaudio tag song.mp3 --raven --output song.Table.1.selections.txt
  fastaudio tag *.wav --jsonl --output tags.jsonl
  cat song.ogg | fastaudio tag -                 an audio file from stdin
  fastaudio tag song.mp3 --model vgg-msd         another model, see: fastaudio models
  fastaudio tag talk.wav --model silero-vad      how much of it is speech

exit status: 0 all files done, 1 some failed (each named on stderr), 2 wrong usage, 130 interrupted
"""


def add(commands: Commands) -> None:
    """Add the command."""
    tag = commands.add_parser(
        "tag",
        help="tag audio files",
        description="Tag audio files: labels and scores on stdout, progress and problems on stderr.",
        epilog=_EXAMPLES,
        formatter_class=RAW,
    )
    add_files(tag)
    add_untrained(tag)
    tag.add_argument("--top", type=positive, default=5, metavar="K", help="tags to show (%(default)s)")
    tag.add_argument("--windows", action="store_true", help="tags of each window, not of the whole")
    form = tag.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", help="one JSON list")
    form.add_argument(
        "--jsonl",
        dest="form",
        action="store_const",
        const="jsonl",
        help="a JSON line a file, window or event",
    )
    form.add_argument(
        "--csv", dest="form", action="store_const", const="csv", help="a CSV row a tag or event"
    )
    add_events_forms(form)
    tag.add_argument("--output", metavar="FILE", help="write results there instead of stdout")
    add_files_options(tag)
    add_events_options(tag)
    tag.set_defaults(run=_run)


def _pipeline(args: argparse.Namespace, threads: int, n_files: int) -> tuple[Pipeline, _OpenWriter]:
    """Return what to run, and what writes its results."""
    pipeline = Pipeline.load(args.model, threads=threads, channel=args.channel, untrained=args.untrained)
    pipeline = with_events(pipeline, args)
    if not gives_events(pipeline):
        return pipeline, partial(WRITERS[args.form], args)
    if args.windows:
        raise ValueError("tag: expected --windows or --events, got both")
    if args.form in TABLES and n_files > 1:
        raise ValueError(f"tag: expected one file with --{args.form}, got {n_files}; call it for each file")
    return pipeline, EVENT_WRITERS[args.form]


def _run(args: argparse.Namespace) -> int:
    names = find_files(args.paths, "tag")
    pipeline, open_writer = _pipeline(args, threads_of(args, len(names)), len(names))
    with ExitStack() as stack:
        files = FileRun(pipeline, names, args, stack)
        out: TextIO = sys.stdout
        if args.output:
            out = stack.enter_context(
                Path(args.output).open("w", encoding="utf-8", errors="backslashreplace", newline="")
            )
        write = open_writer(out)
        for name, result in files:
            for tags in result.values() if isinstance(result, dict) else [result]:
                if tags.truncated:
                    files.say_truncated(name, tags.duration_s)
                with files.bar.aside():
                    write(replace(tags, path=name))
                files.sound_s += tags.duration_s
        write(None)
    return files.status()
