"""One long signal on one thread and on more."""

from __future__ import annotations

import os

import fastaudio as fa
import numpy as np
from bench_log_mel import CONFIGS, with_fastaudio
from harness import Case, Context, Group, Target, Timed
from sources import read_mono

_LENGTH_S = 600
_TWICE = 1.7


def groups(context: Context) -> list[Group]:
    """Milliseconds for ten minutes."""
    whole, rate = read_mono(context.audio)
    found = []
    for config in (CONFIGS[0], CONFIGS[2]):
        resample = fa.Resample(input_rate=rate, output_rate=config.sample_rate)
        mono = resample(whole) if rate != config.sample_rate else whole
        samples = np.resize(mono, _LENGTH_S * config.sample_rate)
        node = with_fastaudio(config)

        def timed(threads: int, node: fa.Node = node, samples: np.ndarray = samples) -> Timed:
            return Timed(lambda: node(samples, threads=threads), scale=1e3)

        cases = [
            Case("one thread", timed(1)),
            Case("two threads", timed(2), "one thread", Target(1 / _TWICE)),
        ]
        n_cores = os.cpu_count() or 1
        if n_cores > 2:  # noqa: PLR2004
            cases.append(Case(f"{n_cores} threads", timed(n_cores), "one thread"))
        found.append(Group(f"log-mel {config.title}, ten minutes", "ms", cases, rounds=15))
    return found
