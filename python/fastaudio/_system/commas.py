"""CSV as text, which any reader takes apart into the same cells."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    r"""Return rows of CSV that end in `\n`; a cell with any line end in it, `\r` alone too, is in quotes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # Python quotes the line ends that it writes itself
    lines = []
    for row in rows:
        writer.writerow(row)
        lines.append(text.getvalue()[:-2] + "\n")
        text.seek(0)
        text.truncate()
    return "".join(lines)
