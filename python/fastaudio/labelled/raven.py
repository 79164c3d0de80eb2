"""Selection tables of Raven: columns with tabs between, and perhaps the recording's name in each row.

BirdNET writes such tables too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio._system.text import listed
from fastaudio.labelled.segment import Found, Segment, why_no_stretch
from fastaudio.labelled.text import TableError, number_in, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BEGIN, END = "Begin Time (s)", "End Time (s)"
_OFFSET = "File Offset (s)"
_FILES = ("Begin Path", "Begin File")
_LABELS = ("Annotation", "Label", "Species", "Common Name", "Class", "Tags", "Call Type", "Species Code")
_RAVENS = ("Selection", "View", "Channel", "Confidence", "Rank", "Occupancy", "End File", "End Path")
_MEASURES = (")", "Score")  # what names of measurements end with, as of "Low Freq (Hz)"


def is_table(head: str) -> bool:
    """Tell whether a text begins as a selection table does."""
    columns = head.partition("\n")[0].rstrip("\r").split("\t")
    return {BEGIN, END} <= {column.strip() for column in columns}


def names_recordings(head: str) -> bool:
    """Tell whether each row of a table names its recording."""
    columns = {column.strip() for column in head.partition("\n")[0].split("\t")}
    return bool(columns & set(_FILES))


def take(
    found: Found,
    path: Path,
    text: str,
    *,
    recording: str | None,
    beside: Callable[[str], str | None],
    column: str | None,
) -> None:
    """Take the selections of a table, and note each row that is none.

    Args:
        found: where they go.
        path: the table, for messages.
        text: what it holds.
        recording: the sound of rows that name none.
        beside: gives the path of a recording by the name in a row, or None.
        column: the column with the labels; None for one that Raven's users have for them.

    Raises:
        TableError: no column has labels.
    """
    chosen: str | None = None
    seen: set[tuple[object, ...]] = set()
    for line, row in rows_of(path, text, "\t", quotes=False):
        chosen = chosen or _column(path, list(row), column)
        place = f"{path}:{line}"
        try:
            start_s, end_s = number_in(row.get(BEGIN, "")), number_in(row.get(END, ""))
            if row.get(_OFFSET):  # the other times count from the first of several recordings
                offset_s = number_in(row[_OFFSET])
                start_s, end_s = offset_s, offset_s + (end_s - start_s)
        except ValueError:
            got = f"{row.get(BEGIN, '')!r:.30} and {row.get(END, '')!r:.30}"
            found.leave_out(place, f"expected seconds as {BEGIN} and {END}, got {got}")
            continue
        names = [row[name] for name in _FILES if row.get(name)]
        at = next(filter(None, map(beside, names)), None) if names else recording
        label = row.get(chosen, "")
        key = (at, start_s, end_s, label, row.get("Selection"))
        if key in seen:  # Raven writes a selection once for each of its views
            continue
        seen.add(key)
        if at is None:
            missing = f"{names[-1]!r:.80}" if names else "none"
            why = f"expected its recording beside the table, got no {missing}; move it there"
            found.leave_out(place, why if names else "expected the name of its recording, got none")
        elif (why_not := why_no_stretch(start_s, end_s)) is not None:
            found.leave_out(place, why_not)
        elif not label:
            found.leave_out(place, f"expected a label in the column {chosen!r:.60}, got none")
        else:
            found.add(Segment(at, start_s, end_s), [label])


def _column(path: Path, columns: list[str], wanted: str | None) -> str:
    if wanted is not None:
        if wanted not in columns:
            got = listed(columns)
            raise TableError(f"{path}: expected a column {wanted!r:.60}, got {got}; name one of these")
        return wanted
    usual = [name for name in _LABELS if name in columns]
    if usual:
        return usual[0]
    ours = [
        name for name in columns if name and name not in (*_FILES, *_RAVENS) and not name.endswith(_MEASURES)
    ]
    if len(ours) == 1:
        return ours[0]
    raise TableError(
        f"{path}: expected a column with labels, such as Annotation, got {listed(columns)}; "
        "name it with --label-column"
    )
