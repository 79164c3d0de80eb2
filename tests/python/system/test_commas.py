"""CSV has the cells that were given, whatever is in them."""

from __future__ import annotations

import csv
import io

from fastaudio._system.commas import csv_text

CELLS = ("", "a", "a,b", 'say "x"', "\r", "a\rb", "a\n", "\r\n", "\x0b\x0c\x85\u2028", " a ", "=1+1")


def test_a_reader_finds_the_same_cells() -> None:
    rows = [[one, other, "1"] for one in CELLS for other in CELLS]
    text = csv_text(rows)
    assert list(csv.reader(io.StringIO(text, newline=""))) == rows


def test_rows_end_in_a_plain_line_end() -> None:
    assert csv_text([("path", 1.5, None), ("a",)]) == "path,1.5,\na\n"
