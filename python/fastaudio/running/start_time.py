"""When a recording began: as its file's name says, as recorders write it, or as a user says."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta, timezone

# 20230401_053000, 20230401T053000, 2023-04-01_05-30-00, 2023-04-01 05:30:00, 2023_04_01_05_30_00 ...
_STAMP = re.compile(
    r"(?<!\d)(?P<year>\d{4})(?P<gap>[-_.]?)(?P<month>\d\d)(?P=gap)(?P<day>\d\d)"
    r"[-_ T$]"
    r"(?P<hour>\d\d)(?P<colon>[-_.:h]?)(?P<minute>\d\d)(?:(?P=colon)|m)(?P<second>\d\d)(?!\d)"
)
# What may follow: Z, +0200, -03:30, or _(UTC+2), (UTC-3:30), _UTC
_ZONE = re.compile(
    r"(?P<z>Z(?![A-Za-z]))"
    r"|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)(?!\d)"
    r"|[_ ]?\(?(?:UTC|GMT)(?:(?P<sign2>[+-])(?P<hours2>\d{1,2})(?::?(?P<minutes2>\d\d))?)?(?![A-Za-z\d])\)?"
)
_LARGEST = timedelta(hours=24)


def start_in_name(path: str | os.PathLike[str]) -> datetime | None:
    """Return when a file was begun, as its name says; None if it doesn't.

    Names hold `YYYYMMDD_HHMMSS`, as those of AudioMoth (`20230401_053000.WAV`, `20230401_053000T.WAV`), Song
    Meter (`SM4_20230401_053000.wav`) and many others do, or the same with `-`, `_` or `.` between the
    numbers. A zone may follow: `Z`, `+0200`, `_(UTC+2)`; without one it is this machine's local time.
    AudioMoth writes UTC and doesn't say so, unless it is told otherwise.

    >>> print(start_in_name("garden/SM4_20230401_053000Z.wav"))
    2023-04-01 05:30:00+00:00
    >>> print(start_in_name("song.mp3"))
    None
    """
    for stamp in _STAMP.finditer(os.path.basename(os.fspath(path))):  # noqa: PTH119  # a name may be no path
        numbers = [int(stamp[part]) for part in ("year", "month", "day", "hour", "minute", "second")]
        try:
            naive = datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001  # its zone follows
        except ValueError:  # 2023-13-45
            continue
        try:
            return _in_zone(naive, _ZONE.match(stamp.string, stamp.end()))
        except (OverflowError, OSError, ValueError):  # the platform knows no local time so long ago
            continue
    return None


def start_of(text: str) -> datetime:
    """Return a time as ISO 8601 writes it, with a zone; without one it is local time.

    Raises:
        ValueError: it is none.
    """
    try:
        moment = datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in {"Z", "z"} else text)
        return with_zone(moment)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(
            f"expected a time such as 2026-11-28T13:15:00 or 2026-11-28T13:15:00+01:00, got {text!r:.80}"
        ) from error


def with_zone(moment: datetime) -> datetime:
    """Return a time with its zone; one without is local time."""
    return moment.astimezone() if moment.tzinfo is None else moment


def _in_zone(naive: datetime, zone: re.Match[str] | None) -> datetime:
    if zone is None:
        return naive.astimezone()
    sign = zone["sign"] or zone["sign2"] or "+"
    offset = timedelta(
        hours=int(zone["hours"] or zone["hours2"] or 0), minutes=int(zone["minutes"] or zone["minutes2"] or 0)
    )
    if offset >= _LARGEST:
        return naive.astimezone()
    return naive.replace(tzinfo=timezone(-offset if sign == "-" else offset))
