"""Measure the edit, build, test cycle: the seconds that CONTRIBUTING.md states.

    python tools/cycle_times.py         after an editable install; touches sources, changes none

Prints seconds of wall time and of processor time for each kind of edit, without ccache.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ["ninja", "-C", "build/dev", "editable"]
TEST = [sys.executable, "-m", "pytest", "-q", "tests/python/nodes/test_log.py"]
EDITS = {
    "nothing": None,
    "a node's .cpp": "cpp/nodes/log.cpp",
    "a node's .hpp": "cpp/nodes/log.hpp",
    "cpp/core/options.hpp": "cpp/core/options.hpp",
}


def measure(name: str, command: list[str]) -> None:
    """Run a command and print what it took."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = os.environ | {"CCACHE_DISABLE": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sys.stdout.write(f"{name:24}{wall:8.1f} s{processor:8.1f} s of processor time\n")
    sys.stdout.flush()


def main() -> None:
    """Measure each edit, then a test file."""
    subprocess.run(BUILD, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    for name, source in EDITS.items():
        if source is not None:
            (ROOT / source).touch()
        measure(name, BUILD)
    measure("pytest of one file", TEST)


if __name__ == "__main__":
    main()
