"""The command `fastaudio train`: a new model from labelled sounds."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio import heads
from fastaudio._core import ModelError
from fastaudio._system.text import printable
from fastaudio._system.writing import check_folder, check_writable
from fastaudio.cards import DEFAULT_MODEL, read_card
from fastaudio.cards.licences import check_licence, licence_in
from fastaudio.cards.pack import has_own_folder
from fastaudio.cards.replacing import model_file
from fastaudio.cli import embedded
from fastaudio.cli.arguments import (
    FAILED,
    OK,
    Commands,
    add_command,
    add_force,
    add_jobs,
    add_layer,
    natural,
    positive,
    status_of,
)
from fastaudio.cli.files import model_files
from fastaudio.cli.labels import FORMS, add_others, add_source, choose_groups, read_labels
from fastaudio.cli.progress import Trials, stages
from fastaudio.cli.terminal import complain, put
from fastaudio.heads import plots
from fastaudio.heads.data import EMBEDDINGS, refusal
from fastaudio.heads.report import failed_lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from fastaudio.cli.labels import Labels
    from fastaudio.reviewing.training import Embedded

_HELP = r"""train a model for your own labels

Train a model for your own labels. The network of --model stays as it is; one dense layer or two learn to
tell your labels from its output. Cross-validation finds out how well that works and prints it: each file,
or labelled stretch of a recording, is judged by a model that didn't learn from it.

{FORMS}
A model knows its own labels only, and takes every sound for one of them: --other gives it one more, of sounds
that have none of them. Its scores are made probabilities, and its card has for each label the score from
which it counts, that of the highest F1; fastaudio tag, listen and evaluate go by these.

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
  fastaudio train night.txt -o calls                   night.wav, and its labels by Audacity or Raven
  fastaudio train nights/ -o calls --other rest        many of them; what has no label is other
  fastaudio train labels.csv -o mine --other noises/   a manifest; other is what is in noises/
  fastaudio train sounds/ -o mine --model auto         all models here that have embeddings; the best is kept
  fastaudio train sounds/ -o mine --augment 3          three altered copies of each sound help
  fastaudio train --from embeddings --labels labels.csv -o calls    what fastaudio scan has embedded
  fastaudio train --from embeddings --label-column species -o calls    labels that the scan has kept

With --from no sound is read: labels are learnt from the rows that a scan has, in seconds. A stretch has the
rows that lie within it, or else the one that shares most of it; of a stretch labelled twice the last label
counts. fastaudio scan --from then runs the model over the same rows.

A clip shorter than the model's window still gives one window: its frames are repeated or padded as the
model's card says, both in training and later.

Sub-folders without sound and files that can't be used are an error, and nothing is saved, unless you add
--allow-missing.

exit status: 0 all files used, 1 some left out (each named in the report), 2 nothing saved (wrong usage, or
something is missing), 130 interrupted
"""

_HELP = _HELP.replace("{FORMS}", FORMS)

AUTO = "auto"
"""What stands for all shipped models with embeddings."""

SCHEMA = "fastaudio.training/1"
"""Name and version of the JSON form; a change of meaning raises the number."""

_FOLDS = 5

_OPTIONS_OF_FIT = (
    *("kind", "layer", "average", "l2", "hidden", "penalty", "seed", "jobs"),
    *("allow_missing", "augment"),
)


def add(commands: Commands) -> None:
    """Add the command."""
    train = add_command(commands, "train", _run, _HELP)
    add_source(train, optional=True)
    embedded.add(train)
    train.add_argument(
        "-o", "--output", required=True, metavar="FOLDER", help="where to write the new model, or a FILE.onnx"
    )
    model = train.add_argument_group("model")
    model.add_argument(
        "--model",
        action="append",
        help=f"name, or path of a card ({DEFAULT_MODEL}); given again, another is tried too, and the best "
        f"is kept; {AUTO} tries all that are here",
    )
    add_layer(model)
    model.add_argument(
        "--kind", choices=["linear", "mlp"], default="linear", help="one dense layer, or two (linear)"
    )
    model.add_argument(
        "--hidden", type=positive, default=100, metavar="N", help="units between the two (100)"
    )
    model.add_argument("--average", action="store_true", help="learn from one row per clip, its mean")
    model.add_argument("--l2", action="store_true", help="divide each row by its Euclidean length")
    model.add_argument("--penalty", type=float, default=10, metavar="X", help="penalty on large weights (10)")
    model.add_argument(
        "--other",
        metavar="rest|FOLDER",
        help="learn the label other too, from sound between the labels of recordings, or in a folder",
    )
    model.add_argument(
        "--augment", type=natural, default=0, metavar="N", help="learn from N altered copies of each too (0)"
    )
    model.add_argument(
        "--no-calibrate", action="store_true", help="leave scores as they are, not made probabilities"
    )
    trial = train.add_argument_group("cross-validation")
    trial.add_argument(
        "--groups",
        metavar="REGEX|LEVEL|recording|60s",
        help="keep files of one group on one side: the group is what the first parentheses of a regular "
        "expression match in the file's name, or the name of the folder LEVEL levels below the label's; or "
        "the recording that a stretch is of, or each minute of it (recordings, if there are enough)",
    )
    trial.add_argument(
        "--folds", type=positive, metavar="N", help=f"parts to deal files into ({_FOLDS}, or as they come)"
    )
    trial.add_argument("--seed", type=natural, default=0, metavar="N", help="random seed (0)")
    train.add_argument(
        "--allow-missing",
        action="store_true",
        help="go on without sub-folders that have no sound, and files and rows that can't be used",
    )
    kept = train.add_mutually_exclusive_group()
    kept.add_argument(
        "--cache", metavar="FOLDER", help=f"where to keep embeddings ({EMBEDDINGS} beside the output)"
    )
    kept.add_argument("--no-cache", action="store_true", help="keep no embeddings, and use none")
    train.add_argument("--plot", metavar="FILE.png", help="draw the confusion matrix")
    train.add_argument("--plot-labels", metavar="FILE.png", help="draw which labels the model finds alike")
    train.add_argument("--json", action="store_true", help="write the report as JSON")
    add_force(train)
    add_jobs(train)


def _run(args: argparse.Namespace) -> int:
    start_s = time.perf_counter()
    scanned = embedded.read(args)
    labels = read_labels(args) if scanned is None else embedded.labels_of(scanned)
    if args.other:
        add_others(labels, args.other, args.seed)
    where = args.source or args.label_file or args.scan
    if labels.left_out and not args.allow_missing:
        text = f"expected labelled sound everywhere, got {len(labels.left_out)} without"
        if args.source and Path(args.source).is_dir():
            text = (
                f"expected sound in each sub-folder, and none beside, got {len(labels.left_out)} that differ"
            )
        raise ValueError(refusal(where, text, tuple(labels.left_out)))
    if args.folds is not None:
        labels.folds = None
    choose_groups(labels, where, args.groups, n_folds=args.folds or _FOLDS, seed=args.seed)
    models = args.model or [DEFAULT_MODEL]
    _check_outputs(args, labels.paths, models)
    comparison, head = _trained(args, labels, models, scanned)
    if head.n_cached:
        complain(f"{head.n_cached} of {len(labels.files)} embeddings from {_cache_of(args)}")
    head.save(args.output)
    left_out = "\n".join([*failed_lines(tuple(labels.left_out)), ""])
    saved = printable(f"{args.output}: saved; fastaudio tag FILE --model {args.output}")
    if args.json:
        left = [{"path": place, "reason": reason} for place, reason in labels.left_out]
        told = _plain(head, comparison) | {"model": args.output, "left_out": left}
        put(
            json.dumps(told | {"seconds": round(time.perf_counter() - start_s, 3)}, ensure_ascii=False) + "\n"
        )
    else:
        table = "" if comparison is None else f"{comparison.report}\n"
        sys.stdout.write(printable(f"{table}{head.report}{left_out}{saved}\n", lines=True))
    if args.plot:
        head.plot_confusion(args.plot)
    if args.plot_labels:
        head.plot_similarity(args.plot_labels)
    return max(status_of(len(head.failed), len(labels.files)), FAILED if labels.left_out else OK)


def _cache_of(args: argparse.Namespace) -> Path | None:
    if args.no_cache or args.scan:
        return None
    return Path(args.cache or Path(args.output).absolute().parent / EMBEDDINGS)


def _trained(
    args: argparse.Namespace, labels: Labels, models: Sequence[str], scanned: Embedded | None
) -> tuple[heads.Comparison | None, heads.Head]:
    """Return the head, and how it compares if several models were tried."""
    how: dict[str, Any] = {name: getattr(args, name) for name in _OPTIONS_OF_FIT}
    how |= {"groups": labels.groups, "cache": _cache_of(args), "calibrated": not args.no_calibrate}
    how |= {"folds": args.folds or _FOLDS, "fold_of": labels.folds}
    given: list[Any] = [labels.files, labels.labels]
    try:
        with stages(quiet=args.quiet) as progress:
            if scanned is not None:
                how |= {"rows": scanned.rows, "average": args.average or scanned.average, "layer": None}
                return None, heads.fit(scanned.embedder, *given, progress=progress, **how)
            if AUTO not in models and len(models) == 1:
                return None, heads.fit(models[0], *given, progress=progress, **how)
        ours = heads.shipped_embedders() if AUTO in models else []
        chosen = list(dict.fromkeys([*ours, *(name for name in models if name != AUTO)]))
        with Trials(quiet=args.quiet) as trials:
            compared = heads.compare(chosen, *given, told=trials.begin, progress=trials.show, **how)
    except KeyboardInterrupt:
        if (kept := _cache_of(args)) is not None:
            complain(f"embeddings are kept in {kept}; the same command goes on from there")
        raise
    return compared, compared.best


def _plain(head: heads.Head, comparison: heads.Comparison | None) -> dict[str, Any]:
    """Return a head's report as plain data for JSON."""
    card = head.pipeline.card
    kept = ("embedder", "head", "metrics", "calibration", "thresholds")
    return {
        "schema": SCHEMA,
        **{name: card[name] for name in kept},
        "compared": None if comparison is None else comparison.to_list(),
        "evaluation": head.evaluation.to_dict(),
    }


def _check_outputs(args: argparse.Namespace, files: Sequence[str], models: Sequence[str]) -> None:
    """Refuse what couldn't be written, before the work begins."""
    model = model_file(args.output)
    if os.path.lexists(model):
        theirs = [file for name in models for file in model_files(name)]
        check_writable(
            model, force=args.force, inputs=[*files, *filter(None, [args.source, args.label_file]), *theirs]
        )
        try:
            read_card(model)
        except ModelError as error:
            raise ValueError(
                f"{model}: expected a model to replace, got another file; choose another name"
            ) from error
    else:
        check_folder(model.parent)
    if model != Path(args.output) and not has_own_folder(model):
        for name in heads.shipped_embedders() if AUTO in models else models:
            check_licence(model.parent, licence_in(read_card(name).path.parent))
    drawings = [path for path in (args.plot, args.plot_labels) if path]
    for i, path in enumerate(drawings):
        plots.check(path, force=args.force, inputs=[*files, model, *drawings[:i]])
