"""fastaudio tag: files to labels."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from fastaudio._core import FastaudioError
from fastaudio.audio import DecodeError, suffixes
from fastaudio.cards import DEFAULT_MODEL
from fastaudio.cli.arguments import FAILED, OK, RAW, Commands, positive
from fastaudio.cli.events import (
    EVENT_WRITERS,
    TABLES,
    add_events_forms,
    add_events_options,
    gives_events,
    with_events,
)
from fastaudio.cli.progress import Bar, progress
from fastaudio.cli.write import WRITERS
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    _OpenWriter = Callable[[TextIO], Callable[[Any], None]]

_STDIN_IN_MEMORY = 64_000_000

log = logging.getLogger("fastaudio")

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
    tag.add_argument("paths", nargs="+", metavar="FILE|DIR|-", help="files, folders, or - for stdin")
    tag.add_argument("--model", default=DEFAULT_MODEL, help="name, or path of a card (%(default)s)")
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
    tag.add_argument("--jobs", type=positive, metavar="N", help="files at once (one a core)")
    tag.add_argument("--threads", type=positive, metavar="N", help="cores a file (all for one file, else 1)")
    tag.add_argument("--channel", type=int, metavar="C", help="take channel C, not the mean of all")
    tag.add_argument("--quiet", action="store_true", help="no progress bar")
    tag.add_argument("-v", "--verbose", action="store_true", help="say more on stderr")
    add_events_options(tag)
    tag.set_defaults(run=_run)


def _find(paths: Sequence[str]) -> list[str]:
    """Return the files to tag: folders are searched for audio, hidden files left out."""
    found: list[str] = []
    known = suffixes()
    for text in paths:
        path = Path(text)
        if text == "-" or not path.is_dir():
            found.append(text)
            continue
        below = ((p, p.relative_to(path).parts) for p in path.rglob("*"))
        files = sorted(p for p, parts in below if p.is_file() and not any(x[0] == "." for x in parts))
        audio = [str(p) for p in files if p.suffix.lower().lstrip(".") in known]
        log.info("%s: %d audio files of %d", text, len(audio), len(files))
        found += audio
    if not found:
        raise ValueError(f"tag: expected audio files, got none in {', '.join(paths)}")
    return found


@contextmanager
def _stdin() -> Iterator[BinaryIO]:
    """All of stdin as a file that can seek, as decoders need; large input goes to disk."""
    with tempfile.SpooledTemporaryFile(max_size=_STDIN_IN_MEMORY) as file:
        while chunk := sys.stdin.buffer.read(1 << 20):
            file.write(chunk)
        file.seek(0)
        yield file  # type: ignore[misc]


def _pipeline(args: argparse.Namespace, threads: int, n_files: int) -> tuple[Pipeline, _OpenWriter]:
    """Return what to run, and what writes its results."""
    pipeline = Pipeline.load(args.model, threads=threads, channel=args.channel)
    if not all(spec.labels for spec in pipeline.output_specs.values()):
        raise ValueError(f"{args.model}: expected a model that gives tags, got features")
    pipeline = with_events(pipeline, args)
    if not gives_events(pipeline):
        return pipeline, partial(WRITERS[args.form], args)
    if args.windows:
        raise ValueError("tag: expected --windows or --events, got both")
    if args.form in TABLES and n_files > 1:
        raise ValueError(f"tag: expected one file with --{args.form}, got {n_files}; call it for each file")
    return pipeline, EVENT_WRITERS[args.form]


def _run(args: argparse.Namespace) -> int:
    names = _find(args.paths)
    threads = args.threads or (os.cpu_count() or 1 if len(names) == 1 else 1)
    pipeline, open_writer = _pipeline(args, threads, len(names))
    failed = 0
    sound_s, started = 0.0, time.perf_counter()
    with ExitStack() as stack:
        sources = [stack.enter_context(_stdin()) if name == "-" else name for name in names]
        out: TextIO = sys.stdout
        if args.output:
            out = stack.enter_context(
                Path(args.output).open("w", encoding="utf-8", errors="backslashreplace", newline="")
            )
        write = open_writer(out)
        bar = stack.enter_context(progress(len(sources), quiet=args.quiet))
        for name, result in zip(names, _results(pipeline, sources, args.jobs, bar), strict=True):
            if isinstance(result, Exception):
                failed += 1
                reason = result.reason if isinstance(result, DecodeError) else str(result)
                bar.say(f"fastaudio: {name}: {reason}")
                continue
            for tags in result.values() if isinstance(result, dict) else [result]:
                if tags.truncated:
                    bar.say(f"fastaudio: {name}: the file is cut short, got {tags.duration_s:.1f} s")
                with bar.aside():
                    write(replace(tags, path=name))
                sound_s += tags.duration_s
        write(None)
    took_s = time.perf_counter() - started
    log.info("%d files, %.1f s of sound in %.2f s", len(names), sound_s, took_s)
    if failed:
        sys.stderr.write(f"fastaudio: {failed} of {len(names)} files failed\n")
    return FAILED if failed else OK


def _results(pipeline: Pipeline, sources: Sequence[Any], jobs: int | None, bar: Bar) -> Iterator[Any]:
    if len(sources) == 1:  # progress within the file
        try:
            yield pipeline(sources[0], progress=bar.within)
        except FastaudioError as error:
            yield error
        bar.step()
        return
    for result in pipeline.map(sources, jobs=jobs):
        yield result
        bar.step()
