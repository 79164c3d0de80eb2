"""Kills the driver and the workers of scans on Ray, and compares the rows with those of an undisturbed scan.

The files are those of `scan.py`. Drivers are processes of their own, which start a cluster of two workers on
this machine; one is killed at a random moment of its work, or workers of it are, one after the other.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.scan import scan
from scan import compare, make_files

DRIVER = """
import sys
from fastaudio import ray
from fastaudio.ray import units
from fastaudio.scanning.networks import Chosen
units.UNIT_S, units._LEAST_S, units._FIRST = 0.5, 0.2, 300_000
ray.scan([sys.argv[1]], sys.argv[2], chosen=Chosen(sys.argv[3]), workers=2)
"""


def workers(driver: int) -> list[int]:
    """Return the processes of workers that a driver's cluster has now."""
    parents, names = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            text = (path / "stat").read_text(encoding="utf-8", errors="replace")
            names[int(path.name)] = (path / "cmdline").read_bytes()
        except OSError:
            continue
        parents[int(path.name)] = int(text.rpartition(")")[2].split()[1])
    found = []
    for one, name in names.items():
        above = one
        while above in parents and above != driver:
            above = parents[above]
        if above == driver and name.startswith(b"ray::Worker"):
            found.append(one)
    return found


def main() -> None:
    """Run, and print what was killed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sounds", help="a folder with sounds")
    parser.add_argument("--files", type=int, default=5000, help="how many (%(default)s)")
    parser.add_argument(
        "--skew", type=float, default=24.0, help="how many are short, see scan.py (%(default)s)"
    )
    parser.add_argument("--model", default="instruments")
    parser.add_argument("--drivers", type=int, default=10, help="drivers to kill (%(default)s)")
    parser.add_argument("--workers", type=int, default=40, help="workers to kill (%(default)s)")
    args = parser.parse_args()
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    folder = Path(tempfile.mkdtemp(prefix="fastaudio-kills-"))
    try:
        make_files(args.sounds, folder, args.files, args.skew)
        scan([folder / "in"], folder / "whole", chosen=Chosen(args.model))
        kill(folder, args)
    finally:
        shutil.rmtree(folder)


def kill(folder: Path, args: argparse.Namespace) -> None:
    """Kill as many workers and drivers; each time that a scan ends, compare, and begin anew."""
    rng, out = np.random.default_rng(0), folder / "out"
    left = {"workers": args.workers, "drivers": args.drivers}
    n_whole, ended = 0, False
    while any(left.values()) or not ended:  # what was killed last goes on to its end, too
        driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(folder / "in"), str(out), args.model])
        n_before = len(list(out.glob("part-*")))
        of_driver = int(rng.integers(2, 7)) if left["drivers"] else 0  # workers killed before it is
        while driver.poll() is None:
            time.sleep(rng.uniform(0.2, 1.5))
            if len(list(out.glob("part-*"))) == n_before or not any(left.values()):
                continue  # it starts, or workers do
            n_before = len(list(out.glob("part-*")))
            if left["workers"] and (of_driver or not left["drivers"]) and (found := workers(driver.pid)):
                os.kill(int(rng.choice(found)), signal.SIGKILL)
                left["workers"] -= 1
                of_driver -= 1 if of_driver else 0
            elif left["drivers"] and (not of_driver or not left["workers"]):
                driver.kill()
                driver.wait()
                left["drivers"] -= 1
        ended = driver.returncode == 0
        if ended:
            n_whole += 1
            n_rows = compare(folder)
            n_tables = len(list(out.glob("part-*")))
            print(
                f"at the end, {n_tables} tables, {n_rows} rows, as undisturbed; left to kill: {left}",
                flush=True,
            )
            if any(left.values()):
                shutil.rmtree(out)
    print(f"killed {args.drivers} drivers and {args.workers} workers; {n_whole} times to the end")


if __name__ == "__main__":
    main()
