"""Write the type stub of the C++ extension, or check that the committed one is current.

    python tools/stubs.py            write python/fastaudio/_core.pyi
    python tools/stubs.py --check    exit 1 if it would change

Needs fastaudio installed, with pybind11-stubgen and ruff (the extra `dev` has them).
"""

from __future__ import annotations

import argparse
import ast
import difflib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

STUB = Path(__file__).parents[1] / "python" / "fastaudio" / "_core.pyi"

# The docs of every node end so; Node's own say it for all.
RAISES = (
    "    \n    Raises:\n        TypeError: an option of a wrong type or an unknown name.\n"
    "        ValueError: an option outside its range.\n"
)

# pybind11-stubgen, which shall read docstrings only: what inspect.signature tells has no types.
STUBGEN = """
import inspect
from pybind11_stubgen import main

def refuse(function):
    raise TypeError

inspect.getfullargspec = refuse
main()
"""

# What pybind11-stubgen takes for imports: they are made here and only named after the package.
ERRORS = '''
class FastaudioError(Exception):
    """Base of the errors that are fastaudio's own."""

class StateError(FastaudioError, RuntimeError):
    """A call at the wrong time, such as a push after flush."""

class ModelError(FastaudioError, RuntimeError):
    """A model, card or hash that can't be used as asked."""

class BudgetError(ModelError):
    """A card asks for more than its reader allows."""

class Overrun(FastaudioError, RuntimeError):
    """Sound came faster than it could be run."""

class Cancelled(FastaudioError, RuntimeError):
    """A call was ended because somebody asked for it."""

class TimedOut(FastaudioError, TimeoutError):
    """A call took longer than the time that it was allowed."""

__version__: str
'''


def generate() -> str:
    """Return the stub of the installed extension."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", STUBGEN, "fastaudio._core", "-o", folder, "--exit-code"]
        subprocess.run(command, check=True)
        text = Path(folder, "fastaudio", "_core.pyi").read_text(encoding="utf-8")
    text = text.replace("__all__: list = ", "__all__: list[str] = ")
    lines = [
        line for line in text.splitlines() if not line.startswith(("from fastaudio import ", "__version__"))
    ]
    lines = _said_once(lines)
    text = "\n".join(lines)
    text = re.sub(r':\n( +)"""\n +(.+)\n +"""', r':\n\1"""\2"""', text)  # a docstring of one line takes one
    lines = text.replace(RAISES, "").split("\n")
    after_imports = max(i for i, line in enumerate(lines) if line.startswith("import ")) + 1
    lines[after_imports:after_imports] = ERRORS.splitlines()
    return "# Made by tools/stubs.py; edit the bindings instead.\n" + "\n".join(lines) + "\n"


def _said_once(lines: list[str]) -> list[str]:
    """Leave out what nobody calls by name, what Node says already, and docs that the class's own holds.

    A class lists its options with their docs, so their properties need none.
    """
    new: list[str | None] = [*lines]
    for cls in ast.parse("\n".join(lines)).body:
        if not isinstance(cls, ast.ClassDef):
            continue
        is_node = any(isinstance(base, ast.Name) and base.id == "Node" for base in cls.bases)
        known = " ".join((ast.get_docstring(cls) or "").split())
        for method in cls.body:
            if not isinstance(method, ast.FunctionDef):
                continue
            body, end = method.body[0], method.end_lineno or 0
            empty = isinstance(body, ast.Expr) and ast.unparse(body) == "..."
            doc = " ".join((ast.get_docstring(method) or "").split())
            if method.name in ("__getstate__", "__setstate__") or (is_node and method.name == "to_dict"):
                new[method.lineno - 1 : end] = [None] * (end - method.lineno + 1)
            elif empty or (is_node and doc and doc in known):
                new[body.lineno - 1 : end] = [None] * (end - body.lineno + 1)
                new[body.lineno - 2] = f"{lines[body.lineno - 2]} ..."
    without_hash = "    __hash__: "  # of classes with their own equality; object promises a hash
    return [
        f"{line}  # type: ignore[assignment]" if line.startswith(without_hash) else line
        for line in new
        if line is not None
    ]


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing, tell if it is stale")
    args = parser.parse_args()
    new = generate()
    if not args.check:
        STUB.write_text(new, encoding="utf-8")
        return 0
    old = STUB.read_text(encoding="utf-8") if STUB.exists() else ""
    diff = difflib.unified_diff(old.splitlines(), new.splitlines(), "committed", "made", lineterm="")
    changes = "\n".join(diff)
    if changes:
        sys.stderr.write(f"{changes}\n{STUB.name} is stale: run python tools/stubs.py\n")
    return 1 if changes else 0


if __name__ == "__main__":
    sys.exit(main())
