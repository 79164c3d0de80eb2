"""Pages of the command line, made of its parsers: a page per command, an anchor per option."""
# ruff: noqa: INP001, SLF001  # Sphinx imports it by its name; argparse has no other way to read a parser

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio.cli import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

_WIDTH = 100


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command, in the order of `fastaudio --help`."""
    for action in running._parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def write_pages(app: Sphinx) -> None:
    """Write all pages into the folder commands, and leave alone those that are as they were."""
    folder = Path(app.srcdir) / "commands"
    folder.mkdir(exist_ok=True)
    pages = {name: _page(name, parser) for name, parser in parsers().items()}
    pages["index"] = _index(list(pages))
    for old in folder.glob("*.rst"):
        if old.stem not in pages:
            old.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _index(names: list[str]) -> str:
    parser = running._parser()
    helps = {
        choice.dest: choice.help or ""
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for choice in action._choices_actions
    }
    text = _titled("Commands")
    text += "Each page is made of the command's own parser, so it says what ``--help`` says.\n"
    text += "The guide to them is :doc:`/cli`.\n\n.. list-table::\n   :widths: 20 80\n\n"
    for name in names:
        text += f"   * - :doc:`{name} <{name}>`\n     - {_escaped(helps.get(name, ''))}\n"
    text += "\n" + "\n".join(_options("", parser))
    return text + "\n.. toctree::\n   :hidden:\n\n" + "".join(f"   {name}\n" for name in names)


def _page(name: str, parser: argparse.ArgumentParser) -> str:
    text = _titled(f"fastaudio {name}")
    text += _prose(parser.description or "") + "\n"
    text += _literal("text", _usage(parser))
    text += "\n".join(_options(name, parser)) + "\n"
    return text + _prose(parser.epilog or "")


def _options(command: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the lines of each group's arguments."""
    yield f".. program:: {f'fastaudio {command}'.strip()}\n"
    for group in parser._action_groups:
        actions = [
            action
            for action in group._group_actions
            if action.help is not argparse.SUPPRESS and not isinstance(action, argparse._SubParsersAction)
        ]
        if not actions:
            continue
        yield f".. rubric:: {(group.title or 'options').capitalize()}\n"
        if group.description:
            yield _escaped(group.description) + "\n"
        for action in actions:
            yield f".. option:: {_signature(action)}\n"
            yield f"   {_escaped(_help(parser, action))}\n"


def _signature(action: argparse.Action) -> str:
    value = action.metavar
    if value is None and action.choices is not None:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if isinstance(value, tuple):
        value = " ".join(value)
    if not action.option_strings:
        return str(value or action.dest)
    if action.nargs == 0:
        return ", ".join(action.option_strings)
    shown = str(value or action.dest.upper())
    if action.nargs == "?":
        shown = f"[{shown}]"
    return ", ".join(f"{option} {shown}" for option in action.option_strings)


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    return " ".join(parser._get_formatter()._expand_help(action).split()) if action.help else ""


def _usage(parser: argparse.ArgumentParser) -> str:
    formatter = argparse.HelpFormatter(parser.prog, width=_WIDTH)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups, prefix="")
    return formatter.format_help()


def _prose(text: str) -> str:
    """Return a description: its paragraphs flow, what is set in keeps its lines, and examples are a block."""
    done = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        lines = block.split("\n")
        if lines[0] in {"example:", "examples:"}:
            done.append(".. rubric:: Examples\n\n" + _literal("text", "\n".join(lines[1:])).rstrip("\n"))
        elif any(line.startswith(" ") for line in lines):
            done.append(_literal("text", block).rstrip("\n"))
        else:
            done.append(_escaped(" ".join(lines)))
    return "\n\n".join(done) + "\n"


def _literal(language: str, text: str) -> str:
    lines = "".join(f"   {line}".rstrip() + "\n" for line in text.strip("\n").split("\n"))
    return f".. code-block:: {language}\n\n{lines}\n"


def _escaped(text: str) -> str:
    return re.sub(r"([\\*`|_<>])", r"\\\1", text)


def _titled(title: str) -> str:
    return f"{title}\n{'=' * len(title)}\n\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx, before it looks for pages."""
    app.connect("builder-inited", write_pages, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
