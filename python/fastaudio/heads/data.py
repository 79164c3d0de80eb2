"""Labelled files as arrays, and what a pipeline gives for them."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastaudio.running.decode import DecodeError, suffixes
from fastaudio.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fastaudio.pipeline import Pipeline

PathLike: TypeAlias = "str | os.PathLike[str]"
Progress: TypeAlias = "Callable[[str, int, int], None]"
"""Called with the stage of work, how much of it is done, and the total."""

Failed: TypeAlias = "tuple[tuple[str, str], ...]"
"""Path and reason of each file that failed."""


@dataclass(frozen=True)
class Examples:
    """Labelled files.

    Attributes:
        files: paths.
        labels: names of all labels, sorted.
        truth: which labels each file has [n_files, n_labels].
        groups: number of each file's group [n_files].
        multi: whether files have lists of labels instead of one each.
        grouped: whether groups were given; if not, each file is a group.
    """

    files: tuple[str, ...]
    labels: tuple[str, ...]
    truth: NDArray[np.bool_]
    groups: NDArray[np.int64]
    multi: bool
    grouped: bool

    def only(self, kept: NDArray[np.bool_]) -> Examples:
        """Return only these files; the labels stay."""
        files = tuple(file for file, keep in zip(self.files, kept, strict=True) if keep)
        return replace(self, files=files, truth=self.truth[kept], groups=self.groups[kept])


def examples(
    what: str,
    files: Sequence[PathLike],
    labels: Sequence[str] | Sequence[Sequence[str]],
    groups: Sequence[Any] | None = None,
    known: Sequence[str] | None = None,
) -> Examples:
    """Return labelled files as arrays; messages begin with `what`.

    If `known` is given, only its labels are allowed, in its order. Without groups, each file is a group.
    """
    paths = tuple(os.fspath(file) for file in files)
    for name, values in (("labels", labels), ("groups", groups)):
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
    unknown = [label for label in found if known is not None and label not in known]
    if unknown and known is not None:
        raise ValueError(f"{what}: expected labels among {', '.join(known)}, got {', '.join(unknown)}")
    names = tuple(found if known is None else known)
    truth = np.array([[name in one for name in names] for one in sets], dtype=np.bool_)
    ids = np.arange(len(paths))
    if groups is not None:
        numbers = {group: i for i, group in enumerate(dict.fromkeys(groups))}
        ids = np.array([numbers[group] for group in groups])
    return Examples(paths, names, truth, ids.astype(np.int64), not all(single), groups is not None)


def results_of(
    what: str,
    pipeline: Pipeline,
    given: Examples,
    jobs: int | None,
    progress: Progress | None,
    *,
    take: Callable[[Any], NDArray[np.float32]] = np.asarray,
) -> tuple[Examples, list[NDArray[np.float32]], Failed]:
    """Run a pipeline over files: return those that gave a result, what `take` keeps of it, and the others.

    Raises:
        ValueError: no file gave a result; the message begins with `what`.
    """
    kept, taken, failed = [], [], []
    for i, (file, result) in enumerate(zip(given.files, pipeline.map(given.files, jobs=jobs), strict=True)):
        reason: str | None = None
        if isinstance(result, Exception):
            reason = result.reason if isinstance(result, DecodeError) else str(result)
        elif not len(result):
            reason = "expected sound enough for a row, got none"
        elif isinstance(result, np.ndarray) and not np.isfinite(result).all():
            reason = "expected finite embeddings, got others"
        elif isinstance(result, Tags) and result.truncated:  # the pipeline itself warns about rows
            warnings.warn(f"{file}: the file is cut short, got {result.duration_s:.2f} s", stacklevel=4)
        kept.append(reason is None)
        if reason is None:
            taken.append(take(result))
        else:
            failed.append((file, reason))
        if progress is not None:
            progress("embedding", i + 1, len(given.files))
    if not taken:
        raise ValueError(f"{what}: expected files that can be read, got none; {': '.join(failed[0])}")
    return given.only(np.array(kept)), taken, tuple(failed)


def labelled_files(folder: PathLike) -> tuple[list[str], list[str]]:
    """Return the audio files in a folder's sub-folders, and their labels, which are the sub-folders' names.

    Sub-folders are searched to any depth; hidden files and folders are left out.

    Raises:
        ValueError: there is no such folder, or no audio file in its sub-folders.
    """
    top = Path(folder)
    if not top.is_dir():
        raise ValueError(f"{folder}: expected a folder with a sub-folder for each label, got no folder")
    known = suffixes()
    files, labels = [], []
    for path in sorted(top.rglob("*")):
        parts = path.relative_to(top).parts
        audio = path.suffix.lower().lstrip(".") in known and path.is_file()
        if audio and len(parts) > 1 and not any(part.startswith(".") for part in parts):
            files.append(str(path))
            labels.append(parts[0])
    if not files:
        raise ValueError(f"{folder}: expected audio files in sub-folders, one for each label, got none")
    return files, labels
