"""Counts instructions and cache misses per frame of a log-mel by cachegrind, where `perf stat` counts none.

Cachegrind simulates caches of 32 KiB and 512 KiB without prefetching, so its counts are the same each time.
The time is that of a run without it. Needs valgrind, and a release of fastaudio that keeps its symbols:
`pip install . -C install.strip=false`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from bench_log_mel import CONFIGS, Config, with_fastaudio

_FRAMES = 2000
_KERNELS = "fastaudio::dsp::"
_CACHES = ("--D1=32768,8,64", "--LL=524288,8,64")
_COLUMNS = {
    "instructions": ("Ir",),
    "reads": ("Dr",),
    "writes": ("Dw",),
    "L1 misses": ("D1mr", "D1mw"),
    "L2 misses": ("DLmr", "DLmw"),
}
_EXAMPLES = """
examples:
  python benchmarks/counted.py                     log-mel A and C
  python benchmarks/counted.py B --ghz 3.1         with instructions per cycle, at a clock that you know
  PYTHONPATH=OTHER python benchmarks/counted.py    of another build of fastaudio
"""


def frames_of(config: Config) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return noise of so many frames."""
    noise = np.random.default_rng(0).standard_normal(_FRAMES * config.hop_length) * 0.1
    return noise.astype(np.float32)


def counts(config: Config) -> Counter[str]:
    """Return what the kernels do in all frames, by cachegrind's names of it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        tool = ["valgrind", "--tool=cachegrind", "--cache-sim=yes", *_CACHES, f"--cachegrind-out-file={out}"]
        command = [*tool, sys.executable, __file__, config.title[0], "--run"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"valgrind: expected a run of fastaudio, got {done.stderr[-500:]}")
        return read_counts(out.read_text(encoding="utf-8", errors="replace"))


def read_counts(text: str) -> Counter[str]:
    """Add up the lines of the kernels' functions in a file of cachegrind."""
    found: Counter[str] = Counter()
    names: list[str] = []
    ours = False
    for line in text.splitlines():
        if line.startswith("events:"):
            names = line.split()[1:]
        elif line.startswith("fn="):
            ours = _KERNELS in line
        elif ours and line[:1].isdigit():
            found.update(dict(zip(names, map(int, line.split()[1:]), strict=False)))
    return found


def best_us(config: Config) -> float:
    """Return the least time of a frame."""
    samples, compute = frames_of(config), with_fastaudio(config)
    times = []
    for _ in range(200):
        begun_s = time.perf_counter()
        compute(samples)
        times.append(time.perf_counter() - begun_s)
    return min(times) / _FRAMES * 1e6


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    letters = [config.title[0] for config in CONFIGS]
    parser.add_argument(
        "configs", nargs="*", default=["A", "C"], metavar="LETTER", help=f"among {', '.join(letters)} (A C)"
    )
    parser.add_argument("--ghz", type=float, help="the processor's clock, for instructions per cycle")
    parser.add_argument("--run", action="store_true", help=argparse.SUPPRESS)  # what valgrind runs
    options = parser.parse_args()
    if options.ghz is not None and not 0 < options.ghz < float("inf"):
        parser.error(f"--ghz: expected a clock above 0, as 3.1, got {options.ghz}")
    for letter in options.configs:
        if letter not in letters:
            parser.error(f"LETTER: expected one of {', '.join(letters)}, got {letter}")
    return options


def main() -> int:
    """Print a line per configuration."""
    options = arguments()
    chosen = [config for config in CONFIGS if config.title[0] in options.configs]
    if options.run:
        for config in chosen:
            with_fastaudio(config)(frames_of(config))
        return 0
    if shutil.which("valgrind") is None:
        print("valgrind: expected it on PATH, got none; apt install valgrind", file=sys.stderr)
        return 1
    print(
        "per frame".ljust(30),
        *(name.rjust(13) for name in _COLUMNS),
        "us".rjust(7),
        "instructions per ns, per cycle",
    )
    for config in chosen:
        print(f"{config.title}: counting, which takes some ten seconds", file=sys.stderr)
        found, us = counts(config), best_us(config)
        values = [sum(found[event] for event in events) / _FRAMES for events in _COLUMNS.values()]
        if not values[0]:
            print(
                "valgrind: expected fastaudio's kernels by name, got none; build it by "
                "pip install . -C install.strip=false",
                file=sys.stderr,
            )
            return 1
        per_ns = values[0] / us / 1000
        line = [
            config.title.ljust(30),
            *(f"{value:13,.0f}" for value in values),
            f"{us:7.3f}",
            f"{per_ns:7.2f}",
        ]
        print(*line, f"({per_ns / options.ghz:.2f})" if options.ghz else "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
