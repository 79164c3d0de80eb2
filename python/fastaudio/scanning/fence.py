"""Which run may give tables to a scan's folder: once another has begun, what is left of an earlier one can't.

On a cluster, workers may go on for a while after the process that began their run was killed. So a folder
holds the mark of its run, and each table gets its name only while that mark is still there.
"""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from fastaudio._system.growing import kept
from fastaudio._system.writing import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_FILE = ".scan.run"
_WAIT_S = 60.0  # for those who give a table its name just now
_LONGEST = 1000


class Followed(OutputError):  # noqa: N818  # named for what happened
    """Another run has begun in the folder."""


def begin(folder: Path) -> str:
    """Make a new run the folder's own, and return its mark.

    Raises:
        OutputError: the folder can't be written into.
    """
    with kept(str(folder / _FILE), str(folder), wait_s=_WAIT_S) as file:
        return _marked(file, "scan")


def join(folder: Path, run: str, hold: Callable[[], bool]) -> str:
    """Take part in a run that several processes share, begin it if none has, and return its mark.

    `hold` holds the folder for this process, and tells whether nobody held it before. It is called while no
    other process joins or begins a run.

    Raises:
        OutputError: the folder can't be written into, or processes of another run hold it.
    """
    with kept(str(folder / _FILE), str(folder), wait_s=_WAIT_S) as file:
        alone, mark = hold(), file.read(_LONGEST).decode("utf-8", "replace")
        if mark.startswith(f"{run} "):
            return mark
        if not alone:
            raise OutputError(
                f"{folder}: expected no other run with this output, got {mark.rpartition(' ')[0]:.80}; wait "
                "for it, or choose another folder"
            )
        return _marked(file, run)


def _marked(file: BinaryIO, run: str) -> str:
    """Write a new mark into the file, and return it."""
    mark = f"{run} {secrets.token_hex(8)}"
    file.seek(0)
    file.truncate()
    file.write(mark.encode())
    file.flush()
    os.fsync(file.fileno())
    return mark


@contextmanager
def held(folder: Path, mark: str, *, alone: bool = False) -> Iterator[None]:
    """Have no other run begin within this block; with `alone`, nothing else of this run be in one either.

    Raises:
        Followed: another run has begun since this one got its mark.
    """
    with kept(str(folder / _FILE), str(folder), shared=not alone, wait_s=_WAIT_S) as file:
        if file.read(_LONGEST).decode("utf-8", "replace") != mark:
            raise Followed(
                f"{folder}: expected this run's folder, got one in which another run has begun; wait for that"
            )
        yield
