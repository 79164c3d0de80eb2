"""Measures peak memory of a fresh process that tags a file, one ten times as long, or serves many calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import soundfile
from harness import Case, Context, Group, Target
from sources import repeat_to

if TYPE_CHECKING:
    from harness import Measure

# Linux keeps the peak of the process that started this one in ru_maxrss; VmHWM begins anew.
_PEAK = """
import pathlib, sys
status = pathlib.Path("/proc/self/status")
if status.exists():
    lines = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    peak = int(lines[0].split()[1]) * 1024
elif sys.platform == "win32":
    import psutil
    peak = psutil.Process().memory_info().peak_wset
else:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
print(peak)
"""
_NUMPY = "import numpy"
_IMPORT = "import fastaudio"
_TAG = "import sys, fastaudio; fastaudio.Pipeline.load('musicnn-mtt', threads=1)(sys.argv[1])"
# 50 threads share the pipeline and are given ten seconds each, as a service's requests are.
_SERVE = """
import sys
from concurrent.futures import ThreadPoolExecutor
import soundfile, fastaudio
pipeline = fastaudio.Pipeline.load('musicnn-mtt')
sound, rate = soundfile.read(sys.argv[1], dtype='float32', frames=441_000, always_2d=True)
with ThreadPoolExecutor(50) as threads:
    call = lambda _: pipeline(sound, sample_rate=rate, layout='samples_channels')
    list(threads.map(call, range(int(sys.argv[2]))))
"""

# As many calls at once as there are threads, 10 s of sound each.
_AT_ONCE = """
import sys
from concurrent.futures import ThreadPoolExecutor
import soundfile, fastaudio
pipeline = fastaudio.Pipeline.load('musicnn-mtt')
sound, rate = soundfile.read(sys.argv[1], dtype='float32', frames=441_000)
sound = sound.mean(axis=1) if sound.ndim > 1 else sound
with ThreadPoolExecutor(int(sys.argv[2])) as threads:
    list(threads.map(lambda _: pipeline(sound, sample_rate=rate), range(40)))
"""


# Many calls with files, which each of them decodes.
_SERVE_FILES = """
import sys
from concurrent.futures import ThreadPoolExecutor
import fastaudio
pipeline = fastaudio.Pipeline.load('musicnn-mtt')
with ThreadPoolExecutor(50) as threads:
    list(threads.map(pipeline, [sys.argv[1]] * int(sys.argv[2])))
"""
# Pages that processes share are counted once: each process has its part of them.
_FORKED = """
import os, sys, fastaudio
def share():
    with open('/proc/self/smaps_rollup') as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith('Pss:')) * 1024
pipeline = fastaudio.Pipeline.load('musicnn-mtt', threads=1)
pipeline(sys.argv[1])
n = int(sys.argv[2])
done, go, end = os.pipe(), os.pipe(), os.pipe()
for _ in range(n):
    if os.fork() == 0:
        pipeline(sys.argv[1])
        os.write(done[1], b'.')
        os.read(go[0], 1)  # until all have run
        os.write(done[1], share().to_bytes(8, 'big'))
        os.read(end[0], 1)  # until all have told
        os._exit(0)
told = 0
while told < n:
    told += len(os.read(done[0], n - told))
os.write(go[1], b'.' * n)
data = b''
while len(data) < 8 * n:
    data += os.read(done[0], 8 * n - len(data))
print(share() + sum(int.from_bytes(data[i:i + 8], 'big') for i in range(0, 8 * n, 8)))
os.write(end[1], b'.' * n)
"""


def peak_mb(code: str, *arguments: str) -> Measure:
    """Return a measurement: the peak of a process that runs `code`, in MB of 10**6 bytes."""

    def measure(_: object) -> float:
        command = [sys.executable, "-c", f"{code}\n{_PEAK}", *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return int(done.stdout) / 1e6

    return measure


def forked_mb(path: str, n_workers: int) -> Measure:
    """Return a measurement: what a process and its forked workers hold together, in MB of 10**6 bytes."""

    def measure(_: object) -> float:
        command = [sys.executable, "-W", "ignore", "-c", _FORKED, path, str(n_workers)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return int(done.stdout) / 1e6

    return measure


def groups(context: Context) -> list[Group]:
    """Compare peaks in MB; files made here are FLAC, because encoding MP3 takes a minute."""
    duration_s = soundfile.info(context.audio).duration
    once, ten_times = context.temp / "once.flac", context.temp / "ten_times.flac"
    repeat_to(context.audio, once, duration_s)
    repeat_to(context.audio, ten_times, 10 * duration_s)
    below = Target(300, of="value")
    same = Target(1.05, at_least=0.95)
    cases = [
        Case("import numpy", peak_mb(_NUMPY)),
        Case("import fastaudio", peak_mb(_IMPORT)),
        Case("fastaudio tags the file", peak_mb(_TAG, str(context.audio)), target=below),
        Case("fastaudio, as FLAC", peak_mb(_TAG, str(once)), target=below),
        Case("fastaudio, ten times as long", peak_mb(_TAG, str(ten_times)), target=below),
        Case(
            "fastaudio, the same again",
            lambda values: values["fastaudio, ten times as long"],
            "fastaudio, as FLAC",
            same,
        ),
    ]
    cases += [
        Case(f"fastaudio, {n} calls by 50 threads", peak_mb(_SERVE, str(once), str(n)), target=below)
        for n in (50, 1000)
    ]
    cases += [
        Case("fastaudio, calls one after the other", peak_mb(_AT_ONCE, str(once), "1")),
        Case("fastaudio, calls two at once", peak_mb(_AT_ONCE, str(once), "2")),
        Case(
            "fastaudio, the second of these",
            lambda values: (
                values["fastaudio, calls two at once"] - values["fastaudio, calls one after the other"]
            ),
            target=Target(4, of="value"),
        ),
    ]
    ten_s = context.temp / "ten_s.wav"
    sound, rate = soundfile.read(context.audio, frames=10 * soundfile.info(context.audio).samplerate)
    soundfile.write(ten_s, sound, rate)
    cases.append(
        Case("fastaudio, 200 WAV files by 50 threads", peak_mb(_SERVE_FILES, str(ten_s), "200"), target=below)
    )
    if Path("/proc/self/smaps_rollup").exists():
        cases += [
            Case(f"fastaudio, {n} forked workers", forked_mb(str(ten_s), n), target=Target(500, of="value"))
            for n in (2, 8)
        ]
    return [Group("peak memory of a process, musicnn-mtt", "MB", cases, rounds=3, warm_up=False)]
