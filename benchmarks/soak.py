"""Feeds a live stream with hours of sound as fast as it goes, and checks that nothing grows or drifts.

Exit status: 0 if memory, time stamps and counts hold, 1 if not.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from pathlib import Path

import fastaudio as fa
import numpy as np
from sources import musicnn_front
from tqdm import tqdm

_RATE = 16_000
_BLOCK = _RATE // 4
_MOST_MB = 1.0
_EXAMPLES = """
examples:
  python benchmarks/soak.py                              24 hours of log-mel, some 20 s
  python benchmarks/soak.py --model musicnn-mtt          24 hours of tags, some minutes
  python benchmarks/soak.py --start-sample 4294960000    counters that pass 2^32 soon
"""


def resident_mb() -> float:
    """Return this process's resident memory, in MB of 10**6 bytes (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=24.0, help="of sound (%(default)s)")
    parser.add_argument(
        "--model", help="a model's name; log-mel, its mean and maximum every 3 s, without one"
    )
    parser.add_argument("--start-sample", type=int, default=0, metavar="N", help="count of the first sample")
    return parser.parse_args()


def main() -> int:
    """Feed the stream, watch it and report."""
    options = arguments()
    if options.model:
        pipe = fa.Pipeline.load(options.model)
    else:
        pipe = fa.Pipeline(musicnn_front() >> fa.Statistics(kinds=["mean", "max"], window=187))
    n_blocks = round(options.hours * 3600 * _RATE / _BLOCK)
    noise = np.random.default_rng(1).standard_normal((64, _BLOCK)).astype(np.float32) * np.float32(0.1)
    spec = next(iter(pipe.output_specs.values()))
    stream = pipe.live(_RATE, start_sample=options.start_sample)

    def feed() -> None:
        for i in range(n_blocks):
            stream.push(noise[i % len(noise)])
        stream.finish()

    threading.Thread(target=feed, daemon=True).start()
    started, first_mb, largest_mb, worst_s, n_rows = time.perf_counter(), 0.0, 0.0, 0.0, 0
    first_s = options.start_sample / _RATE
    with tqdm(total=round(options.hours * 3600), unit="s", disable=not sys.stderr.isatty()) as bar:
        for item in stream:
            rows = len(item.rows) if isinstance(item, fa.Frames) else 1
            worst_s = max(worst_s, abs(item.start_s - (first_s + n_rows / spec.rate_hz)))
            n_rows += rows
            done_s = item.end_s - first_s
            if n_rows % 64 == 0:
                bar.update(int(done_s) - bar.n)
                if done_s >= 60:  # noqa: PLR2004  # a minute of sound to settle
                    first_mb = first_mb or resident_mb()
                    largest_mb = max(largest_mb, resident_mb())
    took_s = time.perf_counter() - started
    stats = stream.stats()
    stream.close()
    expected = int((n_blocks * _BLOCK / _RATE - spec.latency_s) * spec.rate_hz) + 1
    grown_mb = largest_mb - first_mb
    print(f"{options.hours:g} h of sound in {took_s:.1f} s, {options.hours * 3600 / took_s:.0f} x real time")
    print(f"samples  captured {stats.captured}, delivered {stats.delivered}, dropped {stats.dropped}")
    print(f"rows     {n_rows}, expected about {expected}; worst time stamp off by {worst_s:.2e} s")
    print(f"memory   {first_mb:.1f} MB after a minute of sound, {grown_mb:+.2f} MB at most since")
    whole = stats.captured == stats.delivered == n_blocks * _BLOCK and abs(n_rows - expected) <= 1
    good = whole and worst_s < 1 / _RATE and grown_mb < _MOST_MB
    print("holds" if good else "DOES NOT HOLD")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
