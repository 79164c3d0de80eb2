"""Runs the benchmarks and prints one table.

Each subject runs in its own process, its cases in turns. The table names peers that aren't installed.
Exit status: 0 if every target holds, 1 if one doesn't or a measurement failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

from harness import Context, Result
from rounds import run_group

SUBJECTS = (
    "end_to_end",
    "memory",
    "import",
    "start",
    "gil",
    "decode_to_features",
    "resample",
    "log_mel",
    "harmonic",
    "heads",
    "mfcc",
    "threads",
    "streaming",
    "live",
    "isolation",
    "export",
    "quantize",
    "peers",
)

_EXAMPLES = """
examples:
  python benchmarks/run.py
  python benchmarks/run.py --only end_to_end resample --repeat 15
  python benchmarks/run.py --quick --json figures.json --plot figures.png
  python benchmarks/run.py --audio song.mp3 --only memory

Peers: pip install '.[bench]'; all of them besides: pip install torch torchaudio opensmile openvino silero-vad
openwakeword, and essentia with --pre.
FASTAUDIO_ISA=avx2 or baseline measures another instruction set.
"""

# Libraries that would start threads of their own read these when they are imported.
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}


def measure(subject: str, context: Context) -> list[Result]:
    """Measure a subject: every group of `bench_<subject>.py`."""
    groups = import_module(f"bench_{subject}").groups(context)
    return [result for group in groups for result in run_group(subject, group, context)]


def measure_apart(subject: str, context: Context) -> list[Result]:
    """Measure a subject in a new process; a failure becomes a row."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(measure, subject, context).result()
        except Exception as error:  # noqa: BLE001  # told in the table; the rest goes on
            note = f"failed: {type(error).__name__}: {error}"
            return [Result(subject, "not measured", subject, "", None, None, note=note)]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--only", nargs="+", choices=SUBJECTS, metavar="SUBJECT", help=", ".join(SUBJECTS))
    add("--audio", type=Path, metavar="FILE", help="file to measure with; a 3:27 track by default")
    add("--repeat", type=int, metavar="N", help="rounds; 3 to 41 by default, as the subject needs")
    add("--quick", action="store_true", help="three rounds over half a minute: a rough look")
    add("--json", type=Path, metavar="FILE", help="write every value to FILE")
    add("--plot", type=Path, metavar="FILE", help="draw the table to FILE (needs matplotlib)")
    add("--markdown", action="store_true", help="print the table as Markdown")
    add("--librosa", type=Path, metavar="PYTHON", help="measure this Python's librosa too, among the peers")
    add("--wake-word", type=Path, metavar="FOLDER", help="folder with openWakeWord's networks, for the peers")
    options = parser.parse_args()
    if options.repeat is not None and options.repeat < 1:
        parser.error(f"--repeat: expected at least 1, got {options.repeat}")
    if options.audio is not None and not options.audio.is_file():
        parser.error(f"--audio: expected a file, got {options.audio}")
    for path in filter(None, (options.json, options.plot)):
        if not path.parent.is_dir():
            parser.error(f"{path}: expected a folder that is there, got {path.parent}; make it")
    return options


def main() -> int:
    """Measure what was asked for."""
    options = arguments()
    os.environ.update(_ENVIRONMENT)
    import show
    import sources

    facts = show.machine()
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="fastaudio-bench-") as folder:
        path, audio = sources.prepare(options.audio, Path(folder), quick=options.quick)
        print(show.header(facts, audio), flush=True)
        context = Context(
            path, Path(folder), options.quick, options.repeat, options.librosa, options.wake_word
        )
        for subject in options.only or SUBJECTS:
            results += measure_apart(subject, context)
    print(show.markdown(results) if options.markdown else show.table(results), end="")
    if options.json:
        show.write_json(options.json, facts, audio, results)
    if options.plot:
        show.write_plot(options.plot, facts, audio, results)
    failed = any(result.verdict == "NO" or "failed" in result.note for result in results)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
