"""What the commands share: exit statuses, types of arguments."""

from __future__ import annotations

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  # it has no other name

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
RAW = argparse.RawDescriptionHelpFormatter


def positive(text: str) -> int:
    """Return a whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {text}")
    return value
