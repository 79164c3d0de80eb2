"""Text from cards, networks, files and paths, which could control a terminal, or is no UTF-8.

All that is shown of such text goes through `printable`; JSON, CSV and labels in Python hold it as it is.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

# Control characters, line and paragraph separators, changes of direction, bytes that aren't UTF-8.
_SPELLED = re.compile(r"\\x([89a-f][0-9a-f])")  # as `spelled` writes a byte that isn't UTF-8
_BACKSLASH = re.compile(r"\\(?!x[89a-f][0-9a-f])")
_SPELLED_BYTE = re.compile(_SPELLED.pattern.encode())
_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def encoded(text: str) -> bytes:
    r"""Return UTF-8; half a pair of surrogates, which it has no form for, is spelled `\ud800`, as in JSON."""
    return text.encode("utf-8", "backslashreplace")


def is_line(text: str) -> bool:
    """Tell whether a text is one line that can't control a terminal; it may have every letter and sign."""
    return "\n" not in text and _UNSAFE.search(text) is None


def spelled(name: str) -> str:
    r"""Return a file's name as text for every reader: its bytes as UTF-8, those that aren't like `\xff`.

    The locale makes no difference.
    """
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = encoded(name)
    return raw.decode("utf-8", "backslashreplace")


def found_as(name: str | os.PathLike[str]) -> str:
    r"""Return the path of a file that is there, by its own name or one that `spelled` gave.

    There \xff is that byte. The name as it is if there is no such file.
    """
    path = os.fspath(name)
    if not _SPELLED.search(path):
        return path
    with suppress(OSError, ValueError):  # a name that no file can have
        raw = _SPELLED_BYTE.sub(
            lambda match: bytes.fromhex(match[1].decode()), path.encode("utf-8", "surrogateescape")
        )
        other = os.fsdecode(raw)
        if not os.path.lexists(path) and os.path.lexists(other) and spelled(other) == path:
            return other
    return path


def folder_and_name(path: str) -> tuple[str, str]:
    r"""Return a path's folder and its last part, also of Windows' paths.

    The backslash of a byte that `spelled` gave, such as \xff, ends neither.
    """
    folder, slash, name = path.rpartition("/")
    if slash:
        return folder, name
    parts = _BACKSLASH.split(path)
    return path[: -len(parts[-1]) - 1] if len(parts) > 1 else "", parts[-1]


def listed(names: Collection[str], most: int = 10) -> str:
    """Return names for a message, separated by commas: the first of many, and the beginning of a long one."""
    shown = [f"{name:.60}" for name, _ in zip(names, range(most))]  # noqa: B905  # it stops at the shorter
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def printable(text: str, *, lines: bool = False) -> str:
    """Return text that a terminal only shows: characters that would control it are escaped.

    Args:
        text: such as a label, or a file's name.
        lines: whether line ends stay as they are.
    """
    text = _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), spelled(text))
    return text if lines else text.replace("\n", "\\n")


def indented(text: str) -> str:
    """Return a message for a terminal: its further lines are indented, so that no name forges one of ours."""
    return printable(text, lines=True).replace("\n", "\n  ")


def quoted(label: str) -> str:
    """Return a label for a list: printable, and in quotes if it has a comma or quotes itself, as in CSV."""
    text = printable(label)
    quoted = "," in text or '"' in text
    return '"' + text.replace('"', '""') + '"' if quoted else text
