"""Applies the rules of `Events` to one label at a time over whole arrays, without the node's own code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from numpy.typing import NDArray

    Limits: TypeAlias = tuple[np.float32, np.float32, np.float32]


def windows_of(seconds: float, rate_hz: float) -> int:
    """Return seconds as a number of windows, rounded to the nearest, halves up."""
    return int(np.floor(seconds * rate_hz + 0.5))


def smoothed(scores: NDArray[np.float32], n: int, kind: str) -> NDArray[np.float32]:
    """Return each score's mean of the last `n`, or median of those around it, or of as many as there are."""
    if kind == "median":
        around = [sorted(scores[max(0, t - n // 2) : t + n // 2 + 1].tolist()) for t in range(len(scores))]
        return np.array([part[(len(part) - 1) // 2] for part in around], dtype=np.float32)
    means = []
    for t in range(len(scores)):
        total = 0.0
        for score in scores[max(0, t + 1 - max(n, 1)) : t + 1].tolist():
            total += score
        means.append(total / min(t + 1, max(n, 1)))
    return np.array(means, dtype=np.float32)


def limits_of(options: dict[str, Any]) -> Limits:
    """Return onset, offset, and the score that bridges a dip."""
    onset, offset = np.float32(options["onset"]), np.float32(options["offset"])
    return onset, offset, onset if options["bridge"] == "onset" else offset


def stretches(smooth: NDArray[np.float32], limits: Limits, n_off: int, start: int) -> tuple[int, int] | None:
    """Return the first and last window of the first event from `start`, however short it is."""
    onset, offset, bridge = limits
    begins = np.flatnonzero(smooth[start:] >= onset)
    if len(begins) == 0:
        return None
    first = last = start + int(begins[0])
    for t in (first + np.flatnonzero(smooth[first:] >= offset)).tolist():
        if t - last > n_off:  # at least that many windows in between were below the threshold
            break
        if t - last > 1 and smooth[t] < bridge:
            continue
        last = t
    return first, last


def found(
    scores: NDArray[np.float32], options: dict[str, Any], rate_hz: float
) -> Iterator[tuple[int, int, int]]:
    """Yield first and last window of each event of a label, and the window after which its row can come."""
    n_on = max(1, windows_of(options["min_on_s"], rate_hz))
    n_off = max(1, windows_of(options["min_off_s"], rate_hz))
    smooth = smoothed(scores, windows_of(options["smoothing_s"], rate_hz), options["smoothing"])
    limits = limits_of(options)
    start = 0
    # An event ends when n_off windows were below the threshold, and the next can't begin among these.
    while (event := stretches(smooth, limits, n_off, start)) is not None:
        first, last = event
        start = last + 1 + n_off
        if last - first + 1 >= n_on:
            start = max(start, last + 1 + windows_of(options["cool_down_s"], rate_hz))
            yield first, last, min(last + n_off, len(scores))


def announced(first: int, last: int, smooth: NDArray[np.float32], limits: Limits, n_on: int) -> int:
    """Return the window at which an event has become long enough to be announced."""
    _, offset, bridge = limits
    held = first
    for t in range(first, last + 1):
        if smooth[t] >= (offset if t - held <= 1 else bridge):
            held = t
            if t - first + 1 >= n_on:
                return t
    raise AssertionError("the event's last window is long enough")


def row(label: int, scores: NDArray[np.float32], first: int, last: int, n: int) -> list[float]:
    """Return the row that comes out for an event's windows."""
    total = 0.0
    for score in scores[first : last + 1].tolist():
        total += score
    mean = total / (last - first + 1)
    return [label, first // 65536, first % 65536, n, float(scores[first : last + 1].max()), mean]


def rows_of(
    scores: NDArray[np.float32], options: list[dict[str, Any]], rate_hz: float
) -> NDArray[np.float32]:
    """Return all rows of a signal, each label with its own options, in the order in which they come out."""
    rows = []
    for label, own in enumerate(options):
        column = scores[:, label]
        smooth = smoothed(column, windows_of(own["smoothing_s"], rate_hz), own["smoothing"])
        n_on = max(1, windows_of(own["min_on_s"], rate_hz))
        for first, last, out in found(column, own, rate_hz):
            rows.append((out, first, label, row(label, column, first, last, last - first + 1)))
            if own["onsets"]:
                now = announced(first, last, smooth, limits_of(own), n_on)
                rows.append((now, first, label, row(label, column, first, now, 0)))
    rows.sort(key=lambda item: item[:3])
    return np.array([item[3] for item in rows], dtype=np.float32).reshape(-1, 6)
