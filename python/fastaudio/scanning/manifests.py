"""Tables that list what to scan: CSV, lines of JSON, or Parquet, with a column `path`."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._core import FastaudioError
from fastaudio._system.extras import require
from fastaudio._system.text import listed, spelled
from fastaudio.scanning.remote import is_url
from fastaudio.scanning.schema import OWN_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = frozenset({".csv", ".jsonl", ".ndjson", ".parquet"})

_LONGEST = 1 << 20  # of a line, or of a cell


class ManifestError(FastaudioError, ValueError):
    """A table that lists files can't be read."""


def read(path: str, said: list[str]) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Yield each row's path, relative ones in the table's own folder, and its other cells as text.

    Rows without a path are left out, as spreadsheets have them at their ends; a line of `said` says so.

    Raises:
        ManifestError: it isn't such a table, or has a column that a scan writes itself.
        MissingExtra: pyarrow isn't installed, for Parquet.
    """
    folder = os.path.dirname(path)  # noqa: PTH120  # paths stay as they are given
    suffix = Path(path).suffix.lower()
    if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113  # a pipe may never end
        raise ManifestError(f"{path}: expected a file that lists files, got a pipe or a device")
    rows = _parquet(path) if suffix == ".parquet" else _csv(path) if suffix == ".csv" else _json_lines(path)
    without: list[int] = []
    for number, row in enumerate(rows, start=1):
        name = row.pop("path", None)
        if not isinstance(name, str) or not name or "\0" in name:
            without.append(number)
            continue
        if not OWN_COLUMNS.isdisjoint(row):  # rows of JSON may differ
            got = f"{', '.join(sorted(OWN_COLUMNS.intersection(row)))} in row {number}"
            raise ManifestError(f"{path}: expected columns that a scan doesn't write, got {got}; rename them")
        where = name if is_url(name) else os.path.join(folder, name)  # noqa: PTH118
        yield where, {spelled(key): None if value is None else _text(value) for key, value in row.items()}
    if without:
        said.append(f"{path}: rows without a path are left out: {listed([*map(str, without)])}")


def _text(value: Any) -> str:
    return spelled(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _csv(path: str) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(_LONGEST)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123
            reader = csv.DictReader(file)
            if "path" not in (reader.fieldnames or ()):
                got = ", ".join(reader.fieldnames or ()) or "an empty file"
                remedy = "; put commas between columns" if ";" in got else ""
                raise ManifestError(
                    f"{path}: expected a column path in the first line, got {got:.200}{remedy}"
                )
            for row in reader:
                row.pop(None, None)  # cells beyond the header
                yield row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"{path}: expected a CSV file in UTF-8, got: {error!s:.200}") from error


def _json_lines(path: str) -> Iterator[dict[str, Any]]:
    try:
        with open(path, encoding="utf-8-sig") as file:  # noqa: PTH123
            while line := file.readline(_LONGEST):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ManifestError(f"{path}: expected an object in each line, got {line!r:.80}")
                yield row
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        if isinstance(error, ManifestError):
            raise
        raise ManifestError(f"{path}: expected lines of JSON, got: {error!s:.200}") from error


def _parquet(path: str) -> Iterator[dict[str, Any]]:
    parquet = require("pyarrow.parquet", extra="parquet", what=f"{path}")
    try:
        with parquet.ParquetFile(path) as file:
            if "path" not in file.schema_arrow.names:
                got = ", ".join(file.schema_arrow.names)
                raise ManifestError(f"{path}: expected a column path, got {got:.200}")
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except (OSError, ValueError) as error:  # pyarrow's are ValueErrors
        if isinstance(error, ManifestError):
            raise
        raise ManifestError(f"{path}: expected a Parquet file, got: {error!s:.200}") from error
