"""PAPERS.md names files that exist and lines of the recipes' page that say what it quotes.

Run as a program, this writes the lines' numbers anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RECIPES = ROOT / "models" / "recipes"
TABLE, PAGE = RECIPES / "PAPERS.md", RECIPES / "README.md"
STATED = re.compile(r'README\.md line (\d+), "([^"]+)"')
FILE = re.compile(r"`([\w.-]+(?:/[\w.-]+)*\.(?:py|md|json))`|\]\(([^)\s]+)\)")
WORD = re.compile(r"[^\W\d_]{5,}")
AGAIN = "python tests/python/recipes/test_papers_table.py writes them anew"


def rows() -> list[list[str]]:
    """Return the cells of each row of all tables."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    every = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [cells for cells in every if cells[1] not in ("the paper", "the point") and set(cells[0]) != {"-"}]


def place(quote: str, page: list[str]) -> int:
    """Return the number of the only line of the page that holds a quote, counted from 1.

    Raises:
        ValueError: no line holds it, or several do, or the line is a heading or lies in a block of commands.
    """
    found = [i for i, line in enumerate(page, start=1) if quote in line]
    if len(found) != 1:
        raise ValueError(f"expected one line of README.md with {quote!r}, got {found}")
    (number,) = found
    fences = sum(line.startswith("```") for line in page[:number])
    if fences % 2 or page[number - 1].startswith(("#", "```")):
        raise ValueError(f"expected {quote!r} in a table or a paragraph, got line {number}")
    return number


def renumbered(text: str, page: list[str]) -> str:
    """Return PAPERS.md with the numbers of lines that its quotes now have."""
    return STATED.sub(lambda m: f'README.md line {place(m[2], page)}, "{m[2]}"', text)


def test_every_row_is_faithful_with_a_file_or_stated_with_a_line() -> None:
    headings = re.findall(r"^## (\w+)", TABLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings == ["Alonso", "Hung", "Kumar", "Favory", "Lee", "All"]
    assert len(rows()) > 100
    for cells in rows():
        assert len(cells) == 3, cells
        assert cells[1].endswith("."), cells
        how, _, where = cells[2].partition(": ")
        assert how in ("faithful", "stated"), cells
        assert STATED.fullmatch(where) if how == "stated" else FILE.search(where), cells


def test_every_line_is_where_its_quote_is() -> None:
    page = PAGE.read_text(encoding="utf-8").splitlines()
    text = TABLE.read_text(encoding="utf-8")
    moved = {
        f"{quote!r} is on line {place(quote, page)}, not {number}"
        for number, quote in STATED.findall(text)
        if place(quote, page) != int(number)
    }
    assert not moved, f"{AGAIN}: {'; '.join(sorted(moved))}"


def test_every_line_shares_a_word_with_its_row() -> None:
    page = PAGE.read_text(encoding="utf-8").splitlines()
    for cells in rows():
        for number, quote in STATED.findall(cells[2]):
            line, row = page[int(number) - 1], f"{cells[1]} {quote}"
            shared = set(WORD.findall(line.lower())) & set(WORD.findall(row.lower()))
            assert shared, f"{AGAIN}: {cells}"


def test_every_file_that_is_named_is_there() -> None:
    names = {code or link for code, link in FILE.findall(TABLE.read_text(encoding="utf-8"))}
    assert len(names) > 50
    missing = [name for name in sorted(names) if not any((top / name).is_file() for top in (RECIPES, ROOT))]
    assert not missing


def test_the_page_links_to_the_table() -> None:
    assert "](PAPERS.md)" in PAGE.read_text(encoding="utf-8")


def test_numbers_follow_their_quotes() -> None:
    text = '| 2 | It steps. | stated: README.md line 9, "a whole patch" |'
    page = ["# Of a patch", "", "It steps by a whole patch.", "```", "in a block", "```"]
    assert renumbered(text, page) == text.replace("line 9", "line 3")
    for quote in ("Of a patch", "in a block", "nowhere", "patch"):
        with pytest.raises(ValueError, match=f"expected .*{quote}"):
            place(quote, page)


if __name__ == "__main__":
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    TABLE.write_text(renumbered(TABLE.read_text(encoding="utf-8"), lines), encoding="utf-8")
