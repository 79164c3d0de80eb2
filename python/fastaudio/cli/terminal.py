"""The standard streams: whatever is at their other end, or nothing at all."""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

from fastaudio._system.writing import OutputError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_LONGEST = 1500  # characters of a message: a screen has 24 lines of 80
_END = 300
_STDERR = 2
# Control characters, line and paragraph separators, changes of direction, bytes that aren't UTF-8.
_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class _Closed(io.TextIOBase):
    """Stands for a stdout that was closed before the program began."""

    def write(self, _: str) -> NoReturn:
        raise OutputError(
            "stdout: expected a stream that is open, got a closed one; open it, or give --output FILE"
        )


def prepare_streams() -> None:
    """Make the standard streams fit to be used: closed ones, and those that lack characters."""
    # Else the next file that is opened would get a closed one's number, and what is printed there.
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(number)
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
        sys.stdout.write("")
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  # for good


@contextmanager
def only_our_words() -> Iterator[None]:
    """Keep off stderr what libraries print there by themselves, as mpg123 does about damaged MP3.

    Python's own stderr goes on to the same place; only the number that C libraries know leads nowhere.
    """
    before = sys.stderr
    try:
        at_terminal = before.fileno() == _STDERR
    except (OSError, ValueError):
        at_terminal = False  # it was replaced
    before.flush()
    kept = os.dup(_STDERR)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, _STDERR)
        if at_terminal:
            sys.stderr = open(  # noqa: SIM115  # closed below
                kept, "w", encoding=before.encoding, errors=before.errors, buffering=1, closefd=False
            )
        yield
    finally:
        if at_terminal:
            with suppress(OSError):  # nobody reads it, or its disk is full
                sys.stderr.flush()
            sys.stderr = before
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(null)


def drop_stdout() -> None:
    """Let what is still to be written to stdout go nowhere, since writing there fails."""
    with suppress(OSError, ValueError):  # it is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def encoded(text: str) -> bytes:
    r"""Return UTF-8; half a pair of surrogates, which it has no form for, is spelled `\ud800`, as in JSON."""
    return text.encode("utf-8", "backslashreplace")


def spelled(name: str) -> str:
    r"""Return a file's name as text for every reader: its bytes as UTF-8, those that aren't like `\xff`.

    The locale makes no difference.
    """
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = encoded(name)
    return raw.decode("utf-8", "backslashreplace")


def put(text: str) -> None:
    """Write data to stdout: UTF-8 with plain line ends, whatever the terminal's encoding."""
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:  # replaced by something that takes text
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    buffer.write(encoded(text))
    buffer.flush()


def printable(text: str, *, lines: bool = False) -> str:
    """Return text that a terminal only shows: characters that would control it are escaped.

    Args:
        text: such as a label, or a file's name.
        lines: whether line ends stay as they are.
    """
    text = _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), spelled(text))
    return text if lines else text.replace("\n", "\\n")


def complain(message: str) -> None:
    """Write a message of at most a screen to stderr, with the program's name before it."""
    if len(message) > _LONGEST:
        message = f"{message[: _LONGEST - _END]} ... {message[-_END:]}"
    tell(f"fastaudio: {printable(message, lines=True)}\n")


def tell(text: str) -> None:
    """Write to stderr; work goes on if nobody reads it, or if its disk is full."""
    with suppress(OSError):
        sys.stderr.write(text)
