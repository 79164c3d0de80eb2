"""The command `fastaudio evaluate`: how well a model finds the labels of a folder of sounds."""

from __future__ import annotations

import sys
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio import heads
from fastaudio._system.text import listed, printable
from fastaudio.cli.arguments import FAILED, OK, Commands, add_command, add_jobs, status_of
from fastaudio.cli.progress import stages
from fastaudio.cli.terminal import complain, put
from fastaudio.heads import plots
from fastaudio.heads.data import search
from fastaudio.heads.report import failed_lines
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    import argparse

_HELP = """\
measure a model on labelled files

Run a model over labelled files and say how well it finds their labels. DIR has a sub-folder for each
label, named as the model names it, with its audio files in it or below; hidden files are left out.
A file counts as the label that scores highest among all of the model's.

examples:
  fastaudio evaluate my-model more-sounds/                 a model of `fastaudio train`, on other files
  fastaudio evaluate musicnn-mtt music/ --skip-unknown     only the sub-folders that the model knows
  fastaudio evaluate my-model more-sounds/ --json > result.json
  fastaudio evaluate my-model more-sounds/ --plot confusion.png

exit status: 0 all files done, 1 some failed or a sub-folder has no sound (each named), 2 wrong usage,
130 interrupted
"""


def add(commands: Commands) -> None:
    """Add the command."""
    evaluate = add_command(commands, "evaluate", _run, _HELP)
    evaluate.add_argument("model", metavar="MODEL", help="name, or path of a card or its folder")
    evaluate.add_argument("folder", metavar="DIR", help="a folder with a sub-folder for each label")
    evaluate.add_argument(
        "--skip-unknown", action="store_true", help="leave out sub-folders that the model has no label for"
    )
    evaluate.add_argument(
        "--json", action="store_true", help="write the result as JSON, with the confusion matrix"
    )
    evaluate.add_argument("--plot", metavar="FILE.png", help="draw the confusion matrix")
    evaluate.add_argument("--force", action="store_true", help="replace a drawing that is there")
    add_jobs(evaluate)


def _run(args: argparse.Namespace) -> int:
    found = search(args.folder)
    files, labels = found.files, found.labels
    if found.skipped:
        complain(found.skipped)
    if args.plot:
        plots.check(args.plot, force=args.force, inputs=files)
    pipeline = Pipeline.load(args.model)
    known = {label for spec in pipeline.output_specs.values() for label in spec.labels}
    unknown = sorted(set(labels) - known)
    if unknown and not args.skip_unknown:
        raise ValueError(
            f"evaluate: expected sub-folders named as labels of {args.model}, got {listed(unknown)}; "
            "rename them, or leave them out with --skip-unknown"
        )
    if unknown:
        complain(f"skipped, no label of {args.model}: {', '.join(map(printable, unknown))}")
    left_out = found.left_out
    if args.skip_unknown:
        left_out = tuple(one for one in left_out if Path(one[0]).relative_to(args.folder).parts[0] in known)
    kept = [label in known for label in labels]
    files, labels = list(compress(files, kept)), list(compress(labels, kept))
    with stages(quiet=args.quiet) as progress:
        result = heads.evaluate(pipeline, files, labels, jobs=args.jobs, progress=progress)
    if args.json:
        put(result.to_json() + "\n")
    else:
        sys.stdout.write(printable(result.report, lines=True))
    for line in failed_lines(left_out):
        complain(line)
    if args.plot:
        result.plot_confusion(args.plot)
    return max(status_of(len(result.failed), len(files)), FAILED if left_out else OK)
