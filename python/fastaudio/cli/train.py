"""The command `fastaudio train`: a new model from a folder of labelled sounds."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio import heads
from fastaudio._core import ModelError
from fastaudio._system.text import printable
from fastaudio._system.writing import check_folder, check_writable
from fastaudio.cards import DEFAULT_MODEL, read_card
from fastaudio.cards.licences import check_licence, licence_in
from fastaudio.cards.pack import has_own_folder
from fastaudio.cards.replacing import model_file
from fastaudio.cli.arguments import FAILED, OK, Commands, add_command, add_jobs, positive, status_of
from fastaudio.cli.files import model_files
from fastaudio.cli.progress import stages
from fastaudio.cli.terminal import complain
from fastaudio.heads import plots
from fastaudio.heads.data import EMBEDDINGS, refusal, search
from fastaudio.heads.report import failed_lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_HELP = r"""train a model for your own labels

Train a model for your own labels. DIR has a sub-folder for each label, with its audio files in it or
below; hidden files are left out. The network of --model stays as it is; one dense layer or two learn to
tell your labels from its output. Cross-validation finds out how well that works and prints it: each file
is judged by a model that didn't learn from it.

A model knows its own labels only, and takes every sound for one of them: give it a sub-folder such as
sounds/other with sounds that are none of these.

Embeddings are kept in the folder fastaudio-embeddings beside the output. Another --kind, --penalty or
--average then takes seconds, and an interrupted run goes on if the same command is given again. Files that
were changed are embedded again. The folder may be deleted when you are done.

examples:
  fastaudio train sounds/ -o my-model                  sounds/dog/*.wav, sounds/cat/*.wav, ...
  fastaudio tag new.wav --model my-model               its tags for another file
  fastaudio evaluate my-model more-sounds/             how well it does on files from elsewhere
  fastaudio train sounds/ -o my-mlp --kind mlp         takes seconds: the embeddings are there
  fastaudio train sounds/ -o my-model --penalty 1 --force
  fastaudio train sounds/ -o my-model --allow-missing  goes on without files that can't be read
  fastaudio train music/ -o genres --groups 1          music/GENRE/ARTIST/...: no artist on both sides
  fastaudio train notes/ -o notes --groups "_(\d+)-"   the same for the 32 in bass_32-041.wav
  fastaudio train sounds/ -o my-model --plot confusion.png --plot-labels alike.png

A clip shorter than the model's window still gives one window: its frames are repeated or padded as the
model's card says, both in training and later.

Sub-folders without sound and files that can't be used are an error, and nothing is saved, unless you add
--allow-missing.

exit status: 0 all files used, 1 some left out (each named in the report), 2 nothing saved (wrong usage, or
something is missing), 130 interrupted
"""

_OPTIONS_OF_FIT = (
    *("kind", "layer", "folds", "average", "l2", "hidden", "penalty", "seed", "jobs"),
    "allow_missing",
)


def add(commands: Commands) -> None:
    """Add the command."""
    train = add_command(commands, "train", _run, _HELP)
    train.add_argument("folder", metavar="DIR", help="a folder with a sub-folder for each label")
    train.add_argument(
        "-o", "--output", required=True, metavar="FOLDER", help="where to write the new model, or a FILE.onnx"
    )
    model = train.add_argument_group("model")
    model.add_argument("--model", default=DEFAULT_MODEL, help="name, or path of a card (%(default)s)")
    model.add_argument("--layer", help="output to learn from (its card's first embedding)")
    model.add_argument(
        "--kind", choices=["linear", "mlp"], default="linear", help="one dense layer, or two (linear)"
    )
    model.add_argument(
        "--hidden", type=positive, default=100, metavar="N", help="units between the two (100)"
    )
    model.add_argument("--average", action="store_true", help="learn from one row per clip, its mean")
    model.add_argument("--l2", action="store_true", help="divide each row by its Euclidean length")
    model.add_argument("--penalty", type=float, default=10, metavar="X", help="penalty on large weights (10)")
    trial = train.add_argument_group("cross-validation")
    trial.add_argument(
        "--groups",
        metavar="REGEX|LEVEL",
        help="keep files of one group on one side: the group is what the first parentheses of a regular "
        "expression match in the file's name, or the name of the folder LEVEL levels below the label's",
    )
    trial.add_argument("--folds", type=positive, default=5, metavar="N", help="parts to deal files into (5)")
    trial.add_argument("--seed", type=int, default=0, metavar="N", help="random seed (0)")
    train.add_argument(
        "--allow-missing",
        action="store_true",
        help="go on without sub-folders that have no sound, and files that can't be used",
    )
    kept = train.add_mutually_exclusive_group()
    kept.add_argument(
        "--cache", metavar="FOLDER", help=f"where to keep embeddings ({EMBEDDINGS} beside the output)"
    )
    kept.add_argument("--no-cache", action="store_true", help="keep no embeddings, and use none")
    train.add_argument("--plot", metavar="FILE.png", help="draw the confusion matrix")
    train.add_argument("--plot-labels", metavar="FILE.png", help="draw which labels the model finds alike")
    train.add_argument("--force", action="store_true", help="replace a model and drawings that are there")
    add_jobs(train)


def _run(args: argparse.Namespace) -> int:
    found = search(args.folder)
    if found.skipped:
        complain(found.skipped)
    if found.left_out and not args.allow_missing:
        text = f"expected sound in each sub-folder, and none beside, got {len(found.left_out)} that differ"
        raise ValueError(refusal(args.folder, text, found.left_out))
    files, labels = found.files, found.labels
    _check_outputs(args, files)
    groups = None if args.groups is None else groups_of(args.folder, files, args.groups)
    how = {name: getattr(args, name) for name in _OPTIONS_OF_FIT}
    cache = None if args.no_cache else Path(args.cache or Path(args.output).absolute().parent / EMBEDDINGS)
    try:
        with stages(quiet=args.quiet) as progress:
            head = heads.fit(args.model, files, labels, groups=groups, progress=progress, cache=cache, **how)
    except KeyboardInterrupt:
        if cache is not None:
            complain(f"embeddings are kept in {cache}; the same command goes on from there")
        raise
    if head.n_cached:
        complain(f"{head.n_cached} of {len(files)} embeddings from {cache}")
    head.save(args.output)
    left_out = "\n".join([*failed_lines(found.left_out), ""])
    saved = printable(f"{args.output}: saved; fastaudio tag FILE --model {args.output}")
    sys.stdout.write(printable(f"{head.report}{left_out}{saved}\n", lines=True))
    if args.plot:
        head.plot_confusion(args.plot)
    if args.plot_labels:
        head.plot_similarity(args.plot_labels)
    return max(status_of(len(head.failed), len(files)), FAILED if found.left_out else OK)


def _check_outputs(args: argparse.Namespace, files: Sequence[str]) -> None:
    """Refuse what couldn't be written, before the work begins."""
    model = model_file(args.output)
    if os.path.lexists(model):
        check_writable(model, force=args.force, inputs=[*files, *model_files(args.model)])
        try:
            read_card(model)
        except ModelError as error:
            raise ValueError(
                f"{model}: expected a model to replace, got another file; choose another name"
            ) from error
    else:
        check_folder(model.parent)
    if model != Path(args.output) and not has_own_folder(model):
        check_licence(model.parent, licence_in(read_card(args.model).path.parent))
    drawings = [path for path in (args.plot, args.plot_labels) if path]
    for i, path in enumerate(drawings):
        plots.check(path, force=args.force, inputs=[*files, model, *drawings[:i]])


def groups_of(folder: str, files: Sequence[str], rule: str) -> list[str]:
    """Return the group of each file.

    `rule` says how many folders below the label's the group's folder is, or it is a regular expression whose
    first group, found in the file's name, names it.

    Raises:
        ValueError: the expression is malformed or doesn't match a file, or a file isn't so deep in folders.
    """
    if rule.isdecimal():
        level, below = int(rule), [Path(file).relative_to(folder).parts[:-1] for file in files]
        for file, parts in zip(files, below, strict=True):
            if not 0 < level < len(parts):
                raise ValueError(
                    f"train --groups: expected {file} at least {max(level, 1)} folders below its label's, "
                    f"got {len(parts) - 1}"
                )
        return [parts[level] for parts in below]
    try:
        pattern = re.compile(rule)
    except re.error as error:
        raise ValueError(f"train --groups: expected a regular expression, got {rule!r}: {error}") from error
    found = [pattern.search(Path(file).name) for file in files]
    for file, match in zip(files, found, strict=True):
        if match is None:
            raise ValueError(f"train --groups: expected {rule!r} in each file's name, got {file}")
    return [match[min(pattern.groups, 1)] or "" for match in found if match]
