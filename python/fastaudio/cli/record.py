"""Recording the sound of a live stream to a file, or to one file after another."""

from __future__ import annotations

import argparse
import io
import math
import os
import re
import threading
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import FastaudioError
from fastaudio._system.growing import Growing
from fastaudio._system.text import printable
from fastaudio._system.writing import check_writable, is_stream
from fastaudio.cli.terminal import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray


# A .wav file is RF64 from 4 GiB on, and plain WAV until then.
_FORMATS = {".wav": "RF64", ".w64": "W64", ".flac": "FLAC"}
_BITS = (16, 24)
_SILENCE = 1 << 16
_TRIED_BYTES = 1 << 20  # more than libsndfile writes at once
_LONG_GAP_S = 1.0
_LONGEST_SILENCE_S = 60.0  # hours of it would hold up the sound that comes next, and fill the disk
_DURATION = re.compile(
    r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m(?:in)?)?(?:(?P<s>\d+(?:\.\d+)?)s?)?"
)

# libsndfile's numbers for what soundfile has no word for.
_UPDATE_HEADER_NOW, _RF64_AUTO_DOWNGRADE = 0x1060, 0x1210


class RecordError(FastaudioError, OSError):
    """A recording can't be made."""


def add_record_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how to record."""
    group = parser.add_argument_group("recording")
    group.add_argument("--record", metavar="FILE", help="record the sound to a .flac, .wav or .w64 file")
    group.add_argument(
        "--record-bits", type=int, choices=_BITS, default=24, metavar="N", help="16 or %(default)s bits"
    )
    group.add_argument(
        "--record-every",
        type=duration,
        metavar="TIME",
        help="begin another file after 1h, 30m or 90s; each name ends with a time: rec_20261128_131500.flac",
    )


def duration(text: str) -> float:
    """Return a length of time such as 1h, 30m, 1h30m or 90, in seconds; at least one."""
    match = _DURATION.fullmatch(text)
    parts = match.groupdict() if match else {}
    total_s = sum(float(parts.get(unit) or 0) * scale for unit, scale in (("h", 3600), ("m", 60), ("s", 1)))
    if not 1 <= total_s < math.inf:
        raise argparse.ArgumentTypeError(f"expected a time of at least 1s, such as 1h or 30m, got {text}")
    return total_s


class Recorder:
    """Writes samples to a file, and silence for lost ones, so that times stay right.

    After more than a minute of lost sound, or a second with `every_s`, another file begins, whose name ends
    with its time. A file appears with its first sample, so nothing is replaced if none comes. It grows
    under its own name, and its header is brought up to date every second: whatever ends the program, what
    was heard can be read. Nothing is overwritten unless that is forced; then the old file stays until a
    second of sound is written, or all of it. When a file can't be written any more, it says so once and
    records no more until the next file is due. Any thread may call.

    Attributes:
        failed: whether a part of the sound couldn't be recorded.
    """

    def __init__(
        self,
        path: str,
        sample_rate: int,
        channels: int,
        limit: int | None = None,
        *,
        bits: int = 24,
        every_s: float | None = None,
        force: bool = False,
        inputs: Iterable[str] = (),
        started: datetime | None = None,
    ) -> None:
        """Prepare a file for at most `limit` samples per channel; None for no limit.

        Args:
            path: the file; with `every_s`, what the names of the files are made of.
            sample_rate: in Hz.
            channels: how many.
            limit: samples per channel after which it is complete.
            bits: per sample.
            every_s: seconds of sound after which another file begins.
            force: whether a file that is there is replaced.
            inputs: files that the sound comes from.
            started: when the first sample was recorded, for names; None for sound that is heard now.

        Raises:
            ValueError: the file has another suffix.
            OutputError: it is an input, it is there, or its folder is missing.
            RecordError: it can't be written.
        """
        import soundfile  # noqa: PLC0415  # loads libsndfile, so only when recording

        suffix = Path(path).suffix.lower()
        if suffix not in _FORMATS:
            raise ValueError(f"--record: expected the name of a .flac, .wav or .w64 file, got {path}")
        self._soundfile: Any = soundfile
        self._how = {"format": _FORMATS[suffix], "subtype": f"PCM_{bits}"}
        self._path = path
        self._rate, self._channels = sample_rate, channels
        self._force = force
        self._started = started
        self._period = None if every_s is None else max(1, round(every_s * sample_rate))
        self._left = limit
        self._n_heard = 0
        self._n_in_file = 0
        self._n_safe = 0
        self._file: Any = None
        self._kept = -1
        self._new: Growing
        self._whole_bytes = self._empty_bytes = 0
        self._begun = self._closed = self.failed = False
        self._n_files = 0
        self._lock = threading.RLock()  # a source's thread may still bring sound while it is closed
        check_writable(path, force=force or every_s is not None, inputs=inputs)
        with self._errors_named(path):
            if every_s is None and is_stream(path):
                raise OSError("not a file")
            soundfile.SoundFile(io.BytesIO(), "w", sample_rate, channels, **self._how).close()

    def write(self, samples: NDArray[Any], say: Callable[[str], None] | None = None) -> None:
        """Write a block like those that `LiveStream.push` takes; `say` what goes wrong.

        After `close` nothing is written.
        """
        with self._lock:
            if not self._closed:
                self._record(samples, say)

    def _record(self, samples: NDArray[Any], say: Callable[[str], None] | None) -> None:
        samples = samples[: self._left]
        if self._left is not None:
            self._left -= len(samples)
        while len(samples):
            part = samples if self._period is None else samples[: self._period - self._n_in_file]
            try:
                self._write(part, len(samples))
            except RecordError as error:
                self._fail(error, say)
            self._n_heard += len(part)
            self._n_in_file += len(part)
            if self._n_in_file == self._period:
                self._end_file(say)
            samples = samples[len(part) :]

    def lose(self, n: int, say: Callable[[str], None] | None = None) -> None:
        """Write silence for `n` samples that were lost, or begin another file; `say` so."""
        with self._lock:
            if not self._closed:
                self._lose(n, say or _to_stderr)

    def _lose(self, n: int, say: Callable[[str], None]) -> None:
        n = n if self._left is None else min(n, self._left)
        longest_s = _LONGEST_SILENCE_S if self._period is None else _LONG_GAP_S
        if n > longest_s * self._rate:
            say(f"fastaudio: {self._path}: {n / self._rate:.3f} s of sound lost: another file begins")
            self._end_file(say)
            self._begun = False
            self._n_heard += n
            self._left = None if self._left is None else self._left - n
            n = 0
        elif n:
            at_s, lost_s = self._n_heard / self._rate, n / self._rate
            say(f"fastaudio: {self._path}: {lost_s:.3f} s of sound lost at {at_s:.3f} s: silence there")
        while n > 0:
            part = min(n, _SILENCE)
            self._record(np.zeros((part, self._channels), np.float32), say)
            n -= part

    def close(self) -> None:
        """Complete the header and close the file, once a write that goes on has ended."""
        with self._lock:
            self._closed = True
            self._end_file(None)

    def _write(self, samples: NDArray[Any], n_waiting: int) -> None:
        """Write samples, which are the first of `n_waiting` that have just come."""
        if not self._begun:
            first = self._period is None and self._n_files == 0
            self._open(self._path if first else self._free_name(n_waiting))
        if self._file is None:  # it failed before
            return
        with self._errors_named(self._name):
            n = self._n_in_file + len(samples)
            if not self._empty_bytes:  # with one sample, a file is its header
                self._file.write(samples[:1])
                self._empty_bytes = os.fstat(self._kept).st_size
                samples = samples[1:]
            self._file.write(samples)
            self._whole_bytes = os.fstat(self._kept).st_size
            if n - self._n_safe >= self._rate:
                self._command(_UPDATE_HEADER_NOW)
                self._n_safe = n
                if self._whole_bytes > self._empty_bytes:
                    self._new.take_place()

    def _open(self, path: str) -> None:
        self._begun, self._n_in_file, self._n_safe = True, 0, 0
        self._n_files += 1
        self._name = path
        self._whole_bytes = self._empty_bytes = 0
        with self._errors_named(path):
            self._new = Growing(path, force=self._force)
            descriptor = self._new.descriptor
            self._kept = os.dup(descriptor)  # stays when libsndfile closes its own
            try:
                self._file = self._soundfile.SoundFile(
                    descriptor, "w", self._rate, self._channels, closefd=True, **self._how
                )
            except BaseException:
                with suppress(OSError):
                    os.close(descriptor)
                raise
            self._command(_RF64_AUTO_DOWNGRADE)

    def _leave(self) -> None:
        """Let go of a file that libsndfile has closed, and of it altogether if it didn't take its place."""
        kept, self._kept = self._kept, -1
        if kept >= 0:
            os.close(kept)
            self._new.end()

    def _command(self, number: int) -> None:
        library = self._soundfile
        library._snd.sf_command(self._file._file, number, library._ffi.NULL, 1)  # noqa: SLF001

    def _end_file(self, say: Callable[[str], None] | None) -> None:
        """Close the file; with a period, the next sample begins another."""
        file, self._file = self._file, None
        self._begun, self._n_in_file = self._period is None, 0
        if file is None:
            self._leave()
            return
        try:
            with self._errors_named(self._name):
                file.close()
                self._new.take_place()
        except RecordError as error:
            self._fail(error, say)
        self._leave()

    def _fail(self, error: RecordError, say: Callable[[str], None] | None) -> None:
        self.failed = True
        file, self._file = self._file, None
        if file is not None:
            with suppress(self._soundfile.SoundFileError, OSError):
                file.close()
        stays = ""
        if self._kept >= 0:
            if self._how["format"] == "FLAC":  # a piece of a frame spoils the whole ones for some readers
                with suppress(OSError):
                    os.ftruncate(self._kept, self._whole_bytes)
            if not self._new.in_place:
                stays = ", and the old file stays"
            elif not self._whole_bytes:
                self._new.drop()
            self._leave()
        until = "recording goes on with the next file" if self._period else "listening goes on"
        text = f"fastaudio: {error}{stays}; {until}"
        (say or _to_stderr)(text)

    def _free_name(self, n: int) -> str:
        """Return a free name that ends with the time of the first of `n` samples that have just come."""
        if self._started is None:
            moment = datetime.now().astimezone() - timedelta(seconds=n / self._rate)
        else:
            moment = self._started + timedelta(seconds=self._n_heard / self._rate)
        path = Path(self._path)
        # A time in a name without a zone is local.
        stem = f"{path.stem}_{moment.astimezone():%Y%m%d_%H%M%S}"
        names = (path.with_name(f"{stem}{'' if n == 1 else f'_{n}'}{path.suffix}") for n in range(1, 10_000))
        return str(next((name for name in names if not os.path.lexists(name)), path.with_name(stem)))

    @contextmanager
    def _errors_named(self, path: str) -> Iterator[None]:
        """Turn what soundfile raises into RecordError; it asserts that all was written."""
        try:
            yield
        except (self._soundfile.SoundFileError, OSError, AssertionError) as error:
            strerror = error.strerror if isinstance(error, OSError) else self._refusal()
            reason = strerror or str(error).rpartition(": ")[2].rstrip(".")
            if reason in {"", "System error"}:  # libsndfile doesn't say more
                reason = "the system refused to write; is the disk full?"
            raise RecordError(
                f"--record: expected a file that can be written, got {path} ({reason})"
            ) from error

    def _refusal(self) -> str | None:
        """Return why the system lets nothing more be written to the file; None if it does, or none is open.

        libsndfile doesn't say, or names a decoder instead.
        """
        if self._kept < 0 or not hasattr(os, "pwrite"):
            return None
        refused = None
        with suppress(OSError):
            n_bytes = os.fstat(self._kept).st_size
            try:
                for at in range(n_bytes, n_bytes + _TRIED_BYTES, _SILENCE):
                    os.pwrite(self._kept, bytes(_SILENCE), at)
            except OSError as error:
                refused = error.strerror
            os.ftruncate(self._kept, n_bytes)
        return refused


def _to_stderr(text: str) -> None:
    tell(printable(text) + "\n")
