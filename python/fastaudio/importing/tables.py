"""Which label belongs to which score in tables and on lines: by their numbers, or by their order."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST = 100_000
"""Labels that a network may have."""

_NAMES = ("display_name", "category", "label", "labels", "class_name", "name", "class", "classes")
_NUMBERS = ("index", "target", "classid", "class_id", "class_index", "label_id", "id", "idx")
_MACHINE_ID = re.compile(r"/[a-z]/[0-9a-z_]+")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?:\.0*)?")
_NUMBERED = re.compile(r"([+-]?[0-9]{1,6})(?:\s*(?:[,;=)]|[:.](?![0-9]))\s*|\s+)(\S.*)")  # "0.5 s" is a name
_ENDS_IN_NUMBER = re.compile(r"(.*\S)(?:\s*[,;:=(]\s*|\s+)([+-]?[0-9]{1,6})\)?")
_SHOWN = 6
_REMEDY = "number the labels as the network's scores are, from 0"


def by_number(pairs: Iterable[tuple[Any, str]], subject: str, column: str = "") -> list[str]:
    """Return labels by their numbers, which are 0 to n - 1; a number may come again with the same label.

    Raises:
        ModelError: they aren't; it names the `column` that they are from.
    """
    found: dict[int, str] = {}
    where = f" in the column {column!r:.80}" if column else ""
    remedy = f"{_REMEDY}, in a column named index" if column else _REMEDY
    for number, label in pairs:
        text = str(number).strip()
        whole = text.partition(".")[0] if _WHOLE.fullmatch(text) else text
        if not whole.isascii() or not whole.isdecimal() or len(whole) > len(str(MOST)):
            raise ModelError(
                f"{subject}: expected a whole number for {label!r:.80}, got {text!r:.80}{where}; {remedy}"
            )
        if found.setdefault(int(whole), label) != label:
            raise ModelError(
                f"{subject}: expected one label for {text}, got {found[int(whole)]!r:.80} and "
                f"{label!r:.80}{where}; {remedy}"
            )
    missing = [i for i in range(len(found)) if i not in found]
    if missing:
        raise ModelError(
            f"{subject}: expected numbers from 0 to {len(found) - 1}, got {min(found)} to {max(found)} "
            f"without {missing[0]}{where}; {remedy}"
        )
    return [found[i] for i in range(len(found))]


def labels_of_lines(text: str, subject: str) -> list[str]:
    """Return a label for each line; in the order of the numbers 0 to n - 1, if these begin the lines.

    Raises:
        ModelError: a line is empty, or the lines begin or end with other numbers.
    """
    lines = [line.strip() for line in text.rstrip().split("\n")]
    if "" in lines:
        at = lines.index("") + 1
        raise ModelError(f"{subject}: expected a label on each line, got none on line {at}; remove the line")
    return _without_numbers(lines, subject)


def labels_of_line(text: str, subject: str) -> list[str]:
    """Return the labels between the commas of a line, as `labels_of_lines` does; quotes may hold some.

    Raises:
        ModelError: quotes aren't closed, or labels begin or end with other numbers than these.
    """
    return _without_numbers(_cells(text, ",", subject), subject)


def _without_numbers(lines: list[str], subject: str) -> list[str]:
    begin = _split(_NUMBERED, lines, 1)
    if begin is not None:
        numbers, names = begin
        if sorted(numbers) == list(range(len(lines))):
            by_number = dict(zip(numbers, names, strict=True))
            return [by_number[i] for i in range(len(lines))]
    found = begin or _split(_ENDS_IN_NUMBER, lines, 2)
    if found is None:
        return lines
    numbers, names = found
    where = "" if begin else " at their ends"
    got = ", ".join(str(number) for number in numbers[:_SHOWN]) + (", ..." if len(numbers) > _SHOWN else "")
    raise ModelError(
        f"{subject}: expected numbers from 0 to {len(lines) - 1}, each once, at the beginning of the lines, "
        f"got {got}{where}; {_REMEDY}, or, if they belong to the names, write these as a list in a .json file"
    )


def _split(form: re.Pattern[str], lines: list[str], group: int) -> tuple[list[int], list[str]] | None:
    """Return numbers and names if each of several lines has both, and no name comes twice.

    "0 dB" and "1 dB" are names, of one unit, and so are "speaker 1" and "speaker 2".
    """
    found = [match for line in lines if (match := form.fullmatch(line))]
    names = [match[3 - group] for match in found]
    if len(lines) < 2 or len(found) < len(lines) or len(set(names)) < len(names):  # noqa: PLR2004
        return None
    return [int(match[group]) for match in found], names


def labels_of_table(text: str, subject: str) -> list[str]:
    """Return the labels of a table in the order of their numbers, or of its rows if it has no numbers.

    The first row says what separates the cells, and which column has the names. Lines before it that begin
    with "#" are comments, unless all lines do.

    Raises:
        ModelError: it doesn't say which column has the names, the numbers aren't 0 to n - 1, or quotes are
            missing, so that it doesn't say where a name ends.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    begin = next((i for i, line in enumerate(lines) if not line.lstrip().startswith("#")), 0)
    lines = lines[begin:]
    first = lines[0] if lines else ""
    delimiter = max("\t;,", key=first.count) if any(sign in first for sign in "\t;,") else ","
    rows = [row for line in lines if any(row := _cells(line, delimiter, subject))]
    if not rows:
        raise ModelError(f"{subject}: expected a table of labels, got an empty file")
    head = [cell.lower() for cell in _without_empty(rows[0])]
    headed = any(name in head for name in _NAMES)
    if headed:
        rows = rows[1:]
    else:
        head = [""] * min(len(_without_empty(row)) for row in rows)
    columns = _columns(rows, len(head))
    names = _names_in(head, columns, subject) if headed else _names_without_head(columns, rows[0], subject)
    if not rows:
        return []
    columns = _columns([_fitted(row, len(head), names, delimiter, subject) for row in rows], len(head))
    numbers = _numbers_in(head, columns, names, subject)
    width = 1 + max(names, -1 if numbers is None else numbers)
    for row in rows:
        if len(row) < width:
            raise ModelError(
                f"{subject}: expected {width} cells or more in each row, got {','.join(row):.80}"
            )
    if numbers is None:
        return columns[names]
    return by_number(zip(columns[numbers], columns[names], strict=True), subject, head[numbers])


def _cells(line: str, delimiter: str, subject: str) -> list[str]:
    """Return the cells of a line; an open quote never takes in the next line."""
    try:
        (row,) = csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True)
    except csv.Error as error:
        raise ModelError(
            f"{subject}: expected quotes that open and close around a cell, in one line, got {line!r:.80}; "
            'close them, and write "" for a quote inside a name'
        ) from error
    return [cell.strip() for cell in row]


def _without_empty(row: list[str], n: int = 0) -> list[str]:
    """Return a row without the empty cells at its end, which spreadsheets write; `n` cells stay."""
    while len(row) > n and not row[-1]:
        row = row[:-1]
    return row


def _columns(rows: Sequence[Sequence[str]], n: int) -> list[list[str]]:
    return [[row[i] if i < len(row) else "" for row in rows] for i in range(n)]


def _fitted(row: list[str], n: int, names: int, delimiter: str, subject: str) -> list[str]:
    """Return a row of `n` cells: more of them are a name at its end with commas that nobody put in quotes."""
    row = _without_empty(row, n)
    if len(row) <= n:
        return row
    if names != n - 1 or delimiter != ",":
        raise ModelError(
            f"{subject}: expected {n} cells in each row, got {delimiter.join(row)!r:.80}; put names "
            f"with {delimiter!r} in them in quotes"
        )
    return [*row[: n - 1], ", ".join(row[n - 1 :])]


def _names_in(head: Sequence[str], columns: Sequence[Sequence[str]], subject: str) -> int:
    """Return the column of names: one with a known header, and no numbers if there is text elsewhere."""
    known = [head.index(name) for name in _NAMES if name in head]
    for column in known:
        if _is_text(columns[column]):
            return column
    texts = any(map(_is_text, columns))
    if not texts and (ids := [i for i in known if not all(map(_WHOLE.fullmatch, columns[i]))]):
        return ids[0]
    if texts or not all(all(map(_WHOLE.fullmatch, cells)) for cells in columns):
        raise ModelError(
            f"{subject}: expected names in the column {head[known[0]]!r:.80}, got numbers or ids, and text "
            "in another column; name that display_name, or leave it out"
        )
    return known[0]  # such as spoken digits


def _names_without_head(columns: Sequence[Sequence[str]], first: Sequence[str], subject: str) -> int:
    """Return the only column of text in a table without a header."""
    numbers = next((i for i, cells in enumerate(columns) if all(map(_WHOLE.fullmatch, cells))), None)
    texts = [
        i for i, cells in enumerate(columns) if i != numbers and not all(map(_MACHINE_ID.fullmatch, cells))
    ]
    if len(texts) != 1:
        got = ", ".join(first)
        raise ModelError(
            f"{subject}: expected a column named {', '.join(_NAMES[:4])} or {_NAMES[5]}, got a first row "
            f"{got:.80}; add a header, such as index,display_name"
        )
    return texts[0]


def _is_text(cells: Sequence[str]) -> bool:
    """Tell whether a column may hold names: not only numbers, nor only ids; an empty one may."""
    return not cells or not (all(map(_WHOLE.fullmatch, cells)) or all(map(_MACHINE_ID.fullmatch, cells)))


def _numbers_in(
    head: Sequence[str], columns: Sequence[Sequence[str]], names: int, subject: str
) -> int | None:
    """Return the column that numbers the labels, or None if no column does.

    One with a known header counts before others. Of several, those that number the labels from 0 have to
    agree.
    """
    others = [i for i in range(len(head)) if i != names]
    known = [i for name in _NUMBERS for i in others if head[i] == name]
    numeric = [i for i in known if any(map(_WHOLE.fullmatch, columns[i]))]
    if not any(head):
        numeric = [i for i in others if all(map(_WHOLE.fullmatch, columns[i]))]
    candidates = numeric or [i for i in others if _may_number(columns[i], columns[names])]
    fit = [i for i in candidates if _fits(columns[i], columns[names])]
    for i in fit[1:]:
        if list(map(float, columns[i])) != list(map(float, columns[fit[0]])):
            raise ModelError(
                f"{subject}: expected one column of numbers, got {head[fit[0]]!r:.80} and {head[i]!r:.80}, "
                "which differ; leave out the one that isn't the order of the network's scores"
            )
    return next(iter([*fit, *candidates, *known]), None)


def _may_number(cells: Sequence[str], labels: Sequence[str]) -> bool:
    """Tell whether a column has a whole number for each label, and another one for another label."""
    n_pairs = len(set(zip(cells, labels, strict=True)))
    one_to_one = n_pairs == len(set(cells)) == len(set(labels))
    return n_pairs > 1 and one_to_one and all(map(_WHOLE.fullmatch, cells))


def _fits(cells: Sequence[str], labels: Sequence[str]) -> bool:
    """Tell whether a column's numbers are 0 to n - 1, one for each label."""
    if not _may_number(cells, labels):
        return False
    return sorted({int(float(cell)) for cell in cells}) == list(range(len(set(cells))))
