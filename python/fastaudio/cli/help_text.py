"""Help that fits the terminal: descriptions and examples are written for wide ones."""

from __future__ import annotations

import argparse
import re
import textwrap

_EXAMPLE = re.compile(r"( +)(\S.*?)(?: {2,}(\S.*))?")
_COMMAND = re.compile(r" +(?:(?:fastaudio|curl) |.*\| fastaudio )")
_HANGING = 4  # columns by which what belongs to an example stands in


class Help(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of descriptions and examples where they fit, else breaks them between words."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        """Break an option's help between words only: not within the name of a model."""
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Return a text whose lines fit `width`: paragraphs flow, what an example says may move below it."""
        blocks = re.split(r"\n\s*\n", text.strip("\n"))
        return "\n\n".join("\n".join(_fitted(block.split("\n"), width, indent)) for block in blocks)


def _fitted(lines: list[str], width: int, indent: str) -> list[str]:
    if all(len(indent + line) <= width for line in lines):
        return [indent + line for line in lines]
    fitted: list[str] = []
    paragraph: list[str] = []
    goes_on = False
    for line in lines:
        command = goes_on or _COMMAND.match(line) is not None
        goes_on = command and line.endswith("\\")
        prose = not command and not _has_columns(line)
        if prose and paragraph and _belongs(line, paragraph):
            paragraph.append(line)
            continue
        fitted += _flowing(paragraph, width, indent)
        paragraph = [line] if prose else []
        if not prose:
            fitted += _example(indent + line, width, command=command)
    return fitted + _flowing(paragraph, width, indent)


def _lead(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _has_columns(line: str) -> bool:
    match = _EXAMPLE.fullmatch(line)
    return match is not None and match[3] is not None


def _belongs(line: str, paragraph: list[str]) -> bool:
    """Return whether a line goes on with a paragraph: text, deeper than an item, or after a comma."""
    lead, first = _lead(line), _lead(paragraph[0])
    if not first:
        return not lead
    return len(lead) > len(first) or (lead == _lead(paragraph[-1]) and paragraph[-1].endswith(","))


def _flowing(paragraph: list[str], width: int, indent: str) -> list[str]:
    if not paragraph:
        return []
    lead = _lead(paragraph[0])
    text = " ".join(line.strip() for line in paragraph)
    return _wrapped(indent + lead + text, width, indent + lead + "  " * bool(lead))


def _example(line: str, width: int, *, command: bool) -> list[str]:
    """Return a command or a row of columns: what it says may move below it."""
    match = _EXAMPLE.fullmatch(line)
    if match is None or len(line) <= width:
        return [line]
    hanging = match[1] + " " * _HANGING
    if command:
        first = _wrapped(match[1] + match[2], width - 2, hanging)
        first = [*(f"{part} \\" for part in first[:-1]), first[-1]]  # as a shell goes on
    else:
        first = _wrapped(match[1] + match[2], width, hanging)
    return [*first, *(_wrapped(hanging + match[3], width, hanging) if match[3] else [])]


def _wrapped(line: str, width: int, hanging: str) -> list[str]:
    return textwrap.wrap(
        line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )
