"""Saving the sound around each event of a live stream."""

from __future__ import annotations

import io
import math
import os
import re
import threading
from collections import deque
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._system.writing import OutputError, check_folder, writing
from fastaudio.cli.arguments import positive, seconds
from fastaudio.cli.clips_room import ClipsRoom
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
_MOST_UNSAVED = 200_000_000  # bytes of sound that waits for the disk; one clip may be more
_HEADER = 1 << 14
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
    group.add_argument(
        "--clips-mb",
        type=positive,
        metavar="MB",
        help="room for clips in the folder, in MB of 10^6 bytes: the oldest of it are deleted beyond that",
    )


class Clips:
    """Keeps the latest sound, and saves that of events once it is all there.

    A thread writes the files, so that who brings sound never waits for the disk; of more than some clips that
    wait for it, the last are dropped, and said.

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
        most_mb: int | None = None,
    ) -> None:
        """Make the folder.

        Args:
            folder: where to save.
            sample_rate: in Hz.
            channels: how many the sound has.
            before_s: seconds of sound before an event to save too.
            after_s: seconds after it.
            waiting_s: how late results may come after their sound.
            most_mb: room for clips in the folder, in MB; the oldest are deleted beyond it. None for any.

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
        self._room = None if most_mb is None else ClipsRoom(Path(folder), most_mb * 1_000_000)
        self._unsaved: SimpleQueue[tuple[NDArray[Any], str, datetime] | None] = SimpleQueue()
        self._n_waiting = 0  # bytes
        self._room_made = threading.Condition()
        self._writer: threading.Thread | None = None
        self._n_dropped = 0
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
        """Have the clips saved whose sound is there; with `all_`, the others as far as it goes."""
        ready = [each for each in self._wanted if all_ or each[1] <= self._end]
        self._wanted = [each for each in self._wanted if each not in ready]
        for first, end, label, moment in ready:
            self._hand_over(self._sound(first, end), label, moment, wait=all_)

    def close(self) -> None:
        """Wait until all clips are saved."""
        if self._writer is not None:
            self._unsaved.put(None)
            self._writer.join()
            self._writer = None
        if self._n_dropped > 1:
            complain(f"--clips: {self._n_dropped} clips were dropped")
        self._n_dropped = 0

    def _hand_over(self, sound: NDArray[Any], label: str, moment: datetime, *, wait: bool) -> None:
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="fastaudio-clips", daemon=True)
            self._writer.start()
        with self._room_made:
            while wait and self._n_waiting > _MOST_UNSAVED:
                self._room_made.wait()
            if fits := self._n_waiting <= _MOST_UNSAVED:
                self._n_waiting += sound.nbytes
        if fits:
            self._unsaved.put((sound, label, moment))
            return
        self.failed = True
        self._n_dropped += 1
        if self._n_dropped == 1:
            mb = self._n_waiting // 1_000_000
            complain(
                f"--clips: the disk is too slow: {mb} MB of sound wait for it, and other clips are dropped"
            )

    def _write(self) -> None:
        while (clip := self._unsaved.get()) is not None:
            self._try_to_save(*clip)
            with self._room_made:
                self._n_waiting -= clip[0].nbytes
                self._room_made.notify_all()

    def _try_to_save(self, sound: NDArray[Any], label: str, moment: datetime) -> None:
        try:
            self._save(sound, label, moment)
        except Exception as error:  # noqa: BLE001  # whatever a library raises: the thread goes on
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

        if self._room is not None and not self._room.make(_HEADER + sound.size * 3):
            mb = sound.size * 3 // 1_000_000 + 1
            raise OutputError(
                f"{self._folder}: expected room for a clip of {mb} MB, got less; give more by --clips-mb"
            )
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
                if self._room is not None:
                    self._room.took(free)
            except OutputError:
                if not os.path.lexists(free):  # else another run was first
                    raise
            else:
                return
