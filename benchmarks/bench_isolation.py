"""Measures what a process of its own costs: for a folder of short files, and for a stream of small blocks."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import soundfile
from harness import Case, Context, Group, Target, Timed
from sources import read_mono

if TYPE_CHECKING:
    from harness import Measure, Values
    from numpy.typing import NDArray

MODEL = "musicnn-mtt"
_RATE = 16_000
_BLOCK = 160  # 10 ms
_CLIP_S = 10

# What a process and those that it started hold; pages that they share are counted once.
_MEMORY = """
import os, pathlib, sys, fastaudio
def share(pid):
    with open(f'/proc/{pid}/smaps_rollup') as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith('Pss:')) * 1024
pipeline = fastaudio.Pipeline.load('musicnn-mtt', threads=1, isolate=sys.argv[1] == 'isolate')
for result in pipeline.map(sorted(pathlib.Path(sys.argv[2]).iterdir()), jobs=int(sys.argv[3])):
    assert len(result)
children = pathlib.Path('/proc/self/task')
pids = {int(pid) for task in children.iterdir() for pid in (task / 'children').read_text().split()}
print(sum(map(share, pids | {os.getpid()})))
"""


def clips(context: Context, n: int) -> list[Path]:
    """Write `n` clips of ten seconds each, cut from the file at different places."""
    sound, rate = soundfile.read(context.audio, dtype="int16", always_2d=True)
    size = _CLIP_S * rate
    folder = context.temp / f"{n}_clips"
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{i:03}.wav" for i in range(n)]
    for i, path in enumerate(paths):
        soundfile.write(path, np.take(sound, range(i * 997, i * 997 + size), axis=0, mode="wrap"), rate)
    return paths


def started_by(pipeline: fa.Pipeline) -> list[int]:
    """Return the numbers of a pipeline's processes; none if it isn't isolated."""
    children = getattr(pipeline, "_children", None)
    return [] if children is None else [one.pid for one in children._started if one.alive]  # noqa: SLF001


def cpu_s_of(pid: int) -> float:
    """Return the processor time of another process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Folder:
    """A measurement of a folder, one file after the other; `cpu_ms` is the least processor time per file."""

    def __init__(self, pipeline: fa.Pipeline, paths: list[Path]) -> None:
        self.cpu_ms = math.inf
        self._pipeline = pipeline
        self._paths = paths

    def __call__(self, _values: Values) -> float:
        """Return how long a file takes."""
        pids = started_by(self._pipeline)
        before_s, start_s = time.process_time() + sum(map(cpu_s_of, pids)), time.perf_counter()
        list(self._pipeline.map(self._paths, jobs=1))
        took_s = time.perf_counter() - start_s
        spent_s = time.process_time() + sum(map(cpu_s_of, pids)) - before_s
        self.cpu_ms = min(self.cpu_ms, spent_s * 1e3 / len(self._paths))
        return took_s * 1e3 / len(self._paths)


def _spent(run: Folder, _values: Values) -> float:
    return run.cpu_ms


def stream_cost(pipeline: fa.Pipeline, samples: NDArray[np.float32]) -> Measure:
    """Return a measurement: ms of processor time per second of sound in blocks of 10 ms, of all processes."""

    def measure(_: Values) -> float:
        with pipeline.open(sample_rate=_RATE) as stream:
            pids = started_by(pipeline)
            before_s = time.process_time() + sum(map(cpu_s_of, pids))
            for start in range(0, len(samples), _BLOCK):
                stream.push(samples[start : start + _BLOCK])
            spent_s = time.process_time() + sum(map(cpu_s_of, pids)) - before_s
        return spent_s * 1000 / (len(samples) / _RATE)

    return measure


def memory_mb(how: str, folder: Path, jobs: int) -> Measure:
    """Return a measurement: what a fresh process and its own hold after the folder, in MB of 10**6 bytes."""

    def measure(_: Values) -> float:
        command = [sys.executable, "-c", _MEMORY, how, str(folder), str(jobs)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return int(done.stdout) / 1e6

    return measure


def groups(context: Context) -> list[Group]:
    """Compare a pipeline in this process with the same one isolated."""
    here = fa.Pipeline.load(MODEL, threads=1)
    apart = fa.Pipeline.load(MODEL, threads=1, isolate=True)
    paths = clips(context, 20 if context.quick else 200)
    sound, rate = read_mono(context.audio)
    samples = fa.Resample(input_rate=rate, output_rate=_RATE)(sound)[: 60 * _RATE]
    n = len(paths)

    def start() -> None:
        fa.Pipeline.load(MODEL, threads=1, isolate=True).close()

    for one, other in zip(here.map(paths[:5]), apart.map(paths[:5]), strict=True):
        if one.scores.tobytes() != other.scores.tobytes():
            raise RuntimeError("isolation: an isolated pipeline gives other numbers")
    runs = {how: Folder(pipeline, paths) for how, pipeline in (("here", here), ("isolated", apart))}
    files = [Case(how, run, None if how == "here" else "here") for how, run in runs.items()]
    spent = [
        Case("here", partial(_spent, runs["here"])),
        Case("isolated", partial(_spent, runs["isolated"]), "here", Target(1.15)),
    ]
    stream = [
        Case("in this process", stream_cost(here, samples)),
        Case("isolated", stream_cost(apart, samples), "in this process"),
    ]
    starting = [Case("load an isolated pipeline, and end it", Timed(start))]
    found = [
        Group(f"{n} files of {_CLIP_S} s, {MODEL}, per file", "ms", files, rounds=3, warm_up=False),
        Group("the same, processor time of all processes", "ms", spent, rounds=1, warm_up=False),
        Group(f"a stream in blocks of 10 ms, {MODEL}, processor time", "ms/s", stream, rounds=3),
        Group("a process of its own", "s", starting, rounds=3),
    ]
    if Path("/proc/self/smaps_rollup").exists():
        few = clips(context, 10)
        memory = [
            Case(f"{what}, jobs={jobs}", memory_mb(how, few[0].parent, jobs))
            for jobs in (1, 2)
            for what, how in (("in this process", "here"), ("isolated, all processes", "isolate"))
        ]
        found.append(Group(f"memory, {MODEL}", "MB", memory, rounds=1, warm_up=False))
    return found
