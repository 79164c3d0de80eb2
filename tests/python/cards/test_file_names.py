"""Names from cards: each can be written on every system, inside the folder, and is one file of its own."""

from __future__ import annotations

import fastaudio as fa
import pytest
from fastaudio.cards.file_names import check_names, harmless
from hypothesis import given
from hypothesis import strategies as st

BAD = [
    *("", ".", "..", "../x.onnx", "a/../../x.onnx", "/x.onnx", "a//x.onnx", "a/", "./x.onnx", "/etc/x.onnx"),
    *("C:/x.onnx", "C:x.onnx", "..\\x.onnx", "\\\\host\\x.onnx", "x.onnx:stream", "x.onnx.", "x.onnx "),
    *(
        "NUL",
        "con.onnx",
        "CON .onnx",
        "con.tar.onnx",
        "a/LPT1.onnx",
        "aux/x.onnx",
        "com².onnx",
        "CONIN$.onnx",
    ),
    *(
        "a\0b.onnx",
        "a\nb.onnx",
        "\ud800.onnx",
        "caf\udce9.onnx",
        "\x1b[2J.onnx",
        "a\u202eb.onnx",
        "a\u200cb.onnx",
    ),
    *("~/x.onnx", "GIT~1/x.onnx", "x?.onnx", "x*.onnx", "a|b.onnx", "<.onnx", 'a".onnx'),
    *("card.json", "Card.JSON", "LICENSE", "x.py", "x", "x.ONNX", "onnx", ".onnx", ".x.onnx", ".git/x.onnx"),
    *(" x.onnx", "a /x.onnx", "a./x.onnx", "é" * 120 + ".onnx", "/".join(["a"] * 8) + "/x.onnx"),
]
GOOD = [
    "x.onnx",
    "heads/x.onnx",
    "Größe ♪.onnx",
    "a.b-c_d (2).onnx",
    "console.onnx",
    "compute/x.onnx",
    "x.y/z.onnx",
]
ALIKE = [
    ("a.onnx", "A.onnx"),
    ("x/a.onnx", "X/a.onnx"),
    ("\u00e9.onnx", "e\u0301.onnx"),  # composed, and as macOS wrote it
    ("stra\u00dfe.onnx", "STRASSE.onnx"),
    ("\u212b.onnx", "\u00e5.onnx"),  # the sign for ångström
    ("ﬁ.onnx", "fi.onnx"),
    ("k.onnx", "\u212a.onnx"),  # the sign for kelvin
]


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_some_system_takes_for_something_else_is_refused(name: str) -> None:
    with pytest.raises(fa.ModelError, match="card: expected a file's name inside a folder, got "):
        check_names("card", [name])


def test_usual_names_are_taken() -> None:
    check_names("card", [*GOOD, *GOOD])  # a card may use a network twice


@pytest.mark.parametrize("names", ALIKE)
def test_names_that_some_system_takes_for_one_are_refused(names: tuple[str, str]) -> None:
    with pytest.raises(fa.ModelError, match="expected names that differ on every system"):
        check_names("card", names)


@pytest.mark.parametrize(
    "names",
    [("a.onnx", "a.onnx/b.onnx"), ("A.onnx/b.onnx", "a.onnx"), ("card.json/a.onnx",), ("License/a.onnx",)],
)
def test_no_name_is_a_file_and_a_folder(names: tuple[str, ...]) -> None:
    with pytest.raises(fa.ModelError, match="expected a file or a folder of one name"):
        check_names("card", names)


@given(st.text(st.characters(codec=None), max_size=300) | st.sampled_from(BAD))
def test_whatever_the_name_one_is_made_of_it_that_is_taken(name: str) -> None:
    check_names("card", [harmless(name)])


@pytest.mark.parametrize("name", [name for name in GOOD if "/" not in name])
def test_a_name_that_is_taken_stays(name: str) -> None:
    assert harmless(name) == name
