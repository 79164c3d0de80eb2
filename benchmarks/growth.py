"""Prints and draws what one more costs: of seconds, streams, files, labels, mel bands, points, patches.

For each line it says from where on one unit costs the same, where it costs more again, and why. Exit status:
1 if a line costs more per unit than it needs to, or a measurement failed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import show
from growth_lines import free_memory, lines, seconds

if TYPE_CHECKING:
    from growth_lines import Line

_EXAMPLES = """
examples:
  python benchmarks/growth.py --quick                    all lines within a minute
  python benchmarks/growth.py --plot growth.png          some minutes
  python benchmarks/growth.py --only n_fft primes --json growth.json
"""
_FLAT = 1.4  # times the least that still counts as the same
_SHARE = 0.7  # of the free memory that a size may take
_MOST = {"streams": 2.0, "threads": 4.0, "n_fft": 3.0, "primes": 5.0, "length": 4.0}
"""Times the least that the last size may cost per unit, by its reason; others may cost `_FLAT` squared."""


@dataclass(frozen=True)
class Measured:
    """A line and the cost of one unit at each size, in microseconds; left out is what memory doesn't hold."""

    line: Line
    sizes: list[int]
    costs: list[float]
    left_out: list[int] = field(default_factory=list)

    def flat(self) -> tuple[int, int]:
        """Return the places of the first and the last size between which a unit costs the same."""
        least = min(self.costs)
        at = self.costs.index(least)
        first = last = at
        while first > 0 and self.costs[first - 1] <= _FLAT * least:
            first -= 1
        while last + 1 < len(self.costs) and self.costs[last + 1] <= _FLAT * least:
            last += 1
        return first, last

    def holds(self) -> bool:
        """Whether the largest size costs no more per unit than it may."""
        return self.costs[-1] <= _MOST.get(self.line.name, _FLAT**2) * min(self.costs)

    def said(self) -> str:
        """Return in words where the line bends, and why."""
        first, last = self.flat()
        least, sizes = min(self.costs), self.sizes
        words = f"{least:.3g} {self.line.unit} from {sizes[first]:,} to {sizes[last]:,}"
        if first > 0:
            words += f"; {self.costs[0] / least:.1f} times that at {sizes[0]:,}: {self.line.small}"
        if last + 1 < len(sizes):
            words += f"; {self.costs[-1] / least:.1f} times that at {sizes[-1]:,}: {self.line.large}"
        if self.left_out:
            gigabytes = self.line.memory(self.left_out[0]) / 1e9
            words += f"; left out, from {gigabytes:.1f} GB on: {', '.join(f'{x:,}' for x in self.left_out)}"
        return words if self.holds() else f"{words}. THIS IS MORE THAN IT NEEDS TO BE"


def measured(line: Line, *, quick: bool) -> Measured:
    """Measure a line at each size."""
    asked = line.quick if quick else line.values
    room = _SHARE * free_memory()
    sizes = [x for x in asked if line.memory(x) <= room]
    costs = []
    for x in sizes:
        if sys.stderr.isatty():
            print(f"\r\033[K{line.name}: {x:,}", end="", file=sys.stderr, flush=True)
        costs.append(seconds(line, x) * 1e6 / line.units(x))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    return Measured(line, sizes, costs, [x for x in asked if x not in sizes])


def text(found: Measured) -> str:
    """Return a line's part of the table."""
    rows = "\n".join(f"  {x:>12,}  {cost:>12.4g}" for x, cost in zip(found.sizes, found.costs, strict=True))
    line = found.line
    return f"{line.name}: {line.what}\n  {line.x:>12}  {line.unit:>12}\n{rows}\n  {found.said()}\n"


def draw(path: Path, every: list[Measured], facts: dict[str, str]) -> None:
    """Draw a panel for each line, on logarithmic axes: a level line is a cost that doesn't grow."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    n_columns = min(3, len(every))
    n_rows = -(-len(every) // n_columns)
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=(4 * n_columns, 2.6 * n_rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(every) :]:
        axis.set_visible(False)
    for axis, found in zip(axes.flat, every, strict=False):
        axis.loglog(found.sizes, found.costs, "o-", color="#1b6ca8", markersize=3)
        least = min(found.costs)
        axis.set_ylim(least / 2, 1.5 * max(*found.costs, 4 * least))
        axis.set_title(f"{found.line.name}: {found.line.what}", fontsize=7, loc="left")
        axis.set_xlabel(found.line.x, fontsize=7)
        axis.set_ylabel(found.line.unit, fontsize=7)
        axis.tick_params(labelsize=6, which="both")
        axis.grid(visible=True, which="major", linewidth=0.3)
    title = (
        f"fastaudio {facts['fastaudio']}, {facts['processor']}, {facts['instruction set']}, {facts['date']}"
    )
    figure.suptitle(f"{title}\nlevel: one more costs the same", fontsize=8)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def arguments(names: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--only", nargs="+", choices=names, metavar="LINE", help=", ".join(names))
    add("--quick", action="store_true", help="fewer and smaller sizes")
    add("--plot", type=Path, metavar="FILE", help="draw the lines to FILE (needs matplotlib)")
    add("--json", type=Path, metavar="FILE", help="write every cost to FILE")
    return parser.parse_args()


def main() -> int:
    """Measure what was asked for."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    every: list[Measured] = []
    failed = False
    with tempfile.TemporaryDirectory(prefix="fastaudio-growth-") as folder:
        known = lines(Path(folder))
        options = arguments([line.name for line in known])
        facts = show.machine()
        print(show.header(facts, "noise"), flush=True)
        for line in known:
            if options.only and line.name not in options.only:
                continue
            try:
                every.append(measured(line, quick=options.quick))
                print(text(every[-1]), flush=True)
            except Exception as error:  # noqa: BLE001  # told; the rest goes on
                failed = True
                print(f"{line.name}: failed: {type(error).__name__}: {error}\n", flush=True)
    if options.plot and every:
        draw(options.plot, every, facts)
    if options.json:
        rows: list[dict[str, Any]] = [
            {"line": each.line.name, "x": each.line.x, "unit": each.line.unit, "sizes": each.sizes}
            | {"costs": each.costs, "says": each.said()}
            for each in every
        ]
        data = {"schema": "fastaudio.growth/1", "machine": facts, "lines": rows}
        options.json.write_text(json.dumps(data, indent=2) + "\n")
    return 1 if failed or not all(each.holds() for each in every) else 0


if __name__ == "__main__":
    sys.exit(main())
