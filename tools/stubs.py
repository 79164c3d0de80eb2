"""Write the type stub of the C++ extension, or check that the committed one is current.

    python tools/stubs.py            write python/fastaudio/_core.pyi
    python tools/stubs.py --check    exit 1 if it would change

Needs fastaudio installed, with pybind11-stubgen and ruff (the extra `dev` has them).
"""

from __future__ import annotations

import argparse
import difflib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

STUB = Path(__file__).parents[1] / "python" / "fastaudio" / "_core.pyi"

# What pybind11-stubgen takes for imports: they are made here and only named after the package.
ERRORS = '''
class FastaudioError(Exception):
    """Base of the errors that are fastaudio's own."""

class StateError(FastaudioError, RuntimeError):
    """A call at the wrong time, such as a push after flush."""

class ModelError(FastaudioError, RuntimeError):
    """A model, card or hash that can't be used as asked."""

class Overrun(FastaudioError, RuntimeError):
    """Sound came faster than it could be run."""

__version__: str
'''


def generate() -> str:
    """Return the stub of the installed extension."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["pybind11-stubgen", "fastaudio._core", "-o", folder, "--exit-code"]
        subprocess.run([sys.executable, "-m", *_as_module(command)], check=True)
        text = Path(folder, "fastaudio", "_core.pyi").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("from fastaudio import ")]
    lines = [line for line in lines if not line.startswith("__version__")]
    lines = [line.replace("__all__: list = ", "__all__: list[str] = ") for line in lines]
    lines = list(_without_pickling(lines))
    after_imports = max(i for i, line in enumerate(lines) if line.startswith("import ")) + 1
    lines[after_imports:after_imports] = ERRORS.splitlines()
    return "# Made by tools/stubs.py; edit the bindings instead.\n" + "\n".join(lines) + "\n"


def _without_pickling(lines: list[str]) -> Iterator[str]:
    """Leave out methods that nobody calls by name, with their bodies."""
    body = False
    for line in lines:
        body = line.lstrip().startswith(("def __getstate__", "def __setstate__")) or (
            body and line.strip() == "..."
        )
        if not body:
            yield line


def _as_module(command: list[str]) -> list[str]:
    return [command[0].replace("-", "_"), *command[1:]]


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
