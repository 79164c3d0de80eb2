"""Sound that nobody labelled: what lies between the labels of recordings, or in a folder of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastaudio.decoding.audio_file import AudioFile, DecodeError
from fastaudio.labelled.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastaudio.labelled.segment import File

_MOST_PIECES = 10_000  # between two labels: a header may state years of sound
_MARGIN_S = 0.25  # labels are drawn by hand
_SHORTEST_S = 0.25
_USUAL_S = 3.0


def rest_of(files: Sequence[File], n: int, seed: int) -> tuple[list[Segment], list[tuple[str, str]]]:
    """Return up to `n` stretches between the labels of recordings, and the recordings that can't be read.

    They are as long as half of the labels are at least, or as there is room, and lie a quarter of a second
    away from labels. If there are more, a seed draws some.

    Args:
        files: labelled examples; whole files have no rest.
        n: how many stretches at most.
        seed: of the draw.
    """
    by_path: dict[str, list[Segment]] = {}
    for file in files:
        if isinstance(file, Segment):
            by_path.setdefault(file.path, []).append(file)
    return _drawn(by_path, length_of(files), n, seed)


def stretches_of(
    paths: Sequence[str], length_s: float, n: int, seed: int
) -> tuple[list[Segment], list[tuple[str, str]]]:
    """Return up to `n` stretches of about one length of recordings, and those that can't be read."""
    return _drawn({path: [] for path in paths}, length_s, n, seed)


def length_of(files: Sequence[File]) -> float:
    """Return the length that half of the labelled stretches have at least, in seconds; 3 s without any."""
    lengths = [file.duration_s for file in files if isinstance(file, Segment)]
    return max(float(np.median(lengths)), _SHORTEST_S) if lengths else _USUAL_S


def _drawn(
    by_path: dict[str, list[Segment]], length_s: float, n: int, seed: int
) -> tuple[list[Segment], list[tuple[str, str]]]:
    free: list[Segment] = []
    failed = []
    for path, held in by_path.items():
        try:
            duration_s = _duration_s(path)
        except DecodeError as error:
            failed.append((path, error.reason))
            continue
        free += _pieces(path, held, duration_s, length_s)
    if len(free) > n:
        drawn = np.random.default_rng(seed).choice(len(free), n, replace=False)
        free = [free[i] for i in sorted(drawn.tolist())]
    return free, failed


def _duration_s(path: str) -> float:
    """Return a recording's length; what states none is decoded to its end."""
    with AudioFile(path) as file:
        if file.duration_s is not None and not file.truncated:
            return file.duration_s
        for _ in file.blocks():
            pass
        return file.samples_read / file.sample_rate


def _pieces(path: str, held: Sequence[Segment], duration_s: float, length_s: float) -> list[Segment]:
    """Cut what lies between labels into pieces of about one length."""
    edges = sorted((max(one.start_s - _MARGIN_S, 0.0), one.end_s + _MARGIN_S) for one in held)
    pieces = []
    at_s = 0.0
    for start_s, end_s in [*edges, (duration_s, duration_s)]:
        room_s = min(start_s, duration_s) - at_s
        if room_s >= _SHORTEST_S:
            count = max(1, min(int(room_s / length_s), _MOST_PIECES))
            own_s = min(length_s, room_s / count)
            starts = at_s + np.arange(count) * (room_s / count)
            pieces += [Segment(path, float(one), float(one) + own_s) for one in starts]
        at_s = max(at_s, end_s)
    return pieces
