"""Tables as text: bounded in size, UTF-8, with the number of each line for messages."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from fastaudio._system.reading import read_small

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LARGEST = 64 << 20  # bytes; a million labels take less
_LONGEST = 10_000  # characters of a cell
_HEAD = 4096


class TableError(ValueError):
    """A table can't be read as a whole."""


def read_text(path: str | Path) -> str:
    """Return a table's text.

    Raises:
        TableError: it can't be read, is larger than 64 MiB, or isn't UTF-8 (UTF-16 with a mark is taken too).
    """
    try:
        content = read_small(path, _LARGEST)
    except OSError as error:
        raise TableError(f"{path}: expected a table, got: {error.strerror or error}") from error
    if content is None:
        raise TableError(f"{path}: expected a table of at most 64 MiB, got a larger file; split it")
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: expected text in UTF-8, got other bytes; save it as UTF-8") from error


def head_of(path: str | Path) -> str:
    """Return the beginning of a file that may be a table; nothing if it is none, or can't be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            content = file.read(_HEAD)
    except OSError:
        return ""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content[: len(content) // 2 * 2].decode("utf-16", "replace")
    return "" if b"\0" in content else content.decode("utf-8-sig", "replace")


def rows_of(
    path: str | Path, text: str, delimiter: str, *, quotes: bool = True
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each row's line, and its cells by column; cells are stripped.

    With `quotes`, a cell in quotes may hold delimiters and line ends; Raven's tables have none.

    Raises:
        TableError: a column is there twice, or the form is broken.
    """
    lines = io.StringIO(text, newline="")
    if quotes:
        reader = csv.reader(lines, delimiter=delimiter)
    else:
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if twice := sorted({name for name in header if name and header.count(name) > 1}):
            raise TableError(f"{path}: expected each column once, got {twice[0]!r:.80} twice; rename one")
        for cells in reader:
            if any(map(str.strip, cells)):
                pairs = zip(header, [*cells, *[""] * (len(header) - len(cells))], strict=False)
                yield reader.line_num, {name: cell.strip()[:_LONGEST] for name, cell in pairs}
    except csv.Error as error:
        raise TableError(f"{path}: expected a table, got: {error}, line {reader.line_num}") from error


def number_in(text: str) -> float:
    """Return the number that a cell holds, with a point or a comma before its decimals.

    Raises:
        ValueError: it holds none.
    """
    if len(text) > 40:  # noqa: PLR2004  # no number of seconds
        raise ValueError(text)
    return float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
