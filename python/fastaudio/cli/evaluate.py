"""The command `fastaudio evaluate`: how well a model finds the labels of a folder of sounds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio import cards, heads
from fastaudio._system.text import encoded, listed, printable
from fastaudio._system.writing import check_writable, is_stream, writing
from fastaudio.cards import DEFAULT_MODEL
from fastaudio.cards.named import model_at
from fastaudio.cards.thresholds import thresholds_of
from fastaudio.cli.arguments import (
    FAILED,
    OK,
    Commands,
    add_command,
    add_jobs,
    add_model,
    add_output,
    status_of,
)
from fastaudio.cli.files import model_files
from fastaudio.cli.labels import FORMS, Labels, add_label_column, read_labels
from fastaudio.cli.parsing import Parser
from fastaudio.cli.progress import stages
from fastaudio.cli.terminal import complain, put
from fastaudio.heads import plots
from fastaudio.heads.report import failed_lines
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    import argparse

_HELP = """\
measure a model on labelled files

Run a model over labelled files, or labelled stretches of recordings, and say how well it finds their labels,
which are named as the model names them. A file counts as the label that scores highest among all of the
model's; if files have lists of labels, as each that reaches the score which the model's card has for it, or
0.5 without.

{FORMS}
examples:
  fastaudio evaluate my-model more-sounds/                 a model of `fastaudio train`, on other files
  fastaudio evaluate musicnn-mtt music/ --skip-unknown     only the sub-folders that the model knows
  fastaudio evaluate more-sounds/ --model my-model -o result.json    the same as JSON, into a file
  fastaudio evaluate my-model more-sounds/ --plot confusion.png
  fastaudio evaluate calls other-night.txt                 other-night.wav, labelled by Audacity or Raven

exit status: 0 all files done, 1 some failed or a sub-folder has no sound (each named), 2 wrong usage,
130 interrupted
""".replace("{FORMS}", FORMS)


def add(commands: Commands) -> None:
    """Add the command."""
    evaluate = add_command(commands, "evaluate", _run, _HELP)
    evaluate.add_argument(
        "words",
        nargs="+",
        metavar="[MODEL] SOURCE",
        help="a model's name or path, as for --model; a folder, a table of labels, or a manifest",
    )
    if isinstance(evaluate, Parser):
        evaluate.intermixed = True
    add_model(evaluate)
    evaluate.set_defaults(model=None)
    add_label_column(evaluate)
    evaluate.add_argument(
        "--skip-unknown", action="store_true", help="leave out labels that the model doesn't have"
    )
    evaluate.add_argument(
        "--json", action="store_true", help="write the result as JSON, with the confusion matrix"
    )
    evaluate.add_argument("--plot", metavar="FILE.png", help="draw the confusion matrix")
    add_output(evaluate, "write the result to a file, not to stdout; as JSON if its name ends in .json")
    add_jobs(evaluate)


def _take_words(args: argparse.Namespace) -> None:
    """Tell the model, which may stand before the source, from the source."""
    *models, args.source = args.words
    if len(models) > 1:
        raise ValueError(
            f"evaluate: expected one model and one source, got {listed(args.words)}; leave out one"
        )
    if models and args.model is not None:
        raise ValueError(f"evaluate: expected --model or {models[0]}, got both; leave out one")
    if not models and args.model is None and args.source in cards.models() and model_at(args.source) is None:
        raise ValueError(
            f"evaluate: expected a folder, a table of labels or a manifest after the model {args.source}, "
            "got none; name it"
        )
    args.model = models[0] if models else args.model or DEFAULT_MODEL


def _run(args: argparse.Namespace) -> int:
    _take_words(args)
    output = args.output or "-"
    as_json = args.json or (not is_stream(output) and Path(output).suffix.lower() == ".json")
    labels = read_labels(args)
    check_writable(output, force=args.force, inputs=[*labels.paths, *model_files(args.model)])
    if args.plot:
        plots.check(args.plot, force=args.force, inputs=[*labels.paths, output])
    pipeline = Pipeline.load(args.model)
    known = {label for spec in pipeline.output_specs.values() for label in spec.labels}
    unknown = _unknown(args, labels, known)
    left_out = labels.left_out
    if unknown:
        complain(f"skipped, no label of {args.model}: {', '.join(map(printable, unknown))}")
    if args.skip_unknown and not labels.has_tables:
        left_out = [one for one in left_out if Path(one[0]).relative_to(args.source).parts[0] in known]
    _keep(labels, known)
    how: dict[str, Any] = {"jobs": args.jobs}
    if (least := thresholds_of(pipeline)) is not None:
        how["threshold"] = least
    with stages(quiet=args.quiet) as progress:
        result = heads.evaluate(pipeline, labels.files, labels.labels, progress=progress, **how)
    text = f"{result.to_json()}\n" if as_json else printable(result.report, lines=True)
    if args.output:
        with writing(args.output, force=args.force) as file:
            file.write(encoded(text))
    elif as_json:
        put(text)
    else:
        sys.stdout.write(text)
    for line in failed_lines(tuple(left_out)):
        complain(line)
    if args.plot:
        result.plot_confusion(args.plot)
    return max(status_of(len(result.failed), len(labels.files)), FAILED if left_out else OK)


def _unknown(args: argparse.Namespace, labels: Labels, known: set[str]) -> list[str]:
    """Return the labels to leave out, since the model doesn't have them.

    Raises:
        ValueError: it has none; or nobody asked for that, or no label would be left.
    """
    if not known:
        raise ValueError(f"evaluate: expected a model with labels, got {args.model}, which has none")
    given = {label for own in _lists(labels) for label in own}
    unknown = sorted(given - known)
    if unknown and not (args.skip_unknown and given & known):
        what = "labels" if labels.has_tables else "sub-folders named as labels"
        remedy = "rename them, or leave them out with --skip-unknown"
        if not given & known:
            remedy = f"rename them to its own, which are {listed(sorted(known))}"
        raise ValueError(f"evaluate: expected {what} of {args.model}, got {listed(unknown)}; {remedy}")
    return unknown


def _lists(labels: Labels) -> list[list[str]]:
    return labels.labels if labels.several else [[label] for label in labels.labels]


def _keep(labels: Labels, known: set[str]) -> None:
    """Leave out labels that aren't known, and examples that are left with none."""
    kept = [[label for label in own if label in known] for own in _lists(labels)]
    pairs = [
        (file, own)
        for file, own, old in zip(labels.files, kept, _lists(labels), strict=True)
        if own or not old
    ]
    labels.files = [file for file, _ in pairs]
    labels.labels = [own if labels.several else own[0] for _, own in pairs]
