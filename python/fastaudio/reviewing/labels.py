"""Labels of stretches in a plain CSV, which several people may write at once.

The columns are path, start_s, end_s, label, when and by. It is a manifest as well, so `fastaudio train` takes
it as it is. A label is appended by one write; a label that is taken back is gone from the file.
"""

from __future__ import annotations

import csv
import io
import math
import os
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from fastaudio._core import FastaudioError
from fastaudio._system.commas import csv_text
from fastaudio._system.holding import holding
from fastaudio._system.text import is_line, listed, spelled
from fastaudio._system.writing import OutputError, check_writable, full_disk, writing
from fastaudio.labelled.segment import why_no_stretch

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = ("path", "start_s", "end_s", "label", "when", "by")

_NEEDED = COLUMNS[:4]
_LARGEST_BYTES = 1 << 28
_WAIT_S = 10.0

Stretch: TypeAlias = "tuple[str, float, float]"


class LabelError(FastaudioError, ValueError):
    """A file of labels can't be read, or this can't be a label."""


@dataclass(frozen=True)
class Label:
    """What somebody has heard in a stretch.

    Attributes:
        path: the file, as the scan names it.
        start_s, end_s: the stretch, in seconds from the file's start.
        label: its name.
        when: when that was said, ISO 8601 in UTC; may be empty.
        by: who said it; may be empty.
    """

    path: str
    start_s: float
    end_s: float
    label: str
    when: str = ""
    by: str = ""

    @property
    def stretch(self) -> Stretch:
        """The file and the stretch."""
        return self.path, self.start_s, self.end_s


class LabelFile:
    """A CSV of labels. Threads and processes may share it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Name the file, which needn't be there yet; what is there has to be readable.

        Raises:
            LabelError: it is no such table.
            OutputError: it can't be written.
        """
        self.path = Path(path)
        check_writable(path, force=True)
        self.read()

    def read(self) -> list[Label]:
        """Return all labels in the order in which they were given; none if there is no file.

        Raises:
            LabelError: it is no such table; the message names the line.
        """
        return [label for label, _ in self._rows(self._lines())]

    def current(self) -> list[Label]:
        """Return the labels that hold: of a stretch that was labelled again, the last."""
        held = {label.stretch: label for label in self.read()}
        return list(held.values())

    def names(self) -> list[str]:
        """Return the labels' names, each once, in the order in which they came up."""
        return list(dict.fromkeys(label.label for label in self.read()))

    def add(self, path: str, start_s: float, end_s: float, label: str, *, by: str = "") -> Label:
        """Append a label, and return it with the time of now.

        Raises:
            LabelError: it is no stretch, or the label's name is empty or has control characters.
            OutputError: it can't be written; then the file is as it was.
        """
        if why := why_no_stretch(start_s, end_s):
            raise LabelError(f"{spelled(path):.200}: {why}")
        if not label.strip() or not is_line(label):
            raise LabelError(
                f"{self.path}: expected the name of a label, got {label!r:.80}; choose letters and digits"
            )
        now = datetime.now(UTC).isoformat(timespec="seconds")
        made = Label(
            spelled(path), round(float(start_s), 6), round(float(end_s), 6), label.strip(), now, spelled(by)
        )
        with holding(self.path, wait_s=_WAIT_S, flags=os.O_APPEND) as descriptor:
            lines = self._lines()
            text = ""
            if not lines:
                text = csv_text([COLUMNS])
            elif not lines[-1].endswith(("\n", "\r")):
                text = "\n"
            columns = next(csv.reader(lines), list(COLUMNS))
            text += csv_text([[str(getattr(made, name, "")) for name in columns]])
            _append(descriptor, text.encode(), str(self.path))
        return made

    def undo(self, label: Label) -> bool:
        """Take back a label, such as `add` has returned, and no other; return False if it isn't there.

        Columns that the file doesn't have make no difference.

        Raises:
            LabelError: it is no such table.
            OutputError: it can't be written; then the file is as it was.
        """
        with ExitStack() as held:
            held.enter_context(holding(self.path, wait_s=_WAIT_S))
            lines = self._lines()
            known = set(next(csv.reader(lines), COLUMNS)).intersection(COLUMNS)
            wanted = [getattr(label, name) for name in sorted(known)]
            own = [
                at
                for one, at in self._rows(lines)
                if [getattr(one, name) for name in sorted(known)] == wanted
            ]
            if not own:
                return False
            del lines[own[-1]]
            if os.name == "nt":  # which replaces no file that is open
                held.close()
            with writing(self.path, force=True) as file:
                file.write("".join(lines).encode())
            return True

    def _lines(self) -> list[str]:
        try:
            with self.path.open("rb") as file:
                content = file.read(_LARGEST_BYTES + 1)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LabelError(f"{self.path}: expected a file of labels, got: {error.strerror}") from error
        if len(content) > _LARGEST_BYTES:
            raise LabelError(f"{self.path}: expected at most {_LARGEST_BYTES} bytes of labels, got more")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise LabelError(f"{self.path}: expected UTF-8, got {error}; save it as UTF-8") from error
        return list(io.StringIO(text, newline=""))

    def _rows(self, lines: list[str]) -> Iterator[tuple[Label, slice]]:
        """Yield each label and the lines that it stands in."""
        reader = csv.reader(lines, strict=True)  # a quote that isn't closed would take in all that follows
        try:
            columns = next(reader, None)
            if columns is None:
                return
            if missing := [name for name in _NEEDED if name not in columns]:
                raise LabelError(
                    f"{self.path}: expected the columns {', '.join(_NEEDED)}, got {listed(columns)}; "
                    f"add {missing[0]} to the first line, or name another file"
                )
            before = reader.line_num
            for cells in reader:
                at, before = slice(before, reader.line_num), reader.line_num
                if cells:
                    yield self._label(dict(zip(columns, cells, strict=False)), at.start + 1), at
        except csv.Error as error:
            raise LabelError(f"{self.path}: expected CSV, got: {error} in line {reader.line_num}") from error

    def _label(self, row: dict[str, str], line: int) -> Label:
        try:
            start_s, end_s = float(row.get("start_s", "")), float(row.get("end_s", ""))
        except ValueError:
            start_s = end_s = math.nan
        path, name = row.get("path", ""), row.get("label", "").strip()
        if not path or not name or why_no_stretch(start_s, end_s):
            raise LabelError(
                f"{self.path}: expected a path, a stretch in seconds and a label in line {line}, got "
                f"{','.join(row.values())!r:.120}; mend or remove that line"
            )
        return Label(path, start_s, end_s, name, row.get("when", ""), row.get("by", ""))


def _append(descriptor: int, content: bytes, name: str) -> None:
    """Append all by one write; a part that a full disk took is taken back."""
    size = os.fstat(descriptor).st_size
    with full_disk(name):
        try:
            if os.write(descriptor, content) != len(content):
                os.ftruncate(descriptor, size)
                raise OutputError(f"{name}: expected room to write, got too little; free some, and try again")
            os.fsync(descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
