"""The command `fastaudio features`: rows of a preset, a front end that others trained with."""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio._core import Mean
from fastaudio._system.text import printable
from fastaudio._system.writing import is_stream, writing
from fastaudio.cli.arguments import Commands, add_command, add_hop, add_output, add_resume
from fastaudio.cli.embedding_files import row_writer
from fastaudio.cli.files import FileRun, add_files_options, add_paths, find_files
from fastaudio.cli.pairs import options_of
from fastaudio.cli.results import about, check_output
from fastaudio.cli.row_spool import clips_of, spool
from fastaudio.cli.unfinished import unfinished
from fastaudio.importing.fronts import NAMES, SAMPLES, front_of
from fastaudio.pipeline import Pipeline, isolated

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from fastaudio._core import StreamSpec
    from fastaudio.cli.embedding_files import Clip
    from fastaudio.cli.row_spool import Spooled
    from fastaudio.cli.unfinished import Part

_HELP = """\
write rows of a preset: spectrograms and other features

Write what a preset gives for audio files: log-mel frames, patches or other features, exactly as a published
model was trained with them, each row with its times. No model runs.

examples:
  fastaudio features song.mp3 --preset vggish -o song.npz             patches of 96 x 64
  fastaudio features album/ --preset kaldi_fbank -o album.parquet     80 log-mel bands, 100 times per second
  fastaudio features album/ --preset mfcc_statistics -o album.csv     one row of statistics per file
  fastaudio features album/ --preset musicnn --hop 1 -o album.npz     patches that overlap
  fastaudio features album/ --preset kaldi_fbank --option n_mels=40 -o album.csv
  fastaudio features album/ --preset vggish -o album.npz --resume     go on with that after it was interrupted

FILE.npz holds, for numpy.load:
  rows             float32 [n_rows, ...]
  start_s, end_s   float64 [n_rows], beginning and end of each row's sound
  paths            names of the files
  path             int64 [n_rows], index of each row's file in paths
  preset, options  what gave the rows; options as JSON

FILE.parquet (pip install 'fastaudio-toolkit[parquet]') has the columns path, start_s, end_s, row;
FILE.csv has path, start_s, end_s, and a column for each number: x0, x1, ..., of a patch x0_0, x0_1, ...

A recording may be longer than the memory holds. The output gets its name when all is done; until then, what
is done is kept beside it, in a file whose name ends in .part.

exit status: 0 all files done, 1 some failed (each named on stderr) or the disk is full, 2 wrong usage,
130 interrupted
"""
SCHEMA = "fastaudio.features/1"
"""Name and version of the format; a change of meaning raises the number."""

_PRESETS = tuple(name for name in NAMES if name != SAMPLES)


def add(commands: Commands) -> None:
    """Add the command."""
    features = add_command(commands, "features", _run, _HELP)
    add_paths(features)
    features.add_argument(
        "--preset", required=True, choices=_PRESETS, metavar="NAME", help=f"one of {', '.join(_PRESETS)}"
    )
    features.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the preset, such as n_mels=40; see docs/features.md; again for another",
    )
    add_output(features, "a .npz, .parquet or .csv file to write", required=True)
    add_resume(features)
    add_hop(features, "the preset's")
    features.add_argument("--mean", action="store_true", help="write one row per file, its mean over time")
    add_files_options(features, threads=False)


def _pipeline(args: argparse.Namespace) -> Pipeline:
    """Return the pipeline that gives the rows."""
    front = front_of(args.preset, options_of(args.option, "--option", "features"))
    pipeline = Pipeline(front, channel=args.channel)
    if args.hop is not None:
        pipeline = pipeline.with_hop(args.hop)
    if args.mean:
        pipeline = pipeline >> Mean()
    return isolated(pipeline) if args.isolate else pipeline


def _run(args: argparse.Namespace) -> int:
    names = find_files(args.paths, "features")
    write = row_writer(args.output, "row")
    check_output(args, names)
    pipeline = _pipeline(args)
    (spec,) = pipeline.output_specs.values()
    options = json.dumps(options_of(args.option, "--option", "features"), sort_keys=True)
    told = {"schema": SCHEMA, "preset": args.preset, "options": options}
    folder = None if is_stream(args.output) else str(Path(os.path.realpath(args.output)).parent)
    rows = partial(spool, pipeline, folder=folder)
    count = _Count()
    with ExitStack() as stack:
        if folder is None:
            files = FileRun(rows, names, args, stack)
            clips = _straight(files, spec)
        else:
            keep = {"force": args.force, "resume": args.resume}
            check = partial(_check, spec=spec)
            run = stack.enter_context(unfinished(args.output, about(args), names, check=check, **keep))
            todo = [name for name in names if not run.has(name)]
            files = FileRun(rows, todo, args, stack, n_files=len(names))
            for name, spooled in _good(files):
                run.add_file(name, spooled.file)
                spooled.close()
            clips = _kept(run.parts(names), spec)
        if (first := next(clips, None)) is not None:
            with writing(args.output, force=args.force or args.resume) as out:
                write(out, count.of([first], clips), told)
    if count.n_files:
        of = f"{count.n_files} file{'s' if count.n_files > 1 else ''}"
        summary = sys.stderr if is_stream(args.output) else sys.stdout
        summary.write(f"{printable(args.output)}: {count.n_rows} rows {list(spec.shape)} of {of}\n")
    return files.status()


class _Count:
    """Counts what is written."""

    n_files = n_rows = 0

    def of(self, *parts: Iterable[Clip]) -> Iterator[Clip]:
        """Yield clips, and count their files and rows."""
        for part in parts:
            for clip in part:
                self.n_files += not clip.goes_on
                self.n_rows += len(clip.rows)
                yield clip


def _check(name: str, part: Part, spec: StreamSpec) -> None:
    for _ in clips_of(name, part, spec):
        pass


def _good(files: FileRun) -> Iterator[tuple[str, Spooled]]:
    """Yield the rows of files that succeed, and say on stderr if one is cut short or empty."""
    for name, spooled in files:
        if spooled.truncated:
            files.say_truncated(name, spooled.duration_s)
        if not spooled.n_rows:
            files.say(name, "no sound, no rows")
        files.sound_s += spooled.duration_s
        if spooled.finite:
            yield name, spooled
        else:
            spooled.close()
            files.fail(name, "expected rows of numbers, got NaN or infinity; left out")


def _straight(files: FileRun, spec: StreamSpec) -> Iterator[Clip]:
    for name, spooled in _good(files):
        yield from clips_of(name, spooled.file, spec)
        spooled.close()


def _kept(parts: Iterable[tuple[str, Part]], spec: StreamSpec) -> Iterator[Clip]:
    for name, part in parts:
        yield from clips_of(name, part, spec)
