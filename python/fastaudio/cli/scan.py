"""The command `fastaudio scan`: many files into a folder of tables."""

from __future__ import annotations

import argparse
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastaudio._system.text import printable
from fastaudio.cli.arguments import (
    FAILED,
    OK,
    Commands,
    add_channel,
    add_command,
    add_jobs,
    add_model,
    add_verbose,
    seconds,
)
from fastaudio.cli.terminal import complain
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.rescoring import rescan
from fastaudio.scanning.scan import Scanned, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HELP = """\
run a model over a whole archive, into a folder of tables

Run a model over many files and write what it gives into a folder of Parquet tables, which pandas, DuckDB and
Spark read as they are. The same command goes on after any interruption, and does only what isn't done.

examples:
  fastaudio scan archive/ --output scanned            a row per file: the mean scores of the default model
  fastaudio scan archive/ --windows --output scanned  a row per window of the model
  fastaudio scan night/ --model sound-activity --windows --output sounds
  fastaudio scan archive/ --layer penultimate --half --output embeddings    rows to search in, as float16
  fastaudio scan "site*/**/*.flac" files.csv --output scanned    patterns, and tables with a column path
  fastaudio scan s3://bucket/night --output scanned   (pip install 'fastaudio-toolkit[cloud]' s3fs)
  fastaudio scan archive/ --output scanned --budget 8h    stop after eight hours; run it again to go on
  fastaudio scan archive/ --output scanned --retry-errors
  fastaudio scan --from embeddings --model my-head --windows --output scored    its scores, without any sound
  fastaudio scan --from embeddings --model my-head --windows -o scored --replace-scores    after new training
  fastaudio scan list.csv --store s3://bucket --output scanned    a table may name URLs in this bucket
  fastaudio scan archive/ --output scanned --ray auto    on a cluster (pip install 'fastaudio-toolkit[ray]')

Each row has path, size, version (time of change in ns, or a store's etag), duration_s, start_s, end_s, scores
or embedding, silent, top_labels, error and truncated, and other columns of a table that listed the file. A
file that can't be run over has a row with its error. Files that changed are done again. The tables' metadata
says which model, options and version gave them; a folder takes one scan only. A table that lists files may
name URLs only of the stores of other sources and of --store, so that a stranger's table opens no others.

exit status: 0 all files done, 1 some failed (their rows say why), the budget ended it or the disk is full,
2 wrong usage, 130 interrupted
"""
_OF_SOUND = ("layer", "hop", "retry_errors", "budget", "jobs", "store", "ray")
_UNITS_S = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def add(commands: Commands) -> None:
    """Add the command."""
    command = add_command(commands, "scan", _run, _HELP)
    command.add_argument(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="files, folders, patterns, tables that list files, or URLs",
    )
    command.add_argument(
        "--from",
        dest="source",
        metavar="SCAN",
        help="run a head that fastaudio train has made over the embeddings of a scan, and read no sound",
    )
    add_model(command)
    command.add_argument("--layer", metavar="NAME", help="write a layer of the network, not scores")
    command.add_argument(
        "-o", "--output", required=True, metavar="FOLDER", help="where the tables are written"
    )
    command.add_argument(
        "--windows", action="store_true", help="write a row per window, not the mean over each file"
    )
    command.add_argument(
        "--hop", type=seconds, metavar="S", help="step between windows in seconds; implies --windows"
    )
    command.add_argument("--half", action="store_true", help="write numbers as float16: half the size")
    command.add_argument(
        "--retry-errors", action="store_true", help="run again over files that failed before"
    )
    command.add_argument("--budget", type=_duration, metavar="T", help="stop after 90s, 30m, 8h or 2d")
    command.add_argument(
        "--store",
        action="append",
        default=[],
        metavar="URL",
        help="a store that tables may name URLs of, such as s3://bucket, or s3:// for all; may be repeated",
    )
    command.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="run on a cluster of Ray: auto, its address, or local for one of this machine's own",
    )
    command.add_argument(
        "--replace-scores",
        action="store_true",
        help="with --from, replace scores that another head has left there",
    )
    add_jobs(command)
    add_channel(command)
    add_verbose(command)


def _duration(text: str) -> float:
    match = re.fullmatch(r"([0-9.]+)([smhd]?)", text)
    if match is None or match[1].count(".") > 1:
        raise argparse.ArgumentTypeError(f"expected a time such as 90s, 30m, 8h or 2d, got {text:.40}")
    return seconds(str(float(match[1]) * _UNITS_S[match[2]]))


def _run(args: argparse.Namespace) -> int:
    if (args.source is None) == (not args.sources):
        raise ValueError("scan: expected what to scan, or a scan after --from, got both or neither; give one")
    if args.replace_scores and args.source is None:
        raise ValueError("scan: expected --replace-scores with --from, got it alone; name another --output")
    chosen = Chosen(args.model, args.layer, args.hop, args.windows, args.half, args.channel)
    how: dict[str, Any] = {"retry_errors": args.retry_errors, "budget_s": args.budget, "stores": args.store}
    with _progress(quiet=args.quiet) as report, _going_on():
        if args.source is not None:
            done = _rescanned(args, report)
        elif args.ray is None:
            done = scan(args.sources, args.output, chosen=chosen, jobs=args.jobs, report=report, **how)
        else:
            from fastaudio import ray  # noqa: PLC0415  # only here

            how |= {"address": args.ray, "workers": args.jobs}
            done = ray.scan(args.sources, args.output, chosen=chosen, report=report, **how)
    for line in done.said:
        complain(line)
    before = f", {done.n_before} were done before" if done.n_before else ""
    sys.stdout.write(
        f"{printable(args.output)}: {done.n_done} of {done.n_files} files{before}; "
        f"{done.sound_s / 3600:.2f} h of sound in {_clock(done.took_s)}\n"
    )
    if not done.complete:
        complain(
            f"time is up: {done.n_files - done.n_before - done.n_done} files are left; run it again to go on"
        )
    if done.n_failed:
        complain(f"{done.n_failed} of {done.n_done} files failed; their rows say why")
    if done.n_failed_before:
        complain(f"{done.n_failed_before} files failed before; --retry-errors runs over them again")
    return OK if done.complete and not done.n_failed + done.n_failed_before else FAILED


@contextmanager
def _going_on() -> Iterator[None]:
    """Say after Ctrl-C that nothing that is written is lost."""
    try:
        yield
    except KeyboardInterrupt:
        complain("what is done is kept: run the same command again to go on")
        raise


def _rescanned(args: argparse.Namespace, report: Callable[[Scanned], None] | None) -> Scanned:
    """Run a head over the embeddings of another scan."""
    given = [f"--{name.replace('_', '-')}" for name in _OF_SOUND if getattr(args, name)]
    if given or args.channel is not None:
        got = ", ".join([*given, *(["--channel"] if args.channel is not None else [])])
        raise ValueError(f"scan: expected options of the head with --from, got {got}; leave that out")
    how = {"head": args.model, "windows": args.windows, "half": args.half, "force": args.replace_scores}
    return rescan(args.source, args.output, **how, report=report)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[Scanned], None] | None]:
    """Give what shows a line with files, rate and time left on stderr, if that is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm  # noqa: PLC0415  # needed on a terminal only

    form = "{percentage:3.0f}%|{bar}| {desc}, {elapsed} < {remaining}"
    with tqdm(file=sys.stderr, leave=False, dynamic_ncols=True, bar_format=form) as bar:

        def report(scanned: Scanned) -> None:
            bar.total = max(scanned.n_bytes, 1)
            speed = f", {scanned.sound_s / scanned.took_s:.0f}x" if scanned.took_s > 0 else ""
            failed = f", {scanned.n_failed} failed" if scanned.n_failed else ""
            n_done = scanned.n_before + scanned.n_done
            bar.set_description_str(f"{n_done} / {scanned.n_files} files{failed}{speed}", refresh=False)
            bar.update(scanned.bytes_done - bar.n)

        yield report


def _clock(value_s: float) -> str:
    """Return seconds as h:mm:ss."""
    minutes, rest = divmod(round(value_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
