"""Manifests: CSV with a row for each labelled file or stretch of one.

The columns are `path` (or `file`), `label` (or `labels`, with `;` between), and if wanted `fold`, `group`,
`start_s` and `end_s`. Paths are relative to the manifest's folder; other columns are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio._system.text import listed
from fastaudio.labelled.segment import File, Found, Segment, why_no_stretch
from fastaudio.labelled.text import TableError, number_in, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PATHS, _LABEL, _LABELS = ("path", "file"), "label", "labels"
_BETWEEN = ";"


def take(
    found: Found, path: Path, text: str, beside: Callable[[str], str | None], column: str | None
) -> None:
    """Take the rows of a manifest, and note each that is no example; arguments as for `raven.take`.

    Raises:
        TableError: it lacks the columns.
    """
    head = text.partition("\n")[0]
    delimiter = next((sign for sign in ("\t", ";") if sign in head and "," not in head), ",")
    groups, folds = list[str](), list[str]()
    columns: list[str] = []
    for line, row in rows_of(path, text, delimiter):
        if not columns:
            columns = list(row)
            path_column, label_column = _columns(path, columns, column)
            found.several = label_column == _LABELS
        place = f"{path}:{line}"
        name = row.get(path_column, "")
        at = beside(name) if name else None
        if at is None:
            found.leave_out(place, f"expected a file, got no {name!r:.80}; mend the column {path_column}")
            continue
        try:
            file = _file(at, row)
        except ValueError as error:
            found.leave_out(place, str(error))
            continue
        cell = row.get(label_column, "")
        cells = cell.split(_BETWEEN) if found.several else [cell]
        labels = list(dict.fromkeys(filter(None, map(str.strip, cells))))
        if not labels and not found.several:
            found.leave_out(place, f"expected a label in the column {label_column!r:.60}, got none")
            continue
        empty = [name for name in ("group", "fold") if name in columns and not row.get(name)]
        if empty:
            found.leave_out(place, f"expected a value in the column {empty[0]}, got none")
            continue
        found.add(file, labels)
        groups.append(row.get("group", ""))
        folds.append(row.get("fold", ""))
    if not columns:
        raise TableError(f"{path}: expected rows below a header, got none")
    found.groups = groups if "group" in columns else None
    found.folds = folds if "fold" in columns else None


def _columns(path: Path, columns: list[str], wanted: str | None) -> tuple[str, str]:
    paths = [name for name in _PATHS if name in columns]
    labels = [name for name in ([wanted] if wanted else [_LABELS, _LABEL]) if name in columns]
    if not paths or not labels:
        need = f"path and {wanted or 'label (or labels)'}"
        raise TableError(f"{path}: expected the columns {need}, got {listed(columns)}; rename them")
    return paths[0], labels[0]


def _file(at: str, row: dict[str, str]) -> File:
    """Return the whole file, or the stretch that a row names."""
    start, end = row.get("start_s", ""), row.get("end_s", "")
    if not start and not end:
        return at
    try:
        start_s, end_s = number_in(start or "0"), number_in(end)
    except ValueError:
        got = f"{start!r:.30} and {end!r:.30}"
        raise ValueError(f"expected seconds as start_s and end_s, or neither, got {got}") from None
    if (why := why_no_stretch(start_s, end_s)) is not None:
        raise ValueError(why)
    return Segment(at, start_s, end_s)
