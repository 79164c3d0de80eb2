"""The standard streams: whatever is at their other end, or nothing at all."""

from __future__ import annotations

import io
import logging
import os
import sys
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn, TextIO

from fastaudio._system.text import encoded, indented, printable
from fastaudio._system.writing import OutputError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

_LONGEST = 1500  # characters of a message: a screen has 24 lines of 80
_END = 300
_STDOUT, _STDERR = 1, 2


class _Closed(io.TextIOBase):
    """Stands for a stdout that was closed before the program began."""

    def write(self, _: str) -> NoReturn:
        raise OutputError("stdout: expected a stream that is open, got a closed one; open it")


def prepare_streams() -> None:
    """Make the standard streams fit to be used: closed ones, and those that lack characters."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # for good
    if sys.stdout is None:
        sys.stdout = _Closed()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def prepare_stdout(args: argparse.Namespace) -> None:
    """Refuse a closed stdout before the work, unless the results go into a file: then nothing is printed.

    Raises:
        OutputError: the results would go to it.
    """
    if not isinstance(sys.stdout, _Closed):
        return
    if not getattr(args, "output", None) and not getattr(args, "record", None):
        if not hasattr(args, "output"):
            sys.stdout.write("")
        raise OutputError(
            "stdout: expected a stream that is open, got a closed one; open it, or give --output FILE"
        )
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # for good


@contextmanager
def only_our_words(*, verbose: bool) -> Iterator[None]:
    """Keep off the standard streams what libraries print there by themselves, as decoders do about damage.

    Python's own streams go on to the same places; only the numbers that C libraries know lead nowhere, or to
    stderr if `verbose`.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    with ExitStack() as stack:
        stack.callback(os.close, null)
        if not verbose:
            stack.enter_context(_moved("stderr", _STDERR, null, null))
        stack.enter_context(_moved("stdout", _STDOUT, _STDERR if verbose else null, null))
        yield
        sys.stdout.flush()


@contextmanager
def _moved(name: str, number: int, place: int, null: int) -> Iterator[None]:
    """Move one of Python's streams to another number, and let its usual number lead to a place."""
    before = getattr(sys, name)
    try:
        ours = before.fileno() == number
    except (OSError, ValueError):
        ours = False  # it was replaced
    if name == "stderr":
        flush_stderr()
    else:
        before.flush()
    kept = os.dup(number)
    moved: TextIO | None = None
    try:
        os.dup2(place, number)
        if ours:
            moved = open(  # noqa: SIM115  # closed below
                kept, "w", encoding=before.encoding, errors=before.errors, closefd=False
            )
            # What wrote each character at once, as with PYTHONUNBUFFERED, writes each line at once.
            moved.reconfigure(line_buffering=before.line_buffering or before.write_through)
            setattr(sys, name, moved)
        yield
    finally:
        _flush_libraries()
        if moved is not None:
            setattr(sys, name, before)
            with suppress(OSError):  # nobody reads it, or its disk is full: the rest goes nowhere
                moved.flush()
        os.dup2(kept, number)
        if moved is not None:
            os.dup2(null, kept)
            moved.close()
        os.close(kept)


def _flush_libraries() -> None:
    """Let C libraries write what they have printed so far, before its place is put back."""
    import ctypes  # noqa: PLC0415  # numpy has loaded it

    with suppress(OSError, AttributeError):
        ctypes.CDLL("ucrtbase" if os.name == "nt" else None).fflush(None)


def terminal_size() -> tuple[int, int]:
    """Return the columns and rows of the terminal that stdout is, or else those of COLUMNS and LINES, or 0.

    It is asked at the number that it has now, and before the variables, which don't follow a resize.
    """
    with suppress(OSError, ValueError, AttributeError):
        size = os.get_terminal_size(sys.stdout.fileno())
        if size.columns and size.lines:
            return size.columns, size.lines
    import shutil  # noqa: PLC0415  # most runs ask no further than this

    size = shutil.get_terminal_size((0, 0))
    return size.columns, size.lines


def drop_stdout() -> None:
    """Let what is still to be written to stdout go nowhere, since writing there fails."""
    with suppress(OSError, ValueError):  # it is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def put(text: str) -> None:
    """Write data to stdout: UTF-8 with plain line ends, whatever the terminal's encoding.

    A terminal isn't controlled by it; pipes and files get it as it is.
    """
    if sys.stdout.isatty():
        text = "\t".join(printable(cell, lines=True) for cell in text.split("\t"))
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:  # replaced by something that takes text
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    buffer.write(encoded(text))
    buffer.flush()


def complain(message: str) -> None:
    """Write a message of at most a screen to stderr, with the program's name before it."""
    if len(message) > _LONGEST:
        message = f"{message[: _LONGEST - _END]} ... {message[-_END:]}"
    tell(f"fastaudio: {indented(message)}\n")


class Log(logging.Handler):
    """Writes what is logged to stderr, wherever that leads then."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message."""
        tell(printable(self.format(record), lines=True) + "\n")


_above: list[Callable[[str], None]] = []


@contextmanager
def told_above(write: Callable[[str], None]) -> Iterator[None]:
    """Let `write` show what `tell` is given, as a screen does that would be torn by it."""
    _above.append(write)
    try:
        yield
    finally:
        _above.remove(write)


def tell(text: str) -> None:
    """Write to stderr; work goes on if nobody reads it, or if its disk is full."""
    with suppress(OSError):
        if _above:
            _above[-1](text)
        else:
            sys.stderr.write(text)


def flush_stderr() -> None:
    """Write what stderr still holds; nothing more if nobody reads it, or if its disk is full."""
    with suppress(OSError, ValueError):
        if sys.stderr is not None:
            sys.stderr.flush()
