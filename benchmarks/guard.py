"""Compares two commits: builds both, runs a quick suite on them in turns, and says what got slower.

A base with head's C++ isn't built: it takes head's extension. Each round runs a case on both, one
right after the other, so that whatever disturbs the machine disturbs both. The interval is that of the median
of the rounds' ratios, by bootstrap. Exit status: 1 if something got slower beyond noise, or runs no longer; 2
if a commit can't be built. With --report both are told and the status is 0; it is 2 still if there is no such
commit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guard_builds import NotBuiltError, both
from guard_cases import ALONE, CASES

if TYPE_CHECKING:
    from collections.abc import Sequence

_SURE = 0.99  # of so many cases, one would often be called slower by chance otherwise
_RESAMPLES = 4000
_NOTICED = 1.02  # times as long: less isn't told, even where it is sure
_WORKERS = 3  # pairs of processes, one after another: where memory lies differs between processes
_EXAMPLES = """
examples:
  python benchmarks/guard.py main                      HEAD against main
  python benchmarks/guard.py v0.1.0 HEAD~3 --rounds 60
  python benchmarks/guard.py origin/main --report      for a workflow: tells, never fails
  python benchmarks/guard.py HEAD~1 --installed venv/lib/python3.12/site-packages    builds no HEAD
"""


@dataclass
class Compared:
    """A case's times in seconds, one of each version per round; or a note why there are none."""

    name: str
    base_s: list[float] = field(default_factory=list)
    head_s: list[float] = field(default_factory=list)
    note: str = ""

    def interval(self) -> tuple[float, float, float]:
        """Return the median of the rounds' ratios, head over base, and the ends of its interval."""
        import numpy as np

        ratios = np.array(self.head_s) / np.array(self.base_s)
        drawn = np.random.default_rng(0).choice(ratios, (_RESAMPLES, len(ratios)))
        low, high = np.quantile(np.median(drawn, axis=1), [(1 - _SURE) / 2, (1 + _SURE) / 2])
        return float(np.median(ratios)), float(low), float(high)

    def verdict(self) -> str:
        """Return what can be said: slower, faster, or nothing."""
        _, low, high = self.interval()
        if low > _NOTICED:
            return "SLOWER"
        return "faster" if high < 1 / _NOTICED else ""


class Worker:
    """A process that runs cases of one version; if a case ends it, the next case gets a new one."""

    def __init__(self, package: Path) -> None:
        """Take the package in that folder."""
        self._package = package
        self._process: subprocess.Popen[str] | None = None

    def seconds(self, name: str) -> float:
        """Run a case once.

        Raises:
            RuntimeError: it can't run, or ended the process.
            SystemExit: the process found another fastaudio than that of the folder.
        """
        if self._process is None:
            self._start()
        answer = self._answer(f"{name}\n")
        if not answer.isdigit():
            raise RuntimeError(answer)
        return int(answer) / 1e9

    def end(self) -> None:
        """End the process."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._process = None

    def _start(self) -> None:
        # Everything else is found where this process finds it, after the package.
        places = os.pathsep.join([os.fspath(self._package), *filter(None, sys.path)])
        variables = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": places}
        self._process = subprocess.Popen(
            [sys.executable, *ALONE, "-P", Path(__file__).with_name("guard_cases.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | variables,
            cwd=self._package,
        )
        found = self._answer("")
        if ": " in found:  # why it can't be imported, as every case will say
            return
        if not Path(found).resolve().is_relative_to(self._package.resolve()):
            self.end()
            print(f"guard: expected fastaudio from {self._package}, got {found}", file=sys.stderr)
            raise SystemExit(2)

    def _answer(self, line: str) -> str:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        answer = ""
        with suppress(OSError):  # it ended before
            self._process.stdin.write(line)
            self._process.stdin.flush()
            answer = self._process.stdout.readline().strip()
        if not answer:
            process = self._process
            self.end()
            raise RuntimeError(f"the process ended with status {process.returncode}")
        return answer


def compare(base: Path, head: Path, names: Sequence[str], rounds: int) -> list[Compared]:
    """Run the cases on both versions in turns, the first one first in every other round."""
    every = [Compared(name) for name in names]
    for start in range(0, rounds, -(-rounds // _WORKERS)):
        pair = Worker(base), Worker(head)
        try:
            for number in range(start, min(start + -(-rounds // _WORKERS), rounds)):
                if sys.stderr.isatty():
                    print(f"\r\033[Kround {number + 1}/{rounds}", end="", file=sys.stderr, flush=True)
                for case in every:
                    if not case.note:
                        _round(case, pair, swapped=number % 2 == 1)
        finally:
            for worker in pair:
                worker.end()
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    return every


def _round(case: Compared, pair: tuple[Worker, Worker], *, swapped: bool) -> None:
    took = [0.0, 0.0]
    i = 0
    try:
        for i in (1, 0) if swapped else (0, 1):
            took[i] = pair[i].seconds(case.name)
    except RuntimeError as error:
        case.note = f"{'head' if i else 'base'}: {error}"
        return
    case.base_s.append(took[0])
    case.head_s.append(took[1])


def table(every: Sequence[Compared]) -> str:
    """Return a line for each case."""
    lines = [f"{'':<22}{'base ms':>10}{'head ms':>10}{'ratio':>8}   {_SURE:.0%} interval"]
    for case in every:
        if case.note:
            lines.append(f"{case.name:<22}{case.note}")
            continue
        ratio, low, high = case.interval()
        times = f"{min(case.base_s) * 1e3:>10.3f}{min(case.head_s) * 1e3:>10.3f}"
        lines.append(
            f"{case.name:<22}{times}{ratio:>8.3f}   {low:.3f} to {high:.3f}   {case.verdict()}".rstrip()
        )
    slow, gone = slower(every), broken(every)
    lines.append("")
    if gone:
        lines.append(f"runs no longer: {', '.join(gone)}")
    if all(case.note for case in every):
        lines.append("nothing was compared: no case ran on both")
    else:
        lines.append(f"slower beyond noise: {', '.join(slow)}" if slow else "nothing got slower beyond noise")
    return "\n".join(lines)


def slower(every: Sequence[Compared]) -> list[str]:
    """Return the cases that got slower beyond noise."""
    return [case.name for case in every if not case.note and case.verdict() == "SLOWER"]


def broken(every: Sequence[Compared]) -> list[str]:
    """Return the cases that ran on base and don't on head."""
    return [case.name for case in every if case.note.startswith("head:")]


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("base", help="commit, or a folder that fastaudio is installed in")
    add("head", nargs="?", default="HEAD", help="the same (%(default)s)")
    add("--installed", type=Path, metavar="FOLDER", help="a folder that HEAD is installed in already")
    add("--rounds", type=int, default=30, metavar="N", help="rounds (%(default)s)")
    add("--only", nargs="+", choices=CASES, metavar="CASE", help=", ".join(CASES))
    add("--report", action="store_true", help="exit with 0 whatever got slower, or doesn't run or build")
    add("--json", type=Path, metavar="FILE", help="write every time to FILE")
    options = parser.parse_args(words)
    if options.rounds < _WORKERS:
        parser.error(f"--rounds: expected at least {_WORKERS}, got {options.rounds}")
    if options.installed and not (options.installed / "fastaudio" / "__init__.py").is_file():
        parser.error(f"--installed: expected a folder with fastaudio, got {options.installed}")
    return options


def main(words: Sequence[str] | None = None) -> int:
    """Build, run and report."""
    options = arguments(words)
    try:
        pair = both(options.base, options.head, options.installed)
    except NotBuiltError as error:
        print(f"{error}; nothing was compared", file=sys.stdout if options.report else sys.stderr)
        return 0 if options.report else 2
    if pair is None:
        print(f"{options.base} and {options.head} have the same C++, Python and models; nothing was compared")
        return 0
    every = compare(*pair, options.only or list(CASES), options.rounds)
    print(table(every))
    if options.json:
        data: list[dict[str, Any]] = [
            {"case": case.name, "base_s": case.base_s, "head_s": case.head_s, "note": case.note}
            for case in every
        ]
        options.json.write_text(json.dumps({"schema": "fastaudio.guard/1", "cases": data}, indent=2) + "\n")
    fails = slower(every) or broken(every) or all(case.note for case in every)
    return 1 if fails and not options.report else 0


if __name__ == "__main__":
    sys.exit(main())
