"""Labelled sound on the command line: where it comes from, what is in one group, and what is no label's."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio import labelled
from fastaudio.cli.terminal import complain
from fastaudio.decoding.folders import find_audio
from fastaudio.heads.data import examples, search
from fastaudio.heads.folds import check
from fastaudio.heads.judging import folds_of
from fastaudio.labelled import Found, Segment
from fastaudio.labelled.rest import length_of, rest_of, stretches_of
from fastaudio.labelled.segment import path_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from fastaudio.labelled.segment import File

OTHER = "other"
"""The label of sound that has none."""

REST = "rest"
"""What stands on the command line for the rest of the recordings."""

FORMS = """\
SOURCE is where labelled sound is:
  a folder with a sub-folder for each label: sounds/dog/*.wav, sounds/cat/*.wav
  recordings with tables of their labels beside them, night.wav and night.txt: label tracks of Audacity, or
    selection tables of Raven (night.Table.1.selections.txt); a folder of them, or one table
  a Raven table that names its recordings in the column Begin File
  a manifest, a .csv with the columns path and label (or labels, with ; between), and if wanted fold, group,
    start_s and end_s
  ESC-50, UrbanSound8K, GTZAN, MagnaTagATune, OpenMIC-2018 or FSD50K, the folder as it comes
"""

_OTHERS_PER_LABEL, _FEWEST_OTHERS = 3, 20
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")


@dataclass
class Labels:
    """Labelled sound, as `heads.fit` takes it.

    Attributes:
        files: whole files, or stretches of recordings.
        labels: each one's label, or its list of labels.
        several: whether these are lists.
        groups, folds: each one's group and fold, or None.
        left_out: place and reason of all that should have given labelled sound, and didn't.
        has_tables: whether a table has the labels, not the names of folders.
    """

    files: list[File]
    labels: list[Any]
    several: bool = False
    groups: list[str] | None = None
    folds: list[str] | None = None
    left_out: list[tuple[str, str]] = field(default_factory=list)
    has_tables: bool = True

    @property
    def paths(self) -> list[str]:
        """The files that sound is read from, each once."""
        return list(dict.fromkeys(map(path_of, self.files)))


def add_source(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """Add the arguments that say where labelled sound is."""
    how: dict[str, Any] = {"nargs": "?"} if optional else {}
    parser.add_argument("source", metavar="SOURCE", help="a folder, a table of labels, or a manifest", **how)
    add_label_column(parser)


def add_label_column(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which column has the labels."""
    parser.add_argument(
        "--label-column", metavar="NAME", help="column of a table that has the labels (Annotation, or alike)"
    )


def read_labels(args: argparse.Namespace) -> Labels:
    """Read the labelled sound of the arguments; stderr says what was skipped.

    Raises:
        ValueError: there is none.
    """
    top = Path(args.source)
    if top.is_dir() and not labelled.has_tables(top):
        folder = search(args.source)
        if folder.skipped:
            complain(folder.skipped)
        return Labels(list(folder.files), folder.labels, left_out=list(folder.left_out), has_tables=False)
    found = labelled.read(args.source, label_column=args.label_column)
    if found.skipped:
        complain(found.skipped)
    n_names = len({label for labels in found.labels for label in labels})
    n = len(set(map(path_of, found.files)))
    told = f"{len(found.files)} examples of {n_names} labels in {n} recording{'s' if n > 1 else ''}"
    complain(f"{args.source}: {found.what}, {told}")
    return _as_labels(found)


def _as_labels(found: Found) -> Labels:
    labels: list[Any] = found.labels if found.several else [labels[0] for labels in found.labels]
    return Labels(found.files, labels, found.several, found.groups, found.folds, found.left_out)


def add_others(labels: Labels, where: str, seed: int) -> None:
    """Add unlabelled sound, as the label other, or as sound without labels if files have lists of labels.

    Args:
        labels: what to add to.
        where: "rest" for what lies between the labels, or a folder.
        seed: of the draw.

    Raises:
        ValueError: there is no such sound.
    """
    counts = Counter(one for each in labels.labels for one in (each if labels.several else [each]))
    n = max(_FEWEST_OTHERS, _OTHERS_PER_LABEL * round(float(np.median(list(counts.values()) or [0]))))
    if where == REST:
        found, failed = rest_of(labels.files, n, seed)
        why = "labels of stretches with unlabelled sound between them"
    elif Path(where).is_dir():
        sounds = [file for file in find_audio(where).files if file not in set(labels.paths)]
        found, failed = stretches_of(sounds, length_of(labels.files), n, seed)
        why = "a folder with sound"
    else:
        raise ValueError(f"train --other: expected {REST} or a folder of unlabelled sound, got {where}")
    labels.left_out += failed
    if not found:
        raise ValueError(f"train --other: expected {why}, got none in {where}; leave --other out")
    if labels.folds is not None:
        known = dict(zip(map(path_of, labels.files), labels.folds, strict=True))
        names = sorted(set(labels.folds))
        labels.folds += [known.get(one.path, names[i % len(names)]) for i, one in enumerate(found)]
    if labels.groups is not None:
        labels.groups += [one.path for one in found]
    labels.files += found
    labels.labels += [[] if labels.several else OTHER for _ in found]


def choose_groups(labels: Labels, source: str, rule: str | None, *, n_folds: int, seed: int) -> None:
    """Put examples into groups, by a rule, or as is right for stretches of recordings."""
    if rule is not None:
        labels.folds = None
        labels.groups = _by_rule(labels, source, rule)
        return
    if labels.folds is not None:
        labels.groups = None  # folds are kept as they are
        return
    if labels.groups is not None or not any(isinstance(file, Segment) for file in labels.files):
        return
    recordings = list(map(path_of, labels.files))
    if _can_be_dealt(labels, recordings, n_folds, seed):
        labels.groups = recordings
        return
    labels.groups = _by_overlap(labels.files)
    complain(
        "stretches of one recording are both learnt from and judged, since there are too few recordings; "
        "other recordings may be harder: fastaudio evaluate tells"
    )


def _by_rule(labels: Labels, source: str, rule: str) -> list[str]:
    if rule == "recording":
        return list(map(path_of, labels.files))
    if (match := _SECONDS.fullmatch(rule)) is not None and float(match[1]) > 0:
        length_s = float(match[1])
        starts = [file.start_s if isinstance(file, Segment) else 0.0 for file in labels.files]
        paths = map(path_of, labels.files)
        return [f"{path}:{int(start // length_s)}" for path, start in zip(paths, starts, strict=True)]
    return groups_of(source, list(map(path_of, labels.files)), rule)


def _can_be_dealt(labels: Labels, groups: list[str], n_folds: int, seed: int) -> bool:
    clips = examples("train", labels.files, labels.labels, groups)
    try:
        check(clips.truth, clips.groups, clips.labels, grouped=True)
        folds_of(clips, n_folds, seed)
    except ValueError:
        return False
    return True


def _by_overlap(files: Sequence[File]) -> list[str]:
    """Return groups of stretches that have sound in common."""
    groups = [""] * len(files)
    ends: dict[str, tuple[float, str]] = {}
    spans = [(file.start_s, file.end_s) if isinstance(file, Segment) else (0.0, 1e9) for file in files]
    for i in sorted(range(len(files)), key=lambda i: spans[i]):
        path = path_of(files[i])
        start_s, end_s = spans[i]
        until_s, name = ends.get(path, (-1.0, ""))
        if start_s >= until_s:
            name = f"{path}:{i}"
        groups[i] = name
        ends[path] = max(until_s, end_s), name
    return groups


def groups_of(folder: str, files: Sequence[str], rule: str) -> list[str]:
    """Return the group of each file.

    `rule` says how many folders below the label's the group's folder is, or it is a regular expression whose
    first group, found in the file's name, names it.

    Raises:
        ValueError: the expression is malformed or doesn't match a file, or a file isn't so deep in folders.
    """
    if rule.isdecimal():
        level, below = int(rule), [_below(folder, file) for file in files]
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


def _below(folder: str, file: str) -> tuple[str, ...]:
    path = Path(file)
    return path.relative_to(folder).parts[:-1] if path.is_relative_to(folder) else ()
