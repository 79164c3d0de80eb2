"""MPEG audio, layers I to III: only its frames are decoded, and all of them.

libsndfile takes the length of an MP3 without a Xing header from the size of its first frame, and mpg123
inside it writes notes about junk to stderr. So it is given the frames alone, and told that there are enough
of them.
"""

from __future__ import annotations

import os
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from fastaudio.decoding.mpeg_frames import Run, id3_size, runs
from fastaudio.decoding.sndfile import Part
from fastaudio.decoding.sources import DecodeError
from fastaudio.decoding.views import Pieces

if TYPE_CHECKING:
    from fastaudio.decoding.sources import Source

_SUFFIXES = (".mp1", ".mp2", ".mp3", ".mpa", ".mpga")
_ID3V1 = 128
_MAX_RUNS = 10_000
_SIZE_OFF = 0.005  # of the size that a header states; mpg123 prints a warning from 0.01 on


def parts(source: Source) -> list[Part] | None:
    """Return the runs of frames of an MPEG file, or None to leave it to libsndfile as it is.

    Raises:
        DecodeError: it begins as one, and there are no frames.
    """
    found = []
    for run in runs(source):
        found += [_part(source, run)] if run.n_frames else []
        if len(found) > _MAX_RUNS:
            raise DecodeError(source.name, f"expected at most {_MAX_RUNS} sounds one after another, got more")
    if found:
        return found
    position, head = 0, source.read(0, 10)
    while head.startswith(b"ID3") and (size := id3_size(head)):
        position += size
        head = source.read(position, 10)
    named = source.name.lower().endswith(_SUFFIXES)
    free_format = named and head[:1] == b"\xff" and head[1:2] >= b"\xe0" and head[2:3] < b"\x10"
    if not free_format and (position or _is_head(head)) and not head.startswith(b"fLaC"):
        raise DecodeError(source.name, "expected audio, got no MPEG frames that follow one another")
    # Under a name, libsndfile would take anything for MPEG.
    return None if free_format else [Part(partial(Pieces, source, [(0, source.size)]))]


def _part(source: Source, run: Run) -> Part:
    (start, end), *more = islice(run.ranges, 2)
    exact = run.stated == run.n_frames and not run.cut and end == source.size and not more
    if exact and _size_is_right(source, run, start):
        return Part(truncated=False, start=start)  # read fastest; tags come before it
    missing = run.cut
    if run.stated is not None:
        missing |= run.n_frames < run.stated
        if run.n_frames == run.stated - 1 and len(run.ranges) == 1:  # some count the frame that states it
            missing = run.cut
        begin = None if run.stated_at is None else _restated(source, run, missing=missing)
        return Part(partial(_joined, Pieces, source, run, begin), None, missing)
    n_samples = run.n_frames * run.samples_per_frame
    return Part(partial(_joined, _Endless, source, run), n_samples, missing, exact=False)


def _joined(
    view: type[Pieces], source: Source, run: Run, begin: list[bytes | tuple[int, int]] | None = None
) -> Pieces:
    """Return the frames of a run as one file, of which `begin` replaces the first range."""
    pieces = run.ranges if begin is None else chain(begin, islice(run.ranges, 1, None))
    if begin is None and run.stated is None and run.n_frames == 1:
        pieces = chain(
            run.ranges, run.ranges
        )  # mpg123 warns of a single one; the second's samples aren't taken
    return view(source, pieces)


def _size_is_right(source: Source, run: Run, start: int) -> bool:
    """Tell whether the bytes that a Xing header states, if it does, are those that there are."""
    if run.stated_at is None:
        return True
    head, n_bytes = source.read(start + run.stated_at - 4, 12), source.size - start
    stated = int.from_bytes(head[8:], "big")
    return len(head) == 12 and (not head[3] & 2 or abs(stated - n_bytes) <= _SIZE_OFF * n_bytes)  # noqa: PLR2004


def _restated(source: Source, run: Run, *, missing: bool) -> list[bytes | tuple[int, int]]:
    """Return the first range with counts that are right: mpg123 stops at them, and warns of others."""
    first, last = next(iter(run.ranges))
    at = first + (run.stated_at or 0)
    flags = source.read(at - 4, 4)
    counts = run.n_frames if not missing else run.stated or 0
    mended = counts.to_bytes(4, "big")
    if flags[-1:] and flags[3] & 2:
        mended += min(sum(b - a for a, b in run.ranges), 0xFFFF_FFFF).to_bytes(4, "big")
    return [(first, at), mended, (at + len(mended), last)]


class _Endless(Pieces):
    """Frames in a file that claims to be much longer, so that no estimate of its length is too short."""

    _FACTOR = 512  # above any ratio of sizes of frames

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence != os.SEEK_END:
            return super().seek(offset, whence)
        self._position = self.size * self._FACTOR + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._position >= self.size * self._FACTOR - _ID3V1:  # here mpg123 looks for a tag
            buffer[:] = bytes(len(buffer))
            self._position += len(buffer)
            return len(buffer)
        return super().readinto(buffer)


def may_be(head: bytes, name: str) -> bool:
    """Tell whether a file may be MPEG audio by its first bytes, or by its name."""
    return _is_head(head) or name.lower().endswith(_SUFFIXES)


def _is_head(head: bytes) -> bool:
    return head.startswith(b"ID3") or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")
