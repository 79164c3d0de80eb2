"""The command `fastaudio embed`: rows of a network's layer, with their times."""

from __future__ import annotations

import logging
import sys
import warnings
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import L2Normalize, Mean, Sequential, Standardize
from fastaudio._system.text import printable
from fastaudio._system.writing import is_stream, writing
from fastaudio.cli.ahead import load
from fastaudio.cli.arguments import Commands, add_command, add_hop, add_layer, add_output, add_resume
from fastaudio.cli.embedding_files import SCHEMA, Clip, packed, row_writer, unpacked
from fastaudio.cli.files import FileRun, add_files, add_files_options, find_files, threads_of
from fastaudio.cli.results import about, check_output
from fastaudio.cli.standardize import read_statistics, statistics_of
from fastaudio.cli.unfinished import unfinished
from fastaudio.running.times import row_times
from fastaudio.running.whole import run_file
from fastaudio.scanning.networks import with_layer

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from fastaudio.cli.unfinished import Part
    from fastaudio.decoding.audio_file import FileLike
    from fastaudio.pipeline import Pipeline
    from fastaudio.running.whole import Progress

log = logging.getLogger("fastaudio")

_HELP = """\
write embeddings of audio files

Write the output of a network's layer for audio files: rows with their times.

examples:
  fastaudio embed song.mp3 --output song.npz                    one row every 3 s
  fastaudio embed album/ --mean --output album.npz              one row per file
  fastaudio embed song.mp3 --layer mean_pool --output song.npz  another layer, see: fastaudio models NAME
  fastaudio embed songs/ --hop 0.5 --output songs.parquet       overlapping windows, a table for pandas
  fastaudio embed train/ --mean --standardize self --l2 --output train.npz
  fastaudio embed test/ --mean --standardize train.npz --l2 --output test.npz
  fastaudio embed album/ --output album.npz --resume    go on with that after it was interrupted
  fastaudio embed album/ --output album.npz --force     do it again, and replace album.npz at the end

The output gets its name when all is done. Until then, what is done is kept beside it, in a file whose name
ends in .part; an interrupted run goes on from there if you add --resume.

FILE.npz holds, for numpy.load:
  embeddings       float32 [n_rows, ...]
  start_s, end_s   float64 [n_rows], beginning and end of each row's sound
  paths            names of the files
  path             int64 [n_rows], index of each row's file in paths
  model, layer     names of what gave the rows
  mean, std        float64, with --standardize: the mean and deviation used for each feature

FILE.parquet (pip install 'fastaudio-toolkit[parquet]') has the columns path, start_s, end_s, embedding;
FILE.csv has path, start_s, end_s, and a column for each number: x0, x1, ...

exit status: 0 all files done, 1 some failed (each named on stderr) or the disk is full, 2 wrong usage,
130 interrupted
"""


def add(commands: Commands) -> None:
    """Add the command."""
    embed = add_command(commands, "embed", _run, _HELP)
    add_files(embed)
    add_layer(embed)
    add_output(embed, "a .npz, .parquet or .csv file to write", required=True)
    add_resume(embed)
    add_hop(embed)
    rows = embed.add_argument_group("rows", "applied in this order")
    rows.add_argument("--mean", action="store_true", help="write one row per file, its mean over time")
    rows.add_argument(
        "--standardize",
        metavar="self|FILE.npz",
        help="subtract each feature's mean and divide by its standard deviation: "
        "this run's own, or those that an earlier run wrote",
    )
    rows.add_argument("--l2", action="store_true", help="divide each row by its Euclidean length")
    add_files_options(embed)


def _clip(pipeline: Pipeline, source: FileLike, *, progress: Progress | None) -> Clip:
    """Return a file's rows with their times."""
    (spec,) = pipeline.output_specs.values()
    with pipeline.opened(source) as (file, stream):
        rows = run_file(stream, file, progress)
        times = row_times(spec, len(rows), stream.duration_s)
        return Clip(file.name, rows, times, stream.duration_s, truncated=file.truncated)


def _pipeline(args: argparse.Namespace, threads: int) -> tuple[Pipeline, str]:
    """Return the pipeline that gives the rows, and the name of their layer."""
    pipeline = load(args.model, threads, channel=args.channel, isolate=args.isolate)
    pipeline = with_layer(pipeline, args.layer)
    if args.hop is not None:
        pipeline = pipeline.with_hop(args.hop)
    ((layer, spec),) = pipeline.output_specs.items()
    log.info("%s: layer %s %s of %s", args.model, layer, list(spec.shape), ", ".join(pipeline.layers))
    return pipeline, layer


def _run(args: argparse.Namespace) -> int:
    names = find_files(args.paths, "embed")
    write = row_writer(args.output)
    check_output(args, names, *filter(None, [args.standardize]))
    pipeline, layer = _pipeline(args, threads_of(args, len(names)))
    about_rows: dict[str, Any] = {"schema": SCHEMA, "model": pipeline.name or args.model, "layer": layer}
    if args.mean:
        pipeline = pipeline >> Mean()
    own = args.standardize == "self"
    (spec,) = pipeline.output_specs.values()
    if args.standardize is not None and not own:
        n_features = spec.shape[-1] if spec.shape else 1
        about_rows |= (statistics := read_statistics(args.standardize, about_rows, n_features))
        pipeline = pipeline >> Standardize(**statistics)
    if args.l2 and not own:
        pipeline = pipeline >> L2Normalize()
    shapes: list[tuple[int, ...]] = []
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message=".*: the file is cut short", category=UserWarning)
        if is_stream(args.output):
            files = FileRun(partial(_clip, pipeline), names, args, stack)
            clips = _clips(files)
        else:
            keep = {"force": args.force, "resume": args.resume}
            read = partial(unpacked, spec=spec)
            how = about(args, rows=about_rows)

            def check(name: str, part: Part) -> object:
                return read(name, part.read())

            run = stack.enter_context(unfinished(args.output, how, names, check=check, **keep))
            todo = [name for name in names if not run.has(name)]
            files = FileRun(partial(_clip, pipeline), todo, args, stack, n_files=len(names))
            for clip in _clips(files):
                run.add(clip.path, packed(clip))
            clips = (read(name, content) for name, content in run.pieces(names))
        if own and (held := list(clips)):
            about_rows |= (statistics := statistics_of([clip.rows for clip in held]))
            last = Sequential([Standardize(**statistics), *([L2Normalize()] if args.l2 else [])])
            clips = (replace(clip, rows=np.asarray(last(clip.rows))) for clip in held)
        if (first := next(clips, None)) is not None:
            with writing(args.output, force=args.force or args.resume) as out:
                write(out, _noted(chain([first], clips), shapes), about_rows)
    if shapes:
        n_rows, of = sum(shape[0] for shape in shapes), f"{len(shapes)} file{'s' if len(shapes) > 1 else ''}"
        summary = sys.stderr if is_stream(args.output) else sys.stdout
        summary.write(f"{printable(args.output)}: {n_rows} rows {list(shapes[-1][1:])} of {of}\n")
    return files.status()


def _clips(files: FileRun) -> Iterator[Clip]:
    """Yield the clips that succeed, and say on stderr if one is cut short or empty."""
    for name, clip in files:
        if clip.truncated:
            files.say_truncated(name, clip.duration_s)
        if not len(clip.rows):
            files.say(name, "no sound, no rows")
        files.sound_s += clip.duration_s
        if np.isfinite(clip.rows).all():
            yield replace(clip, path=name)
        else:
            files.fail(name, "expected rows of numbers, got NaN or infinity from the network; left out")


def _noted(clips: Iterable[Clip], shapes: list[tuple[int, ...]]) -> Iterator[Clip]:
    """Yield clips, and append their shapes."""
    for clip in clips:
        shapes.append(clip.rows.shape)
        yield clip
