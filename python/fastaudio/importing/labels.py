"""Lists of labels in the forms in which models come with them; the order is that of the network's scores."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError
from fastaudio.importing.text import read_json, read_text

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

_NAMES = ("display_name", "category", "label", "labels", "class_name", "name", "class", "classes")
_NUMBERS = ("index", "target", "classid", "class_id", "class_index", "label_id", "id", "idx")
_KEYS = ("id2label", "labels", "classes", "class_names", "names", "label2id")
_MACHINE_ID = re.compile(r"/[a-z]/[0-9a-z_]+")
_MOST = 100_000


def read_labels(path: str | os.PathLike[str]) -> list[str]:
    """Return the labels that a file lists, in the order of the network's scores.

    Args:
        path: AudioSet's `class_labels_indices.csv` and tables like it, with a column of numbers and one of
            names (ESC-50's `esc50.csv`, UrbanSound8K, FSD50K's vocabulary, YAMNet's class map); a JSON file
            with `id2label` (a Hugging Face `config.json`), `classes` (Essentia) or a list; or text with a
            label on each line. UTF-8, UTF-16 and Latin-1 are read, whatever ends the lines.

    Raises:
        ModelError: it can't be read, or doesn't say which label belongs to which score.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".json":
        labels = labels_in(read_json(path), str(path))
    else:
        text = read_text(path)
        table = suffix in (".csv", ".tsv")
        labels = _of_table(_rows(text, str(path)), str(path)) if table else _of_lines(text, str(path))
    return checked(labels, str(path))


def labels_in(data: Any, subject: str) -> list[str]:
    """Return the labels that JSON holds.

    Raises:
        ModelError: it holds none, or no label for some score.
    """
    if isinstance(data, dict):
        key = next((key for key in _KEYS if isinstance(data.get(key), dict | list)), None)
        found = data if key is None else data[key]
        if key is None and not all(str(name).isdecimal() for name in data):
            raise ModelError(
                f"{subject}: expected one of the keys {', '.join(_KEYS)}, or a list of labels, got the keys "
                f"{', '.join(map(str, list(data)[:8])) or 'of nothing'}; name another file"
            )
        if key == "label2id":
            found = {number: label for label, number in found.items()}
    else:
        found = data
    if isinstance(found, dict):
        return _by_number(found.items(), subject)
    if not isinstance(found, list):
        raise ModelError(f"{subject}: expected a list of labels, got {type(found).__name__}")
    return [_label(label, subject) for label in found]


def labels_of_metadata(metadata: Mapping[str, str], subject: str) -> list[str] | None:
    """Return the labels in an ONNX file's metadata, which some exporters write; None if there are none.

    Raises:
        ModelError: there are some, but not one for each score.
    """
    lowered = {key.lower(): value for key, value in metadata.items()}
    for key in _KEYS:
        if text := lowered.get(key, "").strip():
            subject = f"{subject}: metadata {key!r}"
            return checked(labels_in({key: _parsed(text)}, subject), subject)
    return None


def _parsed(text: str) -> Any:
    """Return a value in JSON or in Python's spelling; or what stands on lines or between commas."""
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, dict | list):
            return value
    return [part.strip() for part in text.strip().split("\n" if "\n" in text.strip() else ",")]


def checked(labels: list[str], subject: str) -> list[str]:
    """Return labels that are all there and all different.

    Raises:
        ModelError: they aren't.
    """
    if not labels:
        raise ModelError(f"{subject}: expected at least one label, got none")
    if len(labels) > _MOST:
        raise ModelError(f"{subject}: expected at most {_MOST} labels, got {len(labels)}")
    seen: dict[str, int] = {}
    for i, label in enumerate(labels):
        if not label:
            raise ModelError(f"{subject}: expected a name for each score, got none for score {i}")
        if label != label.encode("utf-8", "replace").decode():
            raise ModelError(
                f"{subject}: expected labels in Unicode, got {label!a:.80} for score {i}; rename it"
            )
        if label in seen:
            raise ModelError(
                f"{subject}: expected different labels, got {label!r:.80} for scores {seen[label]} and {i}; "
                "rename one"
            )
        seen[label] = i
    return labels


def _label(value: Any, subject: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ModelError(f"{subject}: expected each label as a text, got {value!r:.80}")
    return str(value).strip()


def _by_number(pairs: Iterable[tuple[Any, Any]], subject: str) -> list[str]:
    """Return labels by their numbers, which are 0 to n - 1; a number may come again with the same label."""
    found: dict[int, str] = {}
    for number, value in pairs:
        label, text = _label(value, subject), str(number).strip()
        if not text.isascii() or not text.isdecimal() or len(text) > len(str(_MOST)):
            raise ModelError(f"{subject}: expected a whole number for {label!r:.80}, got {text!r:.80}")
        if found.setdefault(int(text), label) != label:
            raise ModelError(
                f"{subject}: expected one label for {text}, got {found[int(text)]!r:.80} and {label!r:.80}"
            )
    missing = [i for i in range(len(found)) if i not in found]
    if missing:
        raise ModelError(
            f"{subject}: expected numbers from 0 to {len(found) - 1}, got {min(found)} to {max(found)} "
            f"without {missing[0]}; number the labels as the network's scores are, from 0"
        )
    return [found[i] for i in range(len(found))]


def _of_lines(text: str, subject: str) -> list[str]:
    lines = [line.strip() for line in text.rstrip().split("\n")]
    if "" in lines:
        at = lines.index("") + 1
        raise ModelError(f"{subject}: expected a label on each line, got none on line {at}; remove the line")
    return lines


def _rows(text: str, subject: str) -> list[list[str]]:
    first = text.partition("\n")[0]
    delimiter = max("\t;,", key=first.count) if any(sign in first for sign in "\t;,") else ","
    try:
        read = list(csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise ModelError(f"{subject}: expected a table, got: {error}") from error
    rows = [[cell.strip() for cell in row] for row in read if any(cell.strip() for cell in row)]
    if not rows:
        raise ModelError(f"{subject}: expected a table of labels, got an empty file")
    return [_joined(row, len(rows[0]), delimiter) for row in rows]


def _joined(row: list[str], n: int, delimiter: str) -> list[str]:
    """Return a row of n cells: names with commas that nobody put in quotes are the last cell."""
    if len(row) <= n or n < 2:  # noqa: PLR2004
        return row
    return [*row[: n - 1], f"{delimiter} ".join(row[n - 1 :])]


def _of_table(rows: list[list[str]], subject: str) -> list[str]:
    head = [cell.lower() for cell in rows[0]]
    names = next((head.index(name) for name in _NAMES if name in head), None)
    numbers = next((head.index(name) for name in _NUMBERS if name in head), None)
    if names is not None:
        rows = rows[1:]
    else:
        names, numbers = _columns(rows, subject)
    width = 1 + max(names, -1 if numbers is None else numbers)
    for row in rows:
        if len(row) < width:
            raise ModelError(
                f"{subject}: expected {width} cells or more in each row, got {','.join(row):.80}"
            )
    if numbers is None:
        return [row[names] for row in rows]
    return _by_number([(row[numbers], row[names]) for row in rows], subject)


def _columns(rows: list[list[str]], subject: str) -> tuple[int, int | None]:
    """Return the columns of names and of numbers in a table without a header."""
    width = min(map(len, rows))
    columns = [[row[i] for row in rows] for i in range(width)]
    numbers = next((i for i in range(width) if all(cell.isdecimal() for cell in columns[i])), None)
    texts = [
        i
        for i in range(width)
        if i != numbers and not all(_MACHINE_ID.fullmatch(cell) for cell in columns[i])
    ]
    if len(texts) != 1:
        got = ", ".join(rows[0])
        raise ModelError(
            f"{subject}: expected a column named {', '.join(_NAMES[:4])} or {_NAMES[5]}, got a first row "
            f"{got:.80}; add a header, such as index,display_name"
        )
    return texts[0], numbers
