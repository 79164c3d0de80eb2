"""Saving the sound around each event of a live stream."""

from __future__ import annotations

import io
import math
import os
import re
import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import FastaudioError
from fastaudio._system.writing import OutputError, check_folder, writing
from fastaudio.cli.arguments import seconds
from fastaudio.cli.terminal import complain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from datetime import datetime

    from numpy.typing import NDArray

    from fastaudio.events import Event

_BEFORE_S, _AFTER_S = 3.0, 5.0
LONGEST_S = 120.0
"""A clip holds the last seconds of an event that is longer."""
_MOST_BYTES = 1 << 30
_UNSAFE = re.compile(r"[^\w.-]+")
_LONGEST_NAME = 160  # bytes of a label in a name, of which file systems take 255
_FULL_SCALE = np.float32(1 / 32768)


def add_clips_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which sound to save."""
    group = parser.add_argument_group("clips")
    group.add_argument(
        "--clips", metavar="FOLDER", help="save the sound of each event as a .flac file; implies --events"
    )
    for name, default in (("before", _BEFORE_S), ("after", _AFTER_S)):
        text = f"seconds of sound {name} the event to save too ({default:g}, at most {LONGEST_S / 2:g})"
        group.add_argument(f"--{name}", type=seconds, default=default, metavar="S", help=text)


class Clips:
    """Keeps the latest sound, and saves that of events once it is all there.

    Attributes:
        failed: whether a clip couldn't be saved.
    """

    def __init__(
        self,
        folder: str,
        sample_rate: int,
        channels: int,
        *,
        before_s: float,
        after_s: float,
        waiting_s: float,
    ) -> None:
        """Make the folder.

        Args:
            folder: where to save.
            sample_rate: in Hz.
            channels: how many the sound has.
            before_s: seconds of sound before an event to save too.
            after_s: seconds after it.
            waiting_s: how late results may come after their sound.

        Raises:
            ValueError: too much sound before or after, or sound of too many channels to keep.
            OutputError: the folder can't be made or written into.
        """
        for name, value in (("before", before_s), ("after", after_s)):
            if value > LONGEST_S / 2:
                raise ValueError(
                    f"--{name}: expected at most {LONGEST_S / 2:g} seconds, got {value:g}; take less"
                )
        kept_s = LONGEST_S + waiting_s
        if kept_s * sample_rate * channels * 4 > _MOST_BYTES:
            raise ValueError(
                f"--clips: expected sound that takes at most 1 GiB in {kept_s:g} s, got {channels} channels "
                f"at {sample_rate} Hz; choose fewer channels or a lower rate"
            )
        check_folder(folder)
        Path(folder).mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._rate = sample_rate
        self._before, self._after = round(before_s * sample_rate), round(after_s * sample_rate)
        self._longest = round(LONGEST_S * sample_rate)
        self._kept = self._longest + round(waiting_s * sample_rate)
        self._blocks: deque[tuple[int, NDArray[Any]]] = deque()
        self._end = 0
        self._wanted: list[tuple[int, int, str, datetime]] = []
        self._lock = threading.Lock()  # a source's thread brings sound
        self.failed = False

    def lose(self, n: int, say: Callable[[str], None] | None = None) -> None:
        """Take note of `n` samples that were lost."""
        del say
        with self._lock:
            self._end += n

    def write(self, samples: NDArray[Any], say: Callable[[str], None] | None = None) -> None:
        """Take a block like those that `LiveStream.push` takes."""
        del say
        if not len(samples):  # as long as a source is lost
            return
        with self._lock:
            self._blocks.append((self._end, samples.copy()))
            self._end += len(samples)
            while self._blocks[0][0] + len(self._blocks[0][1]) < self._end - self._kept:
                self._blocks.popleft()

    def want(self, event: Event, time_of: Callable[[float], datetime]) -> None:
        """Save the sound of an event that has ended, once what comes after it is there."""
        if event.end_s is None:
            return
        end = math.ceil(event.end_s * self._rate) + self._after
        first = max(0, round(event.start_s * self._rate) - self._before, end - self._longest)
        self._wanted.append((first, end, event.label, time_of(event.start_s)))

    def save(self, *, all_: bool = False) -> None:
        """Save the clips whose sound is there; with `all_`, the others as far as it goes."""
        ready = [each for each in self._wanted if all_ or each[1] <= self._end]
        self._wanted = [each for each in self._wanted if each not in ready]
        for first, end, label, moment in ready:
            self._try_to_save(self._sound(first, end), label, moment)

    def _try_to_save(self, sound: NDArray[Any], label: str, moment: datetime) -> None:
        try:
            self._save(sound, label, moment)
        except (FastaudioError, OSError) as error:
            if not self.failed:
                complain(f"--clips: {error}; listening goes on")
            self.failed = True

    def _sound(self, first: int, end: int) -> NDArray[Any]:
        """Return the samples of that stretch; what was lost is silence."""
        with self._lock:
            blocks = [(at, block) for at, block in self._blocks if at < end and at + len(block) > first]
            end = min(end, self._end)
        if not blocks:
            return np.zeros(0, np.float32)
        first = max(first, blocks[0][0])
        sound = np.zeros((end - first, *blocks[0][1].shape[1:]), np.float32)
        for at, block in blocks:
            part = block[max(first - at, 0) : end - at]
            scaled = part * _FULL_SCALE if part.dtype == np.int16 else part
            sound[max(at - first, 0) :][: len(part)] = scaled
        return sound

    def _save(self, sound: NDArray[Any], label: str, moment: datetime) -> None:
        if not len(sound):
            return
        import soundfile  # noqa: PLC0415  # loads libsndfile, so only where clips are saved

        file = io.BytesIO()
        soundfile.write(file, sound, self._rate, format="FLAC", subtype="PCM_24")
        # A time in a name without a zone is local.
        name = _UNSAFE.sub("_", label)[:80].encode("utf-8")[:_LONGEST_NAME].decode("utf-8", "ignore")
        stem = f"{moment.astimezone():%Y%m%d_%H%M%S}_{name}"
        places = (Path(self._folder, f"{stem}{'' if n == 1 else f'_{n}'}.flac") for n in range(1, 10_000))
        for free in (place for place in places if not os.path.lexists(place)):
            try:
                with writing(free, force=False) as out:
                    out.write(file.getvalue())
            except OutputError:  # noqa: PERF203
                if not os.path.lexists(free):  # else another run was first
                    raise
            else:
                return
