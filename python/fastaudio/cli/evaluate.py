"""The command `fastaudio evaluate`: how well a model finds the labels of a folder of sounds."""

from __future__ import annotations

import sys
from itertools import compress
from typing import TYPE_CHECKING

from fastaudio import heads
from fastaudio.cli.arguments import Commands, add_command, add_jobs, status_of
from fastaudio.cli.progress import stages
from fastaudio.heads.extras import require
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

exit status: 0 all files done, 1 some failed (each named in the report), 2 wrong usage, 130 interrupted
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
    add_jobs(evaluate)


def _run(args: argparse.Namespace) -> int:
    if args.plot:
        require("matplotlib", extra="plot", what="evaluate --plot")
    pipeline = Pipeline.load(args.model)
    files, labels = heads.labelled_files(args.folder)
    known = {label for spec in pipeline.output_specs.values() for label in spec.labels}
    unknown = sorted(set(labels) - known)
    if unknown and not args.skip_unknown:
        raise ValueError(
            f"evaluate: expected sub-folders named as labels of {args.model}, got {', '.join(unknown)}; "
            "rename them, or leave them out with --skip-unknown"
        )
    if unknown:
        sys.stderr.write(f"fastaudio: skipped, no label of {args.model}: {', '.join(unknown)}\n")
    kept = [label in known for label in labels]
    files, labels = list(compress(files, kept)), list(compress(labels, kept))
    with stages(quiet=args.quiet) as progress:
        found = heads.evaluate(pipeline, files, labels, jobs=args.jobs, progress=progress)
    if args.plot:
        found.plot_confusion(args.plot)
    sys.stdout.write(found.to_json() + "\n" if args.json else found.report)
    return status_of(len(found.failed), len(files))
