"""Telling in which form labelled sound comes, and reading it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio.decoding.folders import find_audio
from fastaudio.labelled import audacity, collections, manifest, raven
from fastaudio.labelled.recordings import TABLES, Recordings, finder, recording_of
from fastaudio.labelled.segment import Found
from fastaudio.labelled.text import TableError, head_of, read_text

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

_MOST_TABLES = 100_000
_NO_TABLE = "expected a table of labels named like it, got none; add one, or move it elsewhere"


def read(source: str | os.PathLike[str], *, label_column: str | None = None) -> Found:
    """Read labelled sound from a table, or from a folder of recordings with tables beside them.

    A table is an Audacity label track or a Raven selection table, which lies beside its recording and is
    named like it (`night.wav` and `night.txt`), or names its recordings in the column `Begin File`; or a
    manifest, which ends in .csv. A folder may also be one of the published collections, as they come.

    Args:
        source: the table, or the folder.
        label_column: the column of a table that has the labels; None for the usual ones.

    Raises:
        ValueError: it is neither, or has no label; the message names the remedy.
    """
    path = Path(source)
    found = _of_folder(path, label_column) if path.is_dir() else _of_table(path, label_column)
    if found is None:
        raise ValueError(
            f"{source}: expected recordings with tables of labels beside them, got none; "
            "name a table like its recording, night.txt for night.wav"
        )
    if not found.files:
        why = "; ".join(f"{place}: {reason}" for place, reason in found.left_out[:3])
        raise ValueError(f"{source}: expected labelled sound, got none{why and f'; {why}'}")
    return found


def has_tables(folder: str | os.PathLike[str]) -> bool:
    """Tell whether a folder holds labelled sound in a form that `read` takes, not one sub-folder a label."""
    top = Path(folder)
    if collections.recognised(top) is not None:
        return True
    tables = _tables(top, find_audio(top).files)
    return any(recording_of(table) or raven.names_recordings(head_of(table)) for table in tables)


def _of_table(path: Path, column: str | None) -> Found:
    if path.suffix.lower() == ".csv":
        found = Found("a manifest")
        manifest.take(found, path, read_text(path), finder(path.parent), column)
        return found
    if not path.is_file():
        raise ValueError(f"{path}: expected a folder, or a table of labels, got neither")
    head = head_of(path)
    found = Found(_form(head) or "")
    if not found.what:
        raise ValueError(
            f"{path}: expected an Audacity label track, a Raven selection table, or a manifest that ends in "
            ".csv, got another file; fastaudio train --help says what is in them"
        )
    recording = recording_of(path)
    if recording is None and not raven.names_recordings(head):
        raise ValueError(
            f"{path}: expected its recording beside it, named like it, got none; "
            f"rename one of them: {path.stem}.wav and {path.name}"
        )
    _take(found, path, recording, column)
    return found


def _form(head: str) -> str | None:
    if raven.is_table(head):
        return "a Raven selection table"
    return "an Audacity label track" if audacity.is_track(head) else None


def _take(found: Found, path: Path, recording: str | None, column: str | None) -> None:
    text = read_text(path)
    if raven.is_table(text):
        how = {"recording": recording, "column": column}
        raven.take(found, path, text, beside=finder(path.parent), **how)
    elif recording is not None:
        audacity.take(found, path, text, recording)


def _tables(top: Path, sounds: Sequence[str]) -> list[Path]:
    """Return the tables of labels in a folder, and in those below it that hold sound."""
    tables = []
    for folder in sorted({top, *(Path(sound).parent for sound in sounds)}):
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() not in TABLES or path.name.startswith(".") or not path.is_file():
                continue
            if _form(head_of(path)):
                tables.append(path)
            if len(tables) > _MOST_TABLES:
                raise ValueError(f"{top}: expected at most {_MOST_TABLES} tables of labels, got more")
    return tables


def _of_folder(top: Path, column: str | None) -> Found | None:
    if (known := collections.recognised(top)) is not None:
        return collections.read(top, known)
    sounds = find_audio(top).files
    tables = _tables(top, sounds)
    if not tables:
        return None
    in_folder: dict[Path, list[str]] = {table.parent: [] for table in tables}
    for sound in sounds:
        in_folder.setdefault(Path(sound).parent, []).append(sound)
    recordings = {folder: Recordings(paths) for folder, paths in in_folder.items()}
    found = Found(f"{len(tables)} tables of labels")
    used: set[str] = set()
    for table in tables:
        recording = recordings[table.parent].of(table.name)
        if recording is None and not raven.names_recordings(head_of(table)):
            found.leave_out(str(table), "expected its recording beside it, named like it, got none")
            continue
        if recording is not None:
            used.add(recording)
        try:
            _take(found, table, recording, column)
        except TableError as error:
            found.leave_out(str(table), str(error).removeprefix(f"{table}: "))
    used |= {file.path for file in found.files if not isinstance(file, str)}
    for sound in sounds:
        if sound not in used:
            found.leave_out(sound, _NO_TABLE)
    return found
