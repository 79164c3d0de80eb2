"""Lists of labels in the forms in which models come with them; the order is that of the network's scores."""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError
from fastaudio._system.text import printable
from fastaudio.importing.tables import MOST, by_number, labels_of_line, labels_of_lines, labels_of_table
from fastaudio.importing.text import read_json, read_text

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

# What is left where characters couldn't be read, and a mark of an encoding in the middle of a text.
_LOST = {"\ufffd", "\ufeff"}
# How JSON or Python begin a list or a dict; a label may begin with such a bracket only, as [music] does.
_STRUCTURE = re.compile(r"""[\[({]\s*["']|\{\s*[0-9]|[\[{(]\s*\n""")
_KEYS = ("id2label", "labels", "classes", "class_names", "names", "label2id")


def read_labels(path: str | os.PathLike[str]) -> list[str]:
    """Return the labels that a file lists, in the order of the network's scores.

    Args:
        path: AudioSet's `class_labels_indices.csv` and tables like it, with a column of numbers and one of
            names (ESC-50's `esc50.csv`, UrbanSound8K, FSD50K's vocabulary, YAMNet's class map); a JSON file
            with `id2label` (a Hugging Face `config.json`), `classes` (Essentia) or a list; or text with a
            label on each line, which the numbers 0 to n - 1 may begin. UTF-8, UTF-16 and Latin-1 are read,
            whatever ends the lines.

    Raises:
        ModelError: it can't be read, or doesn't say which label belongs to which score.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".json":
        labels = labels_in(read_json(path), str(path))
    else:
        text = read_text(path)
        table = suffix in (".csv", ".tsv")
        labels = labels_of_table(text, str(path)) if table else labels_of_lines(text, str(path))
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
        if key == "label2id" and isinstance(found, dict):  # two labels may have one number
            return by_number([(number, _label(label, subject)) for label, number in found.items()], subject)
    else:
        found = data
    if isinstance(found, dict):
        pairs = [(number, _label(label, subject)) for number, label in found.items()]
        return by_number(pairs, subject)
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
            return checked(labels_in({key: _parsed(text, subject)}, subject), subject)
    return None


def _parsed(text: str, subject: str) -> Any:
    """Return a value in JSON or in Python's spelling; or what stands on lines or between commas."""
    for parse in (json.loads, _literal):
        try:
            value = parse(text)
            repr(value)  # as messages will: it may nest too deep, or have numbers of too many digits
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, dict | list):
            return value
        if isinstance(value, tuple):
            return list(value)
    if _STRUCTURE.match(text):
        raise ModelError(
            f"{subject}: expected a list or a dict of labels, whole and in order, got {text!r:.80}; give the "
            "labels in a file (--labels)"
        )
    return labels_of_lines(text, subject) if "\n" in text else labels_of_line(text, subject)


def _literal(text: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python's own on its syntax, which a label such as 0a needn't have
        return ast.literal_eval(text)


def checked(labels: list[str], subject: str) -> list[str]:
    """Return labels that are all there and all different.

    Raises:
        ModelError: they aren't.
    """
    if not labels:
        raise ModelError(f"{subject}: expected at least one label, got none")
    if len(labels) > MOST:
        raise ModelError(f"{subject}: expected at most {MOST} labels, got {len(labels)}")
    seen: dict[str, int] = {}
    for i, label in enumerate(labels):
        if not label:
            raise ModelError(f"{subject}: expected a name for each score, got none for score {i}")
        if printable(label) != label or not _LOST.isdisjoint(label):
            raise ModelError(
                f"{subject}: expected labels of characters that can be shown, got {label!a:.80} for score "
                f"{i}; rename it"
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
    if isinstance(value, float) and not math.isfinite(value):
        raise ModelError(
            f"{subject}: expected each label as a text or a finite number, got {value}; put it in quotes"
        )
    return str(value).strip()
