"""A service: many callers at once share a pipeline, get the same numbers, and take little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

# Linux keeps the peak of the process that started this one in ru_maxrss; VmHWM begins anew.
SERVICE = """
import io, json, pathlib, sys, threading
from concurrent.futures import ThreadPoolExecutor
import numpy as np
import soundfile
import fastaudio as fa

def peak_mb():
    status = pathlib.Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))

n_threads, n_calls = map(int, sys.argv[1:])
noise = np.random.default_rng(7).uniform(-0.3, 0.3, (2, 44_100 * 4, 2)).astype(np.float32)
uploads = []
for sound in noise:
    file = io.BytesIO()
    soundfile.write(file, sound, 44_100, format="WAV")
    uploads.append(file.getvalue())
del noise, sound
pipeline = fa.Pipeline.load("musicnn-mtt")
alone = [pipeline(io.BytesIO(upload)).scores for upload in uploads]
first = peak_mb()
together = threading.Barrier(n_threads)

def serve(i):
    if i < n_threads:
        together.wait()
    scores = pipeline(io.BytesIO(uploads[i % 2])).scores
    return np.array_equal(scores, alone[i % 2])

with ThreadPoolExecutor(n_threads) as threads:
    halfway = list(threads.map(serve, range(n_calls // 2)))
half = peak_mb()
with ThreadPoolExecutor(n_threads) as threads:
    rest = list(threads.map(serve, range(n_calls - n_calls // 2)))
print(json.dumps({"same": all(halfway + rest), "first": first, "half": half, "peak": peak_mb()}))
"""


def serve(n_threads: int, n_calls: int) -> dict[str, float]:
    command = [sys.executable, "-c", SERVICE, str(n_threads), str(n_calls)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    result: dict[str, float] = json.loads(done.stdout)
    return result


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads peaks as Linux tells them")  # noqa: PTH110
def test_fifty_callers_at_once_take_the_memory_of_a_run_per_core() -> None:
    service = serve(50, 100)
    assert service["same"], "results of calls at the same time are those of one call"
    cores = len(os.sched_getaffinity(0))
    # A run of this network takes 15 MB, and a call that waits less than 2.
    assert service["peak"] < service["first"] + 20 * cores + 2 * 50, service
    assert service["peak"] < service["half"] + 20, "more calls don't take more"
