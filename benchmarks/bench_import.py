"""Measures what `import fastaudio` costs beyond `import numpy`, each in a fresh process."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from harness import Case, Context, Group, Target

if TYPE_CHECKING:
    from harness import Measure

_CODE = "{}; import time; s = time.perf_counter(); import {}; print(time.perf_counter() - s)"


def import_s(module: str, *, before: str = "pass") -> Measure:
    """Return a measurement: seconds that an import takes in a fresh process, after `before`."""

    def measure(_: object) -> float:
        command = [sys.executable, "-c", _CODE.format(before, module)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return float(done.stdout)

    return measure


def groups(_: Context) -> list[Group]:
    """Compare seconds; fastaudio alone loads NumPy with the first array, so the last row is what it adds."""
    cases = [
        Case("numpy", import_s("numpy")),
        Case("fastaudio", import_s("fastaudio"), "numpy"),
        Case(
            "fastaudio, numpy being there",
            import_s("fastaudio", before="import numpy"),
            target=Target(0.03, of="value"),
        ),
    ]
    return [Group("time to import", "s", cases, rounds=15)]
