"""Help that fits the terminal: descriptions and examples are written for wide ones."""

from __future__ import annotations

import argparse
import re
import textwrap

_EXAMPLE = re.compile(r"( +)(\S.*?)(?: {2,}(\S.*))?")
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
    fitted, paragraph = [], []
    for line in [*lines, ""]:
        if line and not line.startswith(" "):
            paragraph.append(line)
            continue
        if paragraph:
            fitted += textwrap.wrap(
                " ".join(paragraph), width, initial_indent=indent, subsequent_indent=indent
            )
            paragraph = []
        fitted += _example(indent + line, width)
    return fitted


def _example(line: str, width: int) -> list[str]:
    match = _EXAMPLE.fullmatch(line)
    if match is None:
        return []
    if len(line) <= width:
        return [line]
    hanging = match[1] + " " * _HANGING
    first = _wrapped(match[1] + match[2], width - 2, hanging)
    first = [*(f"{part} \\" for part in first[:-1]), first[-1]]  # as a shell goes on
    return [*first, *(_wrapped(hanging + match[3], width, hanging) if match[3] else [])]


def _wrapped(line: str, width: int, hanging: str) -> list[str]:
    return textwrap.wrap(
        line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )
