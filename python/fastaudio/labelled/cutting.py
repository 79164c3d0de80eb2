"""Running over stretches of recordings: each recording is decoded once, whatever its labels' order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fastaudio._core import Cancelled, FastaudioError, TimedOut
from fastaudio.decoding.audio_file import AudioFile, DecodeError
from fastaudio.labelled.segment import Segment
from fastaudio.running.whole import run_many

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from numpy.typing import NDArray

    from fastaudio.labelled.segment import File

_MOST_OPEN = 32  # streams at once; with more labels on top of each other, the recording is decoded again
_PARTS = 8  # that a recording is decoded in at most, so that several cores work and progress is seen
_LEAST_IN_PART = 16  # stretches
_BEYOND_S = 1.0  # that a label may reach beyond the end, as one drawn by hand does


class Sink(Protocol):
    """Takes blocks of sound and gives a result at their end."""

    def feed(self, samples: NDArray[Any], /) -> None:
        """Take a block."""

    def finish(self) -> Any:
        """Return the result."""


def run_stretches(open_: Callable[[Segment, int, int], Sink], segments: Sequence[Segment]) -> list[Any]:
    """Run over stretches of one recording; return the result of each, or the error that it met.

    Args:
        open_: gives a sink for a stretch of a recording with a sample rate, in Hz, and a number of channels.
        segments: the stretches, in any order; they may overlap.

    Raises:
        DecodeError: the recording can't be read.
        Cancelled, TimedOut: it was ended early.
    """
    results: list[Any] = [None] * len(segments)
    left = sorted(range(len(segments)), key=lambda i: segments[i].start_s)
    while left:
        left = _pass(open_, segments, left, results)
    return results


@dataclass
class _Open:
    sink: Sink
    first: int
    end: int


def _pass(
    open_: Callable[[Segment, int, int], Sink],
    segments: Sequence[Segment],
    order: Sequence[int],
    results: list[Any],
) -> list[int]:
    """Decode a recording once; return the stretches that are left for another time."""
    queue = deque(order)
    later: list[int] = []
    running: dict[int, _Open] = {}
    with AudioFile(segments[order[0]].path) as file:
        rate = file.sample_rate
        for block in file.blocks():
            end = file.samples_read
            while queue and round(segments[queue[0]].start_s * rate) < end:
                i = queue.popleft()
                if len(running) == _MOST_OPEN:
                    later.append(i)
                    continue
                stretch = [round(at * rate) for at in (segments[i].start_s, segments[i].end_s)]
                with file.decode_errors():
                    running[i] = _Open(open_(segments[i], rate, file.channels), *stretch)
            for i, one in list(running.items()):
                part = block[max(one.first - end + len(block), 0) : one.end - end + len(block)]
                done = one.end <= end
                if (result := _step(file, one, part, done=done)) is not None:
                    results[i] = result
                    del running[i]
            if not queue and not running:
                break
        heard_s = file.samples_read / rate
        for i, one in running.items():
            segment = segments[i]
            if segment.end_s > heard_s + _BEYOND_S:
                results[i] = _too_short(segment, heard_s)
            else:
                results[i] = _step(file, one, None, done=True)
        for i in queue:
            results[i] = _too_short(segments[i], heard_s)
    return later


def _step(file: AudioFile, one: _Open, part: NDArray[Any] | None, *, done: bool) -> Any:
    """Feed a part of the sound; return the result if there is one, or the error."""
    try:
        with file.decode_errors():
            if part is not None and len(part):
                one.sink.feed(part)
            return one.sink.finish() if done else None
    except (Cancelled, TimedOut):
        raise
    except FastaudioError as error:
        return error


def _too_short(segment: Segment, heard_s: float) -> DecodeError:
    why = f"expected sound until {segment.end_s:.2f} s, got {heard_s:.2f} s of it; is it the right recording?"
    return DecodeError(str(segment), why)


@dataclass(frozen=True)
class _Unit:
    """What a thread does at once: a whole file, or stretches of one."""

    places: list[int]
    files: list[File]


def run_each(
    whole: Callable[[str], Any],
    stretches: Callable[[Sequence[Segment]], Sequence[Any]],
    files: Sequence[File],
    jobs: int | None,
) -> Generator[Any, None, None]:
    """Yield the result of each file or stretch in order, or the error that it met.

    Args:
        whole: gives the result of a whole file.
        stretches: gives the results of stretches of one recording, each perhaps an error.
        files: the files and stretches.
        jobs: units of work at once; None for one per processor core.
    """

    def run(unit: Any, *, progress: object) -> list[Any]:
        del progress
        first = unit.files[0]
        return list(stretches(unit.files)) if isinstance(first, Segment) else [whole(first)]

    waiting: dict[int, Any] = {}
    following = 0
    units = list(_units(files))
    source: Any = units
    results = run_many(run, source, jobs)
    try:
        for unit, given in zip(units, results, strict=True):
            each = [given] * len(unit.places) if isinstance(given, Exception) else given
            waiting.update(zip(unit.places, each, strict=True))
            while following in waiting:
                yield waiting.pop(following)
                following += 1
    finally:
        results.close()


def _units(files: Sequence[File]) -> Iterator[_Unit]:
    """Share files into units, in an order in which results can be given early."""
    by_path: dict[str, list[int]] = {}
    for i, file in enumerate(files):
        if isinstance(file, Segment):
            by_path.setdefault(file.path, []).append(i)
    seen: set[str] = set()
    for i, file in enumerate(files):
        if not isinstance(file, Segment):
            yield _Unit([i], [file])
        elif file.path not in seen:
            seen.add(file.path)
            of_file = sorted(by_path[file.path], key=lambda place: files[place].start_s)  # type: ignore[union-attr]
            size = max(_LEAST_IN_PART, -(-len(of_file) // _PARTS))
            for _, part in groupby(enumerate(of_file), key=lambda pair: pair[0] // size):
                places = [place for _, place in part]
                yield _Unit(places, [files[place] for place in places])


@dataclass
class Samples:
    """A sink that keeps the sound: float32 [n_samples, channels], up to a length."""

    sample_rate: int
    channels: int
    most: int
    _parts: list[NDArray[np.float32]] = field(default_factory=list)
    _held: int = 0

    def feed(self, samples: NDArray[np.float32], /) -> None:
        """Take a block; what is beyond the length is dropped."""
        kept = samples[: self.most - self._held].reshape(-1, self.channels)
        self._parts.append(kept.copy())
        self._held += len(kept)

    def finish(self) -> Samples:
        """Return this."""
        return self

    @property
    def values(self) -> NDArray[np.float32]:
        """All of it."""
        empty = np.zeros((0, self.channels), np.float32)
        return np.concatenate([empty, *self._parts])
