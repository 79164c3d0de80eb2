"""Lets atheris, if it is installed, look for inputs that reach new lines of Python, until one fails."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness import Fuzzer


def run_guided(fuzzer: Fuzzer, arguments: list[str]) -> None:
    """Feed changed inputs to one fuzzer, beginning with the kept ones; the arguments are libFuzzer's."""
    import atheris

    home = Path(tempfile.mkdtemp(prefix="fuzz-"))
    inside, outside, corpus = (home / name for name in ("inside", "outside", "corpus"))
    for folder in (outside, corpus):
        folder.mkdir()
    for name, content in fuzzer.kept.items():
        (corpus / name).write_bytes(content)
    fuzzer.prepare(outside)
    for name, module in list(sys.modules.items()):
        if not name.startswith(f"{fuzzer.modules}."):
            continue
        for function in vars(module).values():
            if getattr(function, "__module__", "") == name and hasattr(function, "__code__"):
                atheris.instrument_func(function)

    def one(content: bytes) -> None:
        shutil.rmtree(inside, ignore_errors=True)
        inside.mkdir()
        fuzzer.check(content, inside)

    atheris.Setup([sys.argv[0], *arguments, str(corpus)], one)
    atheris.Fuzz()
