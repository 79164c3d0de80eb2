"""fastaudio embed: files to rows of a network's layer, with their times."""

from __future__ import annotations

import logging
import sys
import warnings
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import L2Normalize, Mean, Sequential, Standardize
from fastaudio.cli.arguments import RAW, Commands, seconds
from fastaudio.cli.files import FileRun, add_files, add_files_options, find_files, threads_of
from fastaudio.cli.rows import SCHEMA, Clip, replacing, row_writer
from fastaudio.cli.statistics import read_statistics, statistics_of
from fastaudio.pipeline import Pipeline
from fastaudio.running.decode import AudioFile
from fastaudio.running.times import row_times
from fastaudio.running.whole import run_file

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from fastaudio.running.decode import FileLike
    from fastaudio.running.whole import Progress

log = logging.getLogger("fastaudio")

_EXAMPLES = """\
examples:
  fastaudio embed song.mp3 --output song.npz                    a row every 3 s
  fastaudio embed album/ --mean --output album.npz              a row a file
  fastaudio embed song.mp3 --layer mean_pool --output song.npz  another layer, see: fastaudio models NAME
  fastaudio embed songs/ --hop 0.5 --output songs.parquet       overlapping windows, a table for pandas
  fastaudio embed train/ --mean --standardize self --l2 --output train.npz
  fastaudio embed test/ --mean --standardize train.npz --l2 --output test.npz

what FILE.npz holds, for numpy.load:
  embeddings       float32 [n_rows, ...]
  start_s, end_s   float64 [n_rows], the sound that each row is made of
  paths            names of the files
  path             int64 [n_rows], index of each row's file in paths
  model, layer     what the rows are
  mean, std        float64, with --standardize: what each feature was standardized with

FILE.parquet (pip install 'fastaudio-toolkit[parquet]') has the columns path, start_s, end_s, embedding.

exit status: 0 all files done, 1 some failed (each named on stderr), 2 wrong usage, 130 interrupted
"""


def add(commands: Commands) -> None:
    """Add the command."""
    embed = commands.add_parser(
        "embed",
        help="write embeddings of audio files",
        description="Write what a layer of a network gives for audio files: rows with their times.",
        epilog=_EXAMPLES,
        formatter_class=RAW,
    )
    add_files(embed)
    embed.add_argument(
        "--layer",
        metavar="NAME",
        help="output of the network (the first that its card calls an embedding, else the first)",
    )
    embed.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="a .npz or .parquet file to write"
    )
    embed.add_argument("--hop", type=seconds, metavar="S", help="seconds from window to window (the model's)")
    rows = embed.add_argument_group("rows", "done in this order")
    rows.add_argument("--mean", action="store_true", help="one row a file: the mean over time")
    rows.add_argument(
        "--standardize",
        metavar="self|FILE.npz",
        help="subtract each feature's mean and divide by its standard deviation: "
        "those of this run's rows, or those that an earlier run wrote",
    )
    rows.add_argument("--l2", action="store_true", help="divide each row by its Euclidean length")
    add_files_options(embed)
    embed.set_defaults(run=_run)


class _Embedder:
    """A pipeline that gives a file's rows with their times."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        (self._spec,) = pipeline.output_specs.values()

    def __call__(self, source: FileLike, *, progress: Progress) -> Clip:
        duration_s = 0.0

        def count(done_s: float, total_s: float | None) -> None:
            nonlocal duration_s
            duration_s = done_s
            progress(done_s, total_s)

        with AudioFile(source) as file:
            rows = run_file(self._pipeline, file, count)
            times = row_times(self._spec, len(rows), duration_s)
            return Clip(file.name, rows, times, duration_s, truncated=file.truncated)


def _pipeline(args: argparse.Namespace, threads: int) -> tuple[Pipeline, str]:
    """Return what gives the rows, and the name of their layer."""
    pipeline = Pipeline.load(args.model, threads=threads, channel=args.channel)
    specs = pipeline.output_specs
    gives_rows = len(specs) == 1 and not any(spec.labels for spec in specs.values())
    if args.layer is not None or not gives_rows:  # what gives rows gives what its maker meant
        pipeline = pipeline.layer(args.layer)
    if args.hop is not None:
        pipeline = pipeline.with_hop(args.hop)
    ((layer, spec),) = pipeline.output_specs.items()
    log.info("%s: layer %s %s of %s", args.model, layer, list(spec.shape), ", ".join(pipeline.layers))
    return pipeline, layer


def _run(args: argparse.Namespace) -> int:
    names = find_files(args.paths, "embed")
    writer_type = row_writer(args.output)
    pipeline, layer = _pipeline(args, threads_of(args, len(names)))
    about: dict[str, Any] = {"schema": SCHEMA, "model": pipeline.name or args.model, "layer": layer}
    if args.mean:
        pipeline = pipeline >> Mean()
    own = args.standardize == "self"
    if args.standardize is not None and not own:
        about |= (statistics := read_statistics(args.standardize, about))
        pipeline = pipeline >> Standardize(**statistics)
    if args.l2 and not own:
        pipeline = pipeline >> L2Normalize()
    with ExitStack() as stack:
        out = stack.enter_context(replacing(args.output))
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message=".*: the file is cut short", category=UserWarning)
        files = FileRun(_Embedder(pipeline), names, args, stack)
        clips = _clips(files)
        if own and (held := list(clips)):
            about |= (statistics := statistics_of([clip.rows for clip in held]))
            last = Sequential([Standardize(**statistics), *([L2Normalize()] if args.l2 else [])])
            clips = (replace(clip, rows=np.asarray(last(clip.rows))) for clip in held)
        writer = writer_type(out, about)
        n_rows = []
        for clip in clips:
            writer.write(clip)
            n_rows.append(len(clip.rows))
        writer.close()
    if n_rows:
        of = f"{len(n_rows)} file{'s' if len(n_rows) > 1 else ''}"
        sys.stdout.write(f"{args.output}: {sum(n_rows)} rows {list(clip.rows.shape[1:])} of {of}\n")
    return files.status()


def _clips(files: FileRun) -> Iterator[Clip]:
    """Yield what succeeds, and say what is odd about it."""
    for name, clip in files:
        if clip.truncated:
            files.say_truncated(name, clip.duration_s)
        if not len(clip.rows):
            files.bar.say(f"fastaudio: {name}: no sound, no rows")
        files.sound_s += clip.duration_s
        yield replace(clip, path=name)
