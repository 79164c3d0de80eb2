"""Measures one long signal on one thread and on more, beside librosa's halves in a pool."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from bench_log_mel import CONFIGS, with_fastaudio, with_librosa
from fastaudio import Resample
from harness import Case, Context, Group, Target, Timed
from sources import read_mono

if TYPE_CHECKING:
    from bench_log_mel import Compute, Samples

_LENGTH_S = 600
_TWICE = 1.9


def groups(context: Context) -> list[Group]:
    """Compare milliseconds for ten minutes of sound."""
    whole, rate = read_mono(context.audio)
    found = []
    for config in (CONFIGS[0], CONFIGS[2]):
        resample = Resample(input_rate=rate, output_rate=config.sample_rate)
        mono = resample(whole) if rate != config.sample_rate else whole
        samples = np.resize(mono, _LENGTH_S * config.sample_rate)
        node, theirs = with_fastaudio(config), with_librosa(config)

        def timed(threads: int, node: Any = node, samples: Samples = samples) -> Timed:
            return Timed(lambda: node(samples, threads=threads), scale=1e3)

        def pooled(n: int, theirs: Compute | None = theirs, samples: Samples = samples) -> Timed | None:
            if theirs is None:
                return None
            parts = np.array_split(samples, n)
            pool = ThreadPoolExecutor(n)
            return Timed(lambda: list(pool.map(theirs, parts)), scale=1e3)

        cases = [
            Case("librosa, one thread", pooled(1)),
            Case("fastaudio, one thread", timed(1), "librosa, one thread"),
            Case("fastaudio, two threads", timed(2), "fastaudio, one thread", Target(1 / _TWICE)),
            Case("librosa, two halves in two threads", pooled(2), "fastaudio, two threads"),
        ]
        n_cores = os.cpu_count() or 1
        if n_cores > 2:  # noqa: PLR2004
            cases.append(Case(f"fastaudio, {n_cores} threads", timed(n_cores), "fastaudio, one thread"))
        found.append(Group(f"log-mel {config.title}, ten minutes", "ms", cases, rounds=15))
    return found
