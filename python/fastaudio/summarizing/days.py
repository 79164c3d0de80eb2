"""On which day a file was recorded: as a column says, its name, or else its time of change."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from fastaudio._system.text import folder_and_name
from fastaudio.running.start_time import start_in_name, start_of

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = ("recorded", "started", "datetime", "timestamp", "date", "day")
"""Columns of a scan that are taken for the day, if none is named."""

NAME, CHANGE, UNKNOWN = "names of files", "times of change", "nothing"

DAY_S = 86_400.0

# 2024-05-13, 2024_05_13, 2024.05.13 or 20240513, with no digit beside it
_DATE = re.compile(r"(?<!\d)(\d{4})([-_.]?)(\d\d)\2(\d\d)(?!\d)")
_NS = re.compile(r"\d{15,20}")
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


@dataclass(frozen=True)
class Began:
    """When a recording began.

    Attributes:
        at: the moment; only its day counts if `has_time` is False.
        has_time: whether the time of day is known.
        source: what says so.
    """

    at: datetime
    has_time: bool
    source: str

    def days(self, start_s: float, length_s: float) -> list[tuple[str, float]]:
        """Return the days of a stretch, and how many seconds of it are in each."""
        if not self.has_time:
            return [(self.at.date().isoformat(), length_s)]
        try:
            return list(self._parts(start_s, length_s))
        except OverflowError:  # a stretch that no calendar has
            return [(self.at.date().isoformat(), length_s)]

    def _parts(self, start_s: float, length_s: float) -> Iterator[tuple[str, float]]:
        moment = self.at + timedelta(seconds=start_s)
        while length_s > 0:
            midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            part_s = min(length_s, (midnight - moment).total_seconds())
            yield moment.date().isoformat(), part_s
            moment, length_s = midnight, length_s - part_s


def began(path: str, version: str | None, cell: str | None, column: str | None) -> Began | None:
    """Return when a file was recorded, None if nothing says it.

    Args:
        path: its path, whose last part may have a date.
        version: its time of change in ns, or a store's etag.
        cell: what a table says, ISO 8601 or a date.
        column: the name of that table's column.
    """
    if cell and (found := _in_cell(cell, f"the column {column}")) is not None:
        return found
    try:
        moment = start_in_name(path)
        if moment is not None and _is_likely(moment.year):
            return Began(moment, has_time=True, source=NAME)
        if (day := _date_in(folder_and_name(path)[1])) is not None:
            return Began(day, has_time=False, source=NAME)
        if version and "://" not in path and _NS.fullmatch(version):
            return Began(
                datetime.fromtimestamp(int(version) / 1e9).astimezone(), has_time=False, source=CHANGE
            )
    except (ValueError, OverflowError, OSError):  # no such time
        return None
    return None


def _in_cell(cell: str, source: str) -> Began | None:
    text = cell.strip()
    day = _date_in(text)
    if len(text) <= len("2024-05-13"):
        return None if day is None else Began(day, has_time=False, source=source)
    with suppress(ValueError):
        moment = start_of(text)
        if _is_likely(moment.year):
            return Began(moment, has_time=True, source=source)
    return None if day is None else Began(day, has_time=False, source=source)


def _is_likely(year: int) -> bool:
    return _FIRST_YEAR <= year <= _LAST_YEAR


def _date_in(text: str) -> datetime | None:
    for match in _DATE.finditer(text):
        year, month, day = int(match[1]), int(match[3]), int(match[4])
        if not _is_likely(year):
            continue
        try:
            return datetime(year, month, day, tzinfo=UTC)
        except ValueError:  # 2023-13-45
            continue
    return None
