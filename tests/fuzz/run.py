"""Runs the fuzzers of what comes from strangers and of long use, one after the other, in forked children.

    python tests/fuzz/run.py                     as many inputs of each as the gate draws: the same each time
    python tests/fuzz/run.py --minutes 60        each for an hour; --coverage counts Python lines, slowly
    python tests/fuzz/run.py --only onnx --runs 5000 --seed 7
    python tests/fuzz/run.py --only onnx --input failing.bin
    python tests/fuzz/run.py --only packed --guided -max_total_time=600        by atheris: its options

Inputs in `tests/fuzz/corpus/NAME` come first. Findings are printed by kind, and the first input of each is
kept in the folder `--findings`; the exit status is 1 if there was one.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a process that forks has no threads of its own

import argparse
import re
import sys
import time
import warnings
from pathlib import Path

SUPPORT = Path(__file__).parents[1] / "python" / "support"
sys.path.append(str(SUPPORT))

from fuzz_arrays import Arrays
from fuzz_cards import Cards
from fuzz_decoders import Decoders
from fuzz_interrupts import Interrupts
from fuzz_live import Live
from fuzz_onnx import Onnx
from fuzz_options import Options
from fuzz_packed import Packed
from harness import Fuzzer, Report, fuzz, main_only, replay

FUZZERS: list[type[Fuzzer]] = [Cards, Packed, Onnx, Decoders, Options, Arrays, Live, Interrupts]


def show(fuzzer: Fuzzer, report: Report, findings: Path) -> None:
    """Print what came of one fuzzer, and keep what failed."""
    per_second = report.runs / max(report.seconds, 1e-9)
    print(
        f"{fuzzer.name}: {report.runs} inputs, {len(fuzzer.kept)} of them kept, in {report.seconds:.0f} s "
        f"({per_second:.0f} per second); slowest {report.slowest[0]:.2f} s ({report.slowest[1]}), "
        f"most memory {report.largest[0]:.0f} MB ({report.largest[1]}); {len(report.findings)} findings"
    )
    if told := report.lines.told():
        print(f"  covered {told}")
    for kind, (times, case, content, text) in report.findings.items():
        findings.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"\W+", "-", f"{fuzzer.name}-{kind}")[:80]
        (findings / name).write_bytes(content)
        print(f"\n  {kind}\n  {times} times, first by {case}, kept as {findings / name}")
        print("    " + text.strip().replace("\n", "\n    ") + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [fuzzer.name for fuzzer in FUZZERS]
    parser.add_argument("--only", choices=names, action="append", help="may be given again")
    parser.add_argument("--runs", type=int, help="inputs drawn by each")
    parser.add_argument("--minutes", type=float, help="how long each runs, whatever number that is")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slack", type=float, default=1, help="longer limits of time, for a busy machine")
    parser.add_argument("--coverage", action="store_true", help="count the lines of Python that ran")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings").resolve())
    parser.add_argument("--input", type=Path, help="run this file alone")
    parser.add_argument("--guided", action="store_true", help="by the package atheris, if it is installed")
    args, rest = parser.parse_known_args()
    if rest and not args.guided:
        parser.error(f"expected known options, got {' '.join(rest)}")
    main_only()
    warnings.simplefilter("ignore")
    chosen = [kind() for kind in FUZZERS if args.only is None or kind.name in args.only]
    if args.guided:
        from guided import run_guided

        run_guided(chosen[0], rest)
        return 0
    for fuzzer in chosen:
        fuzzer.limit_s *= args.slack
    found, began = 0, time.monotonic()
    for fuzzer in chosen:
        if args.input:
            report = replay(fuzzer, args.input.read_bytes())
        else:
            runs = args.runs if args.runs is not None else None if args.minutes else fuzzer.gate_runs
            seconds = 60 * (args.minutes or 0)
            report = fuzz(fuzzer, seed=args.seed, runs=runs, seconds=seconds, measure=args.coverage)
        show(fuzzer, report, args.findings)
        found += len(report.findings)
    print(f"{found} findings in {time.monotonic() - began:.0f} s; seed {args.seed}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
