"""Training on what a scan has embedded: its options, its labels and its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio.cli.labels import Labels
from fastaudio.cli.progress import stages
from fastaudio.cli.terminal import complain
from fastaudio.labelled.segment import path_of
from fastaudio.reviewing.training import Embedded, embedded

if TYPE_CHECKING:
    import argparse

_OF_SOUND = ("layer", "other", "augment", "cache", "no_cache")


def add(train: argparse.ArgumentParser) -> None:
    """Add the options."""
    scan = train.add_argument_group("a scan in place of SOURCE")
    scan.add_argument(
        "--from",
        dest="scan",
        metavar="SCAN",
        help="learn from the embeddings that fastaudio scan --layer has written, without reading any sound",
    )
    scan.add_argument(
        "--labels",
        dest="label_file",
        metavar="FILE.csv",
        help="a manifest whose paths are the scan's, such as fastaudio review writes; without it, "
        "--label-column names a column that the scan has kept",
    )


def read(args: argparse.Namespace) -> Embedded | None:
    """Return the rows of a scan with their labels; None if sound is to be read.

    Raises:
        ScanError, SearchError: there is no such scan, or no labels for it.
        ValueError: options that don't go together.
    """
    if args.scan is None:
        if args.source is None or args.label_file is not None:
            got = "neither" if args.source is None else "--labels with SOURCE"
            raise ValueError(
                f"train: expected SOURCE, or a scan after --from with --labels or --label-column, got {got}"
            )
        return None
    if args.source is not None:
        raise ValueError(f"train: expected SOURCE or --from, got both; give {args.source} by --labels")
    if given := [f"--{name.replace('_', '-')}" for name in _OF_SOUND if getattr(args, name)]:
        raise ValueError(
            f"train: expected no {given[0]} with --from, which reads no sound, got it; leave it out, or "
            "train on the sound itself"
        )
    models = args.model or [None]
    if len(models) > 1 or models[0] == "auto":
        raise ValueError(
            f"train: expected one model with --from, the scan's, got {len(models)}; leave --model out"
        )
    with stages(quiet=args.quiet) as show:
        return embedded(
            args.scan,
            args.label_file,
            column=args.label_column,
            model=models[0],
            progress=lambda done, of: show("gathering embeddings", done, of),
        )


def labels_of(scanned: Embedded) -> Labels:
    """Return the labels; stderr says how many there are."""
    n_names = len({one for each in scanned.labels for one in (each if scanned.several else [each])})
    n_rows, n = sum(map(len, scanned.rows)), len(set(map(path_of, scanned.files)))
    told = f"{len(scanned.files)} examples of {n_names} labels in {n} recording{'s' if n > 1 else ''}"
    complain(f"{told}, {n_rows} rows of the scan")
    how = scanned.several, scanned.groups, scanned.folds, scanned.left_out
    return Labels(scanned.files, scanned.labels, *how)
