"""The command `fastaudio tag`: labels of audio files."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastaudio._system.text import spelled
from fastaudio._system.writing import is_stream
from fastaudio.cards.thresholds import thresholds_of
from fastaudio.cli.ahead import load
from fastaudio.cli.arguments import Commands, add_command, add_hop, add_output, add_resume, add_tags
from fastaudio.cli.events import add_events_options, gives_events, with_events
from fastaudio.cli.files import FileRun, add_files, add_files_options, find_files, threads_of
from fastaudio.cli.forms import ALONE, SUFFIXES, add_forms, choose_form, names_folder
from fastaudio.cli.kinds import Judged, add_kind, ahead_of, judge_for, split
from fastaudio.cli.results import check_output, collecting, table_paths
from fastaudio.cli.start import add_start, timed
from fastaudio.cli.write import events_form, reaching, tags_form
from fastaudio.tags import OUT_OF_RANGE, Tags

if TYPE_CHECKING:
    import argparse

    from fastaudio.pipeline import Pipeline

_HELP = """\
tag audio files

Tag audio files: labels and scores go to stdout, progress and problems to stderr.

examples:
  fastaudio tag song.mp3                         the five best tags
  fastaudio tag album/ --top 3 --jobs 2          every audio file in a folder and below
  fastaudio tag song.mp3 --windows               tags over time, one window every 3 s
  fastaudio tag song.mp3 --events --onset 0.3    events, each with its beginning and end
  fastaudio tag song.mp3 --raven --output song.Table.1.selections.txt
  fastaudio tag night/ --audacity --output labels    a label track for each recording, in the folder labels
  fastaudio tag night/ --csv --output tables/    a table for each, in the folder tables
  fastaudio tag calls/ --model silero-vad --rttm --output calls.rttm    also --praat, with --output FOLDER
  fastaudio tag album/ --min-score 0.3 --output tags.csv
  fastaudio tag album/ --output tags.csv --resume    go on with that after it was interrupted
  fastaudio tag album/ --output tags.csv --force     do it again, and replace tags.csv at the end
  cat song.ogg | fastaudio tag -                 an audio file from stdin
  fastaudio tag song.mp3 --model vgg-msd         another model, see: fastaudio models
  fastaudio tag talk.wav --model silero-vad      how much of it is speech
  fastaudio tag night.wav --model sound-activity --events    where there is speech, singing or music

Of a model of fastaudio train, tags are shown that reach the score from which they count, which its card has
for each label; --min-score 0 shows all.

Before the tags of a model for music stands what kind of sound it is, speech or music. Tags of sound that
isn't music get a ?, in JSON and CSV "fits": false; --no-kind leaves that out; - with --isolate has none.

The file --output gets its name when all is done. Until then, what is done is kept beside it, in a file whose
name ends in .part; an interrupted run goes on from there if you add --resume. JSON and CSV are UTF-8; bytes
of a file's name that aren't are spelled like \\xff. A score that is no number is null, and its file counts
as failed.

exit status: 0 all files done, 1 some failed (each named on stderr) or the disk is full, 2 wrong usage,
130 interrupted
"""
_OUTPUT = (
    "write the results to a file, not to stdout, in the form that its name says (.csv, .json, .jsonl, .rttm, "
    ".TextGrid) or an option; to a file for each recording if it names a folder (NAME/), and for several "
    "recordings with --audacity, --raven or --praat"
)


def add(commands: Commands) -> None:
    """Add the command."""
    tag = add_command(commands, "tag", _run, _HELP)
    add_files(tag)
    add_tags(tag)
    add_kind(tag)
    tag.add_argument("--windows", action="store_true", help="show the tags of each window, not of the whole")
    add_forms(tag)
    add_output(tag, _OUTPUT)
    add_resume(tag)
    add_hop(tag)
    add_start(tag, "a file")
    add_files_options(tag)
    add_events_options(tag)


def _pipeline(args: argparse.Namespace, threads: int) -> Pipeline:
    how = {"channel": args.channel, "untrained": args.untrained, "isolate": args.isolate}
    pipeline = load(args.model, threads, **how)
    if args.hop is not None:
        pipeline = pipeline.with_hop(args.hop)
    pipeline = with_events(pipeline, args)
    if gives_events(pipeline) and args.windows:
        raise ValueError("tag: expected --windows or --events, got both; leave out one")
    return pipeline


def _tables(args: argparse.Namespace, names: list[str]) -> dict[str, str] | None:
    """Return the path of each recording's own file, or None if all results go to one place."""
    several = len(names) > 1 or any(map(os.path.isdir, args.paths))
    alone = args.form in ALONE
    if not args.output or is_stream(args.output):
        if alone and len(names) > 1:
            got = f"--output {args.output}" if args.output else "none"
            raise ValueError(
                f"tag --{args.form}: expected --output FOLDER for {len(names)} recordings, got {got}"
            )
        return None
    if not names_folder(args.output) and not (alone and several):
        return None
    return table_paths(args, names, SUFFIXES[args.form])


def _why_no_row(parts: list[Any], args: argparse.Namespace) -> str:
    """Return why a file has no row where each event, tag or window has one; nothing if it has one."""
    if args.form in (None, "json") or len(parts) != 1:
        return ""
    part = parts[0]
    if not isinstance(part, Tags):
        kept, why = reaching(part, args.min_score)
        return "" if len(kept) else f"no events ({why})"
    if not len(part):
        return "" if args.form == "jsonl" and not args.windows else "no sound"
    return "silence" if args.form == "csv" and part.silent.all() else ""


def _run(args: argparse.Namespace) -> int:
    choose_form(args)
    names = find_files(args.paths, "tag")
    tables = _tables(args, names)
    if tables is None:
        check_output(args, names)
    ahead = ahead_of(args)
    pipeline = _pipeline(args, threads_of(args, len(names)))
    if args.min_score is None:
        args.min_score = thresholds_of(pipeline)
    judge = judge_for(pipeline, args, ahead)
    form_of = events_form if gives_events(pipeline) else tags_form
    form = timed(form_of(args, names if tables is None else (), kinds=judge is not None), args, names)
    with ExitStack() as stack:
        results = stack.enter_context(collecting(args, form, names, tables))
        files = FileRun(judge.pipeline if judge else pipeline, results.todo, args, stack, n_files=len(names))
        noted = False
        for name, result in files:
            parts, heard = split(judge, result)
            if cut := [part for part in parts if part.truncated]:
                files.say_truncated(name, cut[0].duration_s)
            finite = all(part.finite for part in parts)
            if not finite:
                files.fail(name, "expected scores that are numbers, got NaN or infinity from the network")
            if not noted and any(isinstance(part, Tags) and not part.in_range for part in parts):
                noted = True
                files.say(name, OUT_OF_RANGE)
            if finite and (why := _why_no_row(parts, args)):
                files.say(name, why)
            with files.bar.aside():
                named = [replace(part, path=spelled(name)) for part in parts]
                shown = [Judged(part, heard) for part in named] if heard else named
                results.add(name, shown, failed=not finite)
            files.sound_s += sum(part.duration_s for part in parts)
    return files.status()
