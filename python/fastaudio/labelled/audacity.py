"""Label tracks of Audacity: a line for each label, with its start, its end and its text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fastaudio.labelled.segment import Found, Segment, why_no_stretch
from fastaudio.labelled.text import number_in

if TYPE_CHECKING:
    from pathlib import Path

_NUMBER = r"\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?"
_LABEL = re.compile(rf"(-?{_NUMBER})\t(-?{_NUMBER})(?:\t(.*))?")
_LIKE = 0.5  # share of lines


def is_track(head: str) -> bool:
    """Tell whether a text begins as a label track does."""
    lines = [line for line in head.splitlines()[:-1] or head.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("\\")]  # the frequencies of the label before
    return bool(lines) and sum(map(bool, map(_LABEL.fullmatch, lines))) > _LIKE * len(lines)


def take(found: Found, path: Path, text: str, recording: str) -> None:
    """Take the labels of a track, and note each line that is none."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("\\"):
            continue
        place = f"{path}:{number}"
        match = _LABEL.fullmatch(line.rstrip("\r"))
        if match is None:
            found.leave_out(place, f"expected start, end and label with tabs between, got {line!r:.60}")
            continue
        start_s, end_s = number_in(match[1]), number_in(match[2])
        label = (match[3] or "").strip()
        why = why_no_stretch(start_s, end_s)
        if why or not label:
            found.leave_out(place, why or "expected a label, got none; give it a name")
        else:
            found.add(Segment(recording, start_s, end_s), [label])
