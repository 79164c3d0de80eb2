"""What nodes say of themselves, as Sphinx reads it: `Input:`, `Output:` and the like become fields."""
# ruff: noqa: INP001  # Sphinx imports it by its name

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_FIELD = re.compile(r"(Input|Output|Latency|Source|Error|Licence|Note): +(\S.*)")
_OPTION = re.compile(r"(    )(\w+): (\S.*)")
_MARKUP = re.compile(r"\||(?<=\w)_(?!\w)|(?<!\*)\*(?=\w)|\*\*(?=\w)")  # |x|, np.bool_, *args, **options
_COLUMNS = re.compile(r"(?<=\S) {2,}(?=\S)")


def readable(_app: Sphinx, what: str, _name: str, _value: Any, _options: Any, lines: list[str]) -> None:
    """Rewrite a docstring's lines in place, before napoleon reads its sections."""
    lines[:] = _rewritten([plain(line) for line in lines])
    if what in {"attribute", "data", "property"}:
        lines.insert(0, "")  # else napoleon takes what comes before a colon for a type


def plain(line: str) -> str:
    """Escape what means something to reStructuredText and nothing in our docstrings, outside of backticks."""
    parts = line.split("`")
    parts[::2] = [_MARKUP.sub(r"\\\g<0>", part) for part in parts[::2]]
    return line if line.lstrip().startswith((">>>", "...")) else "`".join(parts)


def _rewritten(lines: list[str]) -> list[str]:
    done: list[str] = []
    in_field = in_options = False
    for line in lines:
        if match := _FIELD.fullmatch(line):
            if not in_field and done and done[-1]:
                done.append("")
            done.append(f":{match[1]}: {_flowing(match[2])}")
            in_field, in_options = True, False
        elif in_field and line.startswith("  "):
            done.append("    " + _flowing(line.strip()))
        elif in_options and (option := _OPTION.fullmatch(line)):
            done.append(f"{option[1]}{option[2]} ({option[3]}):")
        else:
            if in_field and line:
                done.append("")
            in_field = False
            in_options = line == "Options:" or (in_options and (not line or line.startswith(" ")))
            done.append(line)
    return done


def _flowing(text: str) -> str:
    """Return a line whose columns, parted by spaces, are parted by commas."""
    return _COLUMNS.sub(lambda match: " " if text[match.end()] == "[" else ", ", text)


def types(_app: Sphinx, _what: str, _name: str, _value: Any, _options: Any, lines: list[str]) -> None:
    """Escape the types that napoleon took from annotations, such as np.bool_."""
    lines[:] = [plain(line) if line.lstrip().startswith(":type:") else line for line in lines]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx, before napoleon and after it."""
    app.connect("autodoc-process-docstring", readable, priority=400)
    app.connect("autodoc-process-docstring", types, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
