"""What an unfinished run has done already, kept beside its output so that --resume can go on.

The file OUTPUT.part holds a line of JSON that says what is run and how, then a record for each input that
succeeded: a line of JSON (its name, size and time of change, the length of what follows and its CRC), and
what it gave, as bytes. Records are only ever added, so whatever ends a run, all but the last are whole; a
torn one is dropped.
"""

from __future__ import annotations

import json
import os
import stat
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._system.growing import kept
from fastaudio._system.text import printable
from fastaudio._system.writing import OutputError, full_disk
from fastaudio.cli.terminal import complain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from io import BufferedRandom
    from typing import BinaryIO, TypeAlias

    Check: TypeAlias = Callable[[str, "Part"], object]

SCHEMA = "fastaudio.unfinished/1"
SUFFIX = ".part"

_HEAD = b'{"schema": "fastaudio.unfinished/'
_LONGEST = 1 << 24  # of a line
_CHUNK = 1 << 22  # bytes that are read at once


@dataclass(frozen=True)
class _Record:
    stamp: list[int] | None
    start: int
    n_bytes: int
    failed: bool


class Part:
    """What an input gave, read piece by piece."""

    def __init__(self, file: BufferedRandom, record: _Record) -> None:
        self._file = file
        self._at, self._end = record.start, record.start + record.n_bytes

    def read(self, n_bytes: int | None = None) -> bytes:
        """Return the next bytes, at most so many; all that are left if None."""
        left = self._end - self._at
        self._file.seek(self._at)
        content = self._file.read(left if n_bytes is None else min(n_bytes, left))
        self._at += len(content)
        return content

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return self._end - self._at


class Unfinished:
    """The open file of a run; see `unfinished`."""

    def __init__(self, file: BufferedRandom, path: str) -> None:
        self._file = file
        self._path = path
        self._records: dict[str, _Record] = {}
        self._stamps: dict[str, list[int] | None] = {}  # of inputs, before they were read

    def begin(self, about: Mapping[str, Any]) -> None:
        """Write the first line of a new file."""
        self._append(_line({"schema": SCHEMA, "about": about}))

    def read(self) -> Mapping[str, Any] | None:
        """Read up to the last whole record, and drop the rest; return what the run was, None if it is new.

        Raises:
            OutputError: the file is no unfinished run's.
        """
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        head = self._file.read(len(_HEAD))
        if not _HEAD.startswith(head):
            raise OutputError(f"{self._path}: expected an unfinished run, got another file; move it away")
        self._file.seek(0)
        about = self._line().get("about")
        if not isinstance(about, dict):  # it ended before the first line did
            return None
        whole = self._file.tell()
        while (record := self._record(size)) is not None:
            self._records[record[0]] = record[1]
            whole = self._file.tell()
        self._file.truncate(whole)
        return about

    def add(self, name: str, content: bytes, *, failed: bool = False) -> None:
        """Keep what an input gave; one that `failed` is run again by --resume."""
        self._add(name, [content], failed=failed)

    def add_file(self, name: str, file: BinaryIO) -> None:
        """Keep what an input gave, which is all of `file`: it may be larger than the memory."""
        self._add(name, _Chunks(file))

    def _add(self, name: str, chunks: Iterable[bytes], *, failed: bool = False) -> None:
        stamp, n_bytes, crc = self._stamp(name), 0, 0
        for chunk in chunks:
            n_bytes, crc = n_bytes + len(chunk), zlib.crc32(chunk, crc)
        line = {"name": name, "stamp": stamp, "bytes": n_bytes, "crc": crc, "failed": failed}
        start = self._append(_line(line), chunks)
        self._records[name] = _Record(stamp, start, n_bytes, failed)

    def has(self, name: str) -> bool:
        """Tell whether an input is done, and was not changed since."""
        stamp, record = self._stamp(name), self._records.get(name)
        return bool(record and not record.failed and stamp and record.stamp == stamp)

    def pieces(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield what each input gave, with its name, in the order of `names`; those without are left out."""
        for name in names:
            if (record := self._records.get(name)) is not None:
                yield name, Part(self._file, record).read()

    def parts(self, names: Sequence[str]) -> Iterator[tuple[str, Part]]:
        """Yield the same, to be read piece by piece."""
        for name in names:
            if (record := self._records.get(name)) is not None:
                yield name, Part(self._file, record)

    def drop_others(self, names: Sequence[str], check: Check) -> None:
        """Forget what must be run again, and inputs that are no longer given; keep count of the others."""
        self._records = {name: self._records[name] for name in set(names) if self.has(name)}
        for name, part in self.parts(list(self._records)):
            try:
                check(name, part)
            except ValueError as error:  # each is judged by itself
                complain(f"{self._path}: expected what {printable(name)} gave, got {error}; it is done again")
                del self._records[name]

    def lacks(self, names: Sequence[str]) -> list[str]:
        """Return the inputs that gave nothing, or failed."""
        records = {name: self._records.get(name) for name in names}
        return [name for name, record in records.items() if record is None or record.failed]

    def __len__(self) -> int:
        return len(self._records)

    def remove(self, path: str) -> None:
        """Close and remove the file."""
        if os.name != "nt":  # there, an open file can't be removed; here, a closed one might be another run's
            Path(path).unlink(missing_ok=True)
        self._file.close()
        if os.name == "nt":
            Path(path).unlink(missing_ok=True)

    def _stamp(self, name: str) -> list[int] | None:
        if name not in self._stamps:
            self._stamps[name] = _stamp(name)
        return self._stamps[name]

    def _append(self, line: bytes, chunks: Iterable[bytes] | None = None) -> int:
        """Write at the end; return where the content begins."""
        end = self._file.seek(0, os.SEEK_END)
        try:
            with full_disk(self._path):
                self._file.writelines((line,) if chunks is None else chain([line], chunks, [b"\n"]))
                self._file.flush()
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file.fileno(), end)
            self._file.raw.close()  # else closing the file would try again to write the rest
            raise
        return end + len(line)

    def _line(self) -> dict[str, Any]:
        """Return the next line; empty if it is torn or isn't one of ours."""
        line = self._file.readline(_LONGEST)
        if not line.endswith(b"\n"):
            return {}
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            return {}
        return data if isinstance(data, dict) else {}

    def _record(self, size: int) -> tuple[str, _Record] | None:
        data = self._line()
        name, n_bytes, start = data.get("name"), data.get("bytes"), self._file.tell()
        if not isinstance(name, str) or not isinstance(n_bytes, int) or not 0 <= n_bytes < size - start:
            return None
        crc, record = 0, _Record(data.get("stamp"), start, n_bytes, bool(data.get("failed")))
        part = Part(self._file, record)
        while chunk := part.read(_CHUNK):
            crc = zlib.crc32(chunk, crc)
        if crc != data.get("crc") or self._file.read(1) != b"\n":
            return None
        return name, record


class _Chunks:
    """A file's content in pieces, from its beginning each time."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK):
            yield chunk


def _check_text(_name: str, part: Part) -> None:
    try:
        part.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("bytes that are no UTF-8 text") from error


@contextmanager
def unfinished(
    output: str,
    about: Mapping[str, Any],
    names: Sequence[str],
    *,
    force: bool,
    resume: bool,
    check: Check = _check_text,
) -> Iterator[Unfinished]:
    """Open the file for a run that writes `output`; it is removed once all inputs are done.

    It stays after an error, or if an input failed while others are done, and stderr says so.

    Args:
        output: the run's output.
        about: what is run and how: a run goes on only where all of this is the same.
        names: the inputs.
        force: whether a new run may drop what an unfinished one has done.
        resume: whether to go on.
        check: raises a ValueError for what an input can't have given; that input is run again.

    Raises:
        OutputError: an unfinished run is there and neither `force` nor `resume` is given; it was another run;
            it is still running; the file can't be used.
    """
    path = os.path.realpath(output) + SUFFIX
    shown = output.rstrip("/" + os.sep) + SUFFIX
    with kept(path, shown) as file:
        run = Unfinished(file, shown)
        old = run.read()
        if len(run) and not resume and not force:
            raise OutputError(
                f"{shown}: expected no unfinished run, got one with {len(run)} files done; "
                "go on with --resume, or begin anew with --force"
            )
        if old is not None and resume:
            _require_same(shown, old, json.loads(json.dumps(about, default=str)))
            run.drop_others(names, check)
            complain(f"{len(run)} of {len(set(names))} files are done already")
        else:
            file.truncate(0)
            run, old = Unfinished(file, shown), None
        try:
            if old is None:
                run.begin(about)
            yield run
        except BaseException:
            if len(run):
                complain(
                    f"{len(run)} of {len(set(names))} files are done and kept in {shown}; "
                    "the same command with --resume goes on"
                )
            else:
                run.remove(path)
            raise
        if len(run) and (failed := run.lacks(names)):
            complain(
                f"{shown} keeps what is done; once {printable(failed[0])} can be read, "
                f"the same command with --resume runs only what failed ({len(failed)})"
            )
        else:
            run.remove(path)


def _require_same(shown: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    other = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    if other:
        was = ", ".join(f"{key} {_short(old.get(key))}" for key in other)
        now = ", ".join(f"{_short(new.get(key))}" for key in other)
        raise OutputError(
            f"--resume: expected what {shown} was begun with: {was}, got {now}; "
            "give the same, or begin anew with --force and without --resume"
        )


def _short(value: Any) -> str:
    return f"{value}"[:80]


def _stamp(name: str) -> list[int] | None:
    """Return what tells whether a file was changed; None if it is no file."""
    try:
        found = os.stat(name)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns] if stat.S_ISREG(found.st_mode) else None


def _line(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, default=str).encode("ascii") + b"\n"
