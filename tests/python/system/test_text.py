"""What is shown of text from others shows it, and does nothing else to a terminal."""

from __future__ import annotations

import re

import pytest
from fastaudio._system.text import encoded, printable, quoted, spelled
from hypothesis import given
from hypothesis import strategies as st

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
