"""The command `fastaudio tag`: labels of audio files."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from fastaudio.cli.arguments import Commands, add_command, add_tags
from fastaudio.cli.events import TABLES, add_events_options, gives_events, with_events
from fastaudio.cli.files import FileRun, add_files, add_files_options, find_files, threads_of
from fastaudio.cli.write import events_writer, tags_writer
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    import argparse

_HELP = """\
tag audio files

Tag audio files: labels and scores go to stdout, progress and problems to stderr.

examples:
  fastaudio tag song.mp3                         the five best tags
  fastaudio tag album/ --top 3 --jobs 2          every audio file in a folder and below
  fastaudio tag song.mp3 --windows               tags over time, one window every 3 s
  fastaudio tag song.mp3 --events --onset 0.3    events, each with its beginning and end
  fastaudio tag song.mp3 --raven --output song.Table.1.selections.txt
  fastaudio tag *.wav --jsonl --output tags.jsonl
  cat song.ogg | fastaudio tag -                 an audio file from stdin
  fastaudio tag song.mp3 --model vgg-msd         another model, see: fastaudio models
  fastaudio tag talk.wav --model silero-vad      how much of it is speech

exit status: 0 all files done, 1 some failed (each named on stderr), 2 wrong usage, 130 interrupted
"""
_FORMS = {
    "json": "write one JSON list",
    "jsonl": "write one JSON line per file, window or event",
    "csv": "write one CSV row per tag or event",
    "audacity": "write events as an Audacity label track",
    "raven": "write events as a Raven Pro selection table",
}


def add(commands: Commands) -> None:
    """Add the command."""
    tag = add_command(commands, "tag", _run, _HELP)
    add_files(tag)
    add_tags(tag)
    tag.add_argument("--windows", action="store_true", help="show the tags of each window, not of the whole")
    forms = tag.add_mutually_exclusive_group()
    for name, text in _FORMS.items():
        forms.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=text)
    tag.add_argument("--output", metavar="FILE", help="write the results to a file instead of stdout")
    add_files_options(tag)
    add_events_options(tag)


def _pipeline(args: argparse.Namespace, threads: int, n_files: int) -> Pipeline:
    pipeline = Pipeline.load(args.model, threads=threads, channel=args.channel, untrained=args.untrained)
    pipeline = with_events(pipeline, args)
    if gives_events(pipeline) and args.windows:
        raise ValueError("tag: expected --windows or --events, got both")
    if args.form in TABLES and n_files > 1:
        raise ValueError(f"tag: expected one file with --{args.form}, got {n_files}; call it for each file")
    return pipeline


def _run(args: argparse.Namespace) -> int:
    names = find_files(args.paths, "tag")
    pipeline = _pipeline(args, threads_of(args, len(names)), len(names))
    with ExitStack() as stack:
        files = FileRun(pipeline, names, args, stack)
        out: TextIO = sys.stdout
        if args.output:
            out = stack.enter_context(
                Path(args.output).open("w", encoding="utf-8", errors="backslashreplace", newline="")
            )
        write = events_writer(args, out) if gives_events(pipeline) else tags_writer(args, out)
        for name, result in files:
            for tags in result.values() if isinstance(result, dict) else [result]:
                if tags.truncated:
                    files.say_truncated(name, tags.duration_s)
                with files.bar.aside():
                    write(replace(tags, path=name))
                files.sound_s += tags.duration_s
        write(None)
    return files.status()
