"""What is shown of text from others shows it, and does nothing else to a terminal."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import pytest
from fastaudio._system.text import encoded, folder_and_name, found_as, is_line, printable, quoted, spelled
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

_HARMFUL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("guitar ♪", "guitar ♪"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("a\rb\bc\td", r"a\rb\x08c\td"),
        ("\x9b2J", r"\x9b2J"),  # one sign that begins a sequence too
        ("photo\u202egnp.exe", r"photo\u202egnp.exe"),
        ("caf\udce9", r"caf\xe9"),
        ("\ud800", r"\ud800"),
        ("a\nb", r"a\nb"),
    ],
)
def test_what_would_control_a_terminal_is_spelled(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters(codec=None)))
def test_nothing_harmful_is_left_of_any_text(text: str) -> None:
    assert not _HARMFUL.search(printable(text))
    assert "\n" not in printable(text)
    assert not _HARMFUL.search(printable(text, lines=True))
    assert encoded(spelled(text)).decode("utf-8") == spelled(text)


def test_a_comma_in_a_label_is_told_apart_from_one_between_labels() -> None:
    labels = ["Speech", "Male speech, man speaking", 'say "hi"', "a\x1bb"]
    assert ", ".join(map(quoted, labels)) == (r'Speech, "Male speech, man speaking", "say ""hi""", a\x1bb')


NAMES = ('a,"b"', "Anna\u00a0B", "\u0646\u06cc\u200c\u062e\u0648", "\U0001f468\u200d\U0001f469", "a  b", "=")


@pytest.mark.parametrize("text", NAMES)
def test_names_of_every_language_are_lines(text: str) -> None:
    assert is_line(text)


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "\x1b[31m", "\u2028", "\u202e", "\udcff", "\t"])
def test_what_ends_a_line_or_controls_a_terminal_is_none(text: str) -> None:
    assert not is_line(text)


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="its file names are text")
def test_a_file_is_found_by_the_name_that_was_spelled(tmp_path: Path) -> None:
    for raw in (b"caf\xe9.wav", b"\xff\x80", rb"a\xe9.wav", rb"b\xzz"):
        path = os.fsdecode(os.path.join(os.fsencode(tmp_path), raw))  # noqa: PTH118
        with open(path, "wb"):  # noqa: PTH123
            pass
        assert found_as(spelled(path)) == path
    assert found_as(tmp_path / r"no\xe9.wav") == str(tmp_path / r"no\xe9.wav")
    for name in ("\0\\xe9", "\ud800\\xe9", "\\xe9" * 5000):  # that no file can have
        assert found_as(name) == name


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("a/b/c.wav", ("a/b", "c.wav")),
        ("c.wav", ("", "c.wav")),
        (r"C:\a\c.wav", (r"C:\a", "c.wav")),
        (r"caf\xe9.wav", ("", r"caf\xe9.wav")),
        (r"2024-05-13 caf\xe9\xff/x.wav", (r"2024-05-13 caf\xe9\xff", "x.wav")),
        (r"D:\caf\xe9\x.wav", (r"D:\caf\xe9", "x.wav")),
    ],
)
def test_a_spelled_byte_ends_no_folder(path: str, parts: tuple[str, str]) -> None:
    assert folder_and_name(path) == parts
