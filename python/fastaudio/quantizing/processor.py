"""The processor's name, for cards that say where they were measured."""

from __future__ import annotations

import platform
from pathlib import Path

from fastaudio import _core

_LONGEST = 100


def processor_name() -> str:
    """Return the processor's name and the instruction set that fastaudio uses on it."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{(named or [name])[0][:_LONGEST]}, {_core.isa()}"
