"""Labelled files: found in a folder, and as arrays."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastaudio._system.text import listed
from fastaudio.decoding.folders import Found, find_audio
from fastaudio.labelled.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fastaudio.labelled.segment import File

PathLike: TypeAlias = "str | os.PathLike[str]"
Source: TypeAlias = "str | os.PathLike[str] | Segment"
"""A file, or a stretch of one."""

Progress: TypeAlias = "Callable[[str, int, int], None]"
"""Called with the stage of work, how much of it is done, and the total."""

Failed: TypeAlias = "tuple[tuple[str, str], ...]"
"""Path and reason of each file that failed."""

EMBEDDINGS = "fastaudio-embeddings"
"""Name of the folder beside a model in which its training keeps embeddings."""

_HARMLESS = ("not sound", "hidden", "link to a folder that is searched already")
_STRAY = "expected a sub-folder for its label, got none; move it into one"
_NAMED = 8  # a message stays within a screen


@dataclass(frozen=True)
class Examples:
    """Labelled files.

    Attributes:
        files: paths, or stretches of recordings.
        labels: names of all labels, sorted.
        truth: which labels each file has [n_files, n_labels].
        groups: number of each file's group [n_files].
        multi: whether files have lists of labels instead of one each.
        grouped: whether groups were given; if not, each file is a group.
        folds: number of each file's fold [n_files], if folds were given.
    """

    files: tuple[File, ...]
    labels: tuple[str, ...]
    truth: NDArray[np.bool_]
    groups: NDArray[np.int64]
    multi: bool
    grouped: bool
    folds: NDArray[np.int64] | None = None

    def only(self, kept: NDArray[np.bool_]) -> Examples:
        """Return only these files; the labels stay."""
        files = tuple(file for file, keep in zip(self.files, kept, strict=True) if keep)
        folds = None if self.folds is None else self.folds[kept]
        return replace(self, files=files, truth=self.truth[kept], groups=self.groups[kept], folds=folds)

    def lost(self, kept: Examples) -> tuple[str, ...]:
        """Return the labels that have files here, but none among those that were kept."""
        gone = np.flatnonzero(self.truth.any(axis=0) > kept.truth.any(axis=0))
        return tuple(self.labels[k] for k in gone.tolist())

    def of(self, labels: Sequence[str]) -> set[str]:
        """Return the files that have one of these labels."""
        columns = [k for k, label in enumerate(self.labels) if label in labels]
        return {str(self.files[i]) for i in np.flatnonzero(self.truth[:, columns].any(axis=1)).tolist()}

    def without(self, labels: Sequence[str]) -> Examples:
        """Return the same files without these labels."""
        kept = [k for k, label in enumerate(self.labels) if label not in labels]
        return replace(self, labels=tuple(self.labels[k] for k in kept), truth=self.truth[:, kept])


def examples(
    what: str,
    files: Sequence[Source],
    labels: Sequence[str] | Sequence[Sequence[str]],
    groups: Sequence[Any] | None = None,
    *,
    known: Sequence[str] | None = None,
    fold_of: Sequence[Any] | None = None,
) -> Examples:
    """Return labelled files as arrays; messages begin with `what`.

    If `known` is given, only its labels are allowed, in its order. Without groups, each file is a group.
    """
    paths = _paths(what, files)
    for name, values in (("labels", labels), ("groups", groups), ("fold_of", fold_of)):
        if values is not None and len(values) != len(paths):
            raise ValueError(f"{what}: expected {name} for {len(paths)} files, got {len(values)}")
    if not paths:
        raise ValueError(f"{what}: expected files, got none")
    single = [isinstance(label, str) for label in labels]
    if any(single) and not all(single):
        odd = labels[single.index(False)]
        raise TypeError(f"{what}: expected one label per file, or a list for each, got a str and {odd!r:.60}")
    lists = [[label] if isinstance(label, str) else label for label in labels]
    for one in lists:
        if not isinstance(one, list | tuple | set | frozenset) or not all(
            isinstance(label, str) and label for label in one
        ):
            raise TypeError(f"{what}: expected labels as str, or lists of them, got {one!r:.60}")
    sets = [set(one) for one in lists]
    found: list[str] = sorted(set[str]().union(*sets))
    _check_names(what, found, known)
    names = tuple(found if known is None else known)
    truth = np.array([[name in one for name in names] for one in sets], dtype=np.bool_)
    ids = np.arange(len(paths)) if groups is None else _numbers(groups)
    folds = None if fold_of is None else _numbers(fold_of)
    return Examples(paths, names, truth, ids.astype(np.int64), not all(single), groups is not None, folds)


def _numbers(names: Sequence[Any]) -> NDArray[np.int64]:
    """Return the same number for equal names, from 0 in the order in which they come."""
    numbers = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)


def _paths(what: str, files: Sequence[Source]) -> tuple[File, ...]:
    """Return paths and stretches; a single path, samples or anything else is a TypeError."""
    if isinstance(files, str | bytes | os.PathLike | Segment) or not hasattr(files, "__iter__"):
        got = f"{type(files).__name__} {files!r:.60}"
        raise TypeError(f"{what}: expected files as a list of paths, got {got}")
    paths: list[File] = []
    for file in files:
        if not isinstance(file, str | os.PathLike | Segment):
            got = f"{type(file).__name__} {file!r:.60}"
            raise TypeError(f"{what}: expected files as a list of paths, got one with {got}")
        paths.append(file if isinstance(file, Segment) else os.fspath(file))
    return tuple(paths)


def _check_names(what: str, labels: Sequence[str], known: Sequence[str] | None) -> None:
    for label in labels:
        if any("\ud800" <= sign <= "\udfff" for sign in label):  # a card couldn't hold it
            raise ValueError(f"{what}: expected labels in UTF-8, got {label!a:.60}; rename the folder")
    unknown = [label for label in labels if known is not None and label not in known]
    if unknown and known is not None:
        raise ValueError(f"{what}: expected labels among {listed(known)}, got {listed(unknown)}")


@dataclass(frozen=True)
class Labelled:
    """What a folder with a sub-folder for each label holds.

    Attributes:
        files: paths of the sound files in sub-folders, sorted.
        labels: the name of each file's sub-folder.
        missing: path and reason of each sub-folder without sound, and of what couldn't be searched.
        strays: sound files beside the sub-folders, which have no label.
        skipped: a line that says what else was left out and why, or None.
    """

    files: list[str]
    labels: list[str]
    missing: Failed
    strays: tuple[str, ...]
    skipped: str | None

    @property
    def left_out(self) -> Failed:
        """Path and reason of all that should have given labelled sound, and didn't."""
        return self.missing + tuple((path, _STRAY) for path in self.strays)


def search(folder: PathLike) -> Labelled:
    """Look through a folder of labelled sounds; hidden names are left out, and so are folders of models.

    Raises:
        ValueError: there is no such folder, or no sound in its sub-folders.
    """
    top = Path(folder)
    if not top.is_dir():
        raise ValueError(f"{folder}: expected a folder with a sub-folder for each label, got no folder")
    found = find_audio(folder)
    parts = [Path(file).relative_to(top).parts for file in found.files]
    files = [(file, at[0]) for file, at in zip(found.files, parts, strict=True) if len(at) > 1]
    strays = tuple(file for file, at in zip(found.files, parts, strict=True) if len(at) == 1)
    below: dict[str, dict[str, str]] = {}
    for path, reason in found.skipped.items():
        at = Path(path).relative_to(top).parts
        below.setdefault(at[0] if at else "", {})[path] = reason
    if not files:
        why = f"; {line}" if (line := found.line()) else ""
        raise ValueError(f"{folder}: expected audio files in sub-folders, one for each label, got none{why}")
    held = {label for _, label in files}
    missing = []
    for name in sorted(os.listdir(folder)):  # noqa: PTH208  # a path may be bytes that are no text
        path = os.path.join(folder, name)  # noqa: PTH118
        if name.startswith(".") or name in held or not os.path.isdir(path) or _is_ours(path):  # noqa: PTH112
            continue
        line = Found(skipped=below.pop(name, {})).line()
        missing.append((os.path.join(path, ""), f"expected sound, got none; {line or 'it is empty'}"))  # noqa: PTH118
    rest = {path: reason for paths in below.values() for path, reason in paths.items()}
    missing += [(path, f"expected sound, got: {why}") for path, why in rest.items() if why not in _HARMLESS]
    skipped = {path: why for path, why in rest.items() if why in _HARMLESS}
    names = [file for file, _ in files], [label for _, label in files]
    return Labelled(*names, tuple(missing), strays, Found(skipped=skipped).line())


def labelled_files(folder: PathLike, *, allow_missing: bool = False) -> tuple[list[str], list[str]]:
    """Return the audio files in a folder's sub-folders, and their labels, which are the sub-folders' names.

    Sub-folders are searched to any depth, and links are followed; hidden files and folders are left out.

    Args:
        folder: it has a sub-folder for each label.
        allow_missing: whether to leave out sub-folders without sound, and what can't be searched.

    Raises:
        ValueError: there is no such folder, no audio file in its sub-folders, or one of these has none.
    """
    found = search(folder)
    if found.missing and not allow_missing:
        raise ValueError(
            refusal(
                str(folder),
                f"expected sound in each sub-folder, got {len(found.missing)} without",
                found.missing,
            )
        )
    return found.files, found.labels


def refusal(subject: str, expectation: str, missing: Failed) -> str:
    """Return the message for what is missing; it names the first few."""
    named = [f"\n  {path}: {reason}" for path, reason in missing[:_NAMED]]
    more = [f"\n  and {len(missing) - _NAMED} more"] if len(missing) > _NAMED else []
    return (
        f"{subject}: {expectation}; mend that, or add --allow-missing (allow_missing=True) to go on without:"
        f"{''.join(named + more)}"
    )


def _is_ours(folder: str) -> bool:
    """Tell whether a folder is a model or its embeddings, which lie here if the output does."""
    return os.path.isfile(os.path.join(folder, "card.json")) or os.path.basename(folder) == EMBEDDINGS  # noqa: PTH113, PTH118, PTH119
