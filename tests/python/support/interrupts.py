"""Interrupts calls at random times, and checks that each ends in time, whole or not at all.

    python tests/python/support/interrupts.py --interrupts 2000 --cores 1,2,16

Prints a line for each kind of call: how many interrupts ended it, how many came when it was done, and how
long it took from the signal to KeyboardInterrupt. Exits with 1 if one was lost, came late, or left something
half done.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

LATE_S = 20.0  # a loaded machine may need some; the measured times are printed
RATE = 16_000


class Pipe:
    """A file object that can't seek and gives a little at a time."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        time.sleep(0.0005)
        return self._file.read(min(size, 100_000))


@dataclass
class Counts:
    """What became of the interrupts of one kind of call."""

    interrupted: int = 0
    done_before: int = 0
    lost: int = 0
    half: int = 0
    errors: list[str] = field(default_factory=list)
    latencies_s: list[float] = field(default_factory=list)

    @property
    def bad(self) -> bool:
        return bool(self.lost or self.half or self.errors or max(self.latencies_s, default=0) > LATE_S)


def calls(folder: Path) -> dict[str, Callable[[], Any]]:
    """Return calls that give the same each time, by name."""
    import fastaudio as fa
    import numpy as np
    import soundfile
    from fastaudio.decoding.audio_file import AudioFile

    rng = np.random.default_rng(3)
    sound = (0.1 * rng.standard_normal((20 * RATE, 2))).astype(np.float32)
    for name in ("a.wav", "b.flac", "c.ogg", "d.mp3"):
        soundfile.write(folder / name, sound, RATE)
    content = (folder / "b.flac").read_bytes()
    paths = [str(folder / name) for name in ("a.wav", "b.flac", "c.ogg", "d.mp3")]
    front = fa.MelSpectrogram(sample_rate=RATE, n_fft=512, hop_length=256) >> fa.Log(kind="dB")
    pipe = fa.Pipeline(front >> fa.Delta(width=9))
    mono = np.ascontiguousarray(sound[:, 0])

    def pushed() -> Any:
        stream = pipe.open(sample_rate=RATE)
        parts = [stream.push(mono[at : at + 8000]) for at in range(0, len(mono), 8000)]
        return np.concatenate([*parts, stream.flush()])

    def pushed_live() -> Any:
        with pipe.live(RATE, overflow="block", buffer_s=1.0) as stream:
            rows = []
            for at in range(0, len(mono), 4000):
                stream.push(mono[at : at + 4000])
                while (frames := stream.get(timeout_s=0)) is not None:
                    rows.append(frames.rows)
            stream.finish()
            rows += [frames.rows for frames in stream]
            return np.concatenate(rows)

    def decoded(source: Any) -> Any:
        with AudioFile(source) as file:
            return np.concatenate([block.copy() for block in file.blocks()])

    def mapped() -> Any:
        results = list(pipe.map(paths, jobs=2))
        for result in results:
            if isinstance(result, Exception):
                raise result
        return np.concatenate(results)

    found: dict[str, Callable[[], Any]] = {
        "pipeline(path)": lambda: pipe(paths[3]),
        "pipeline(BytesIO)": lambda: pipe(io.BytesIO(content)),
        "pipeline(pipe)": lambda: pipe(Pipe(content)),
        "pipeline(array)": lambda: pipe(mono, sample_rate=RATE),
        "node(array, threads=2)": lambda: front(np.tile(mono, 8), threads=2),
        "load": lambda: fa.Pipeline.load(fa.models()[0]) and None,
        "map": mapped,
        "push, flush": pushed,
        "live push": pushed_live,
        "decode path": lambda: decoded(paths[2]),
        "decode BytesIO": lambda: decoded(io.BytesIO(content)),
    }
    with contextlib.suppress(ImportError):
        found["heads.fit"] = fitting(folder)
    return found


def fitting(folder: Path) -> Callable[[], Any]:
    """Return a call that trains a small head on tones."""
    import numpy as np
    import sklearn  # noqa: F401
    from fastaudio import heads
    from heads_helpers import embedder, write_network, write_tones

    write_tones(folder / "tones", ["low", "high"], 4)
    base = embedder(write_network(folder / "net.onnx"))
    files, labels = heads.labelled_files(folder / "tones")

    def fit() -> Any:
        head = heads.fit(base, files, labels, folds=2, kind="mlp", hidden=4, jobs=2)
        return np.asarray(head.evaluation.scores)

    return fit


def interrupt(call: Callable[[], Any], after_s: float, want: Any, counts: Counts) -> None:
    """Send SIGINT to this process some time after the call began."""
    import numpy as np

    sent_s: list[float] = []

    def send() -> None:
        time.sleep(after_s)
        sent_s.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    sender = threading.Thread(target=send, daemon=True)
    result, done, came_s = None, False, None
    try:
        sender.start()
        result = call()
        done = True
        end_s = time.monotonic() + after_s + LATE_S
        while time.monotonic() < end_s:
            time.sleep(0.001)
    except KeyboardInterrupt:
        came_s = time.monotonic()
    except BaseException as error:  # noqa: BLE001  # that is what is looked for
        counts.errors.append(f"{type(error).__name__}: {error}"[:300])
    sender.join()
    if came_s is None:
        counts.lost += 1
        return
    counts.latencies_s.append(came_s - sent_s[0])
    counts.done_before += done
    counts.interrupted += not done
    if done and want is not None and not np.array_equal(result, want):
        counts.half += 1


def is_in_bootstrap(trace: Any) -> bool:
    """Tell whether an exception was raised by Python's own code that begins and ends threads."""
    frames = traceback.extract_tb(trace)
    return bool(frames) and frames[-1].name == "_delete" and frames[-1].filename == threading.__file__


def run(n: int, seed: int, only: str | None) -> dict[str, Counts]:
    """Interrupt each kind of call n times in this process."""
    import numpy as np

    unheard: list[str] = []

    def hear(args: Any) -> None:
        # A thread of Python dies before it runs anything if its `start` was interrupted at a bad moment; the
        # interrupt itself comes back from there.
        if not (isinstance(args.exc_value, KeyError) and is_in_bootstrap(args.exc_traceback)):
            unheard.append("".join(traceback.format_exception(args.exc_value)))

    sys.unraisablehook = threading.excepthook = hear
    rng = random.Random(seed)  # noqa: S311
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, call in calls(Path(folder)).items():
            if only is not None and only not in name:
                continue
            counts = results[name] = Counts()
            want = call()
            began_s = time.monotonic()
            call()
            takes_s = time.monotonic() - began_s
            for _ in range(n):
                interrupt(call, rng.uniform(0, 1.1 * takes_s), want, counts)
                gc.collect(0)
            again = call()
            if want is not None and not np.array_equal(again, want):
                counts.half += 1
            counts.errors += unheard
            unheard.clear()
    return results


def report(name: str, cores: int, counts: Counts) -> str:
    times_ms = sorted(1e3 * value for value in counts.latencies_s) or [0.0]
    middle, high = times_ms[len(times_ms) // 2], times_ms[int(0.99 * (len(times_ms) - 1))]
    text = (
        f"{name:24} {cores:3} cores  {counts.interrupted:4} interrupted  {counts.done_before:4} done before  "
        f"{counts.lost} lost  {counts.half} half  median {middle:.1f} ms  99 % {high:.1f} ms  "
        f"most {times_ms[-1]:.1f} ms"
    )
    return "\n  ".join([text, *counts.errors[:5]])


def main() -> int:
    """Run in processes that believe in so many cores."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--interrupts", type=int, default=60, help="of all kinds together")
    parser.add_argument("--cores", default="1,2,16", help="numbers of cores to pretend")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="kinds of call with this in their name")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child is not None:
        os.cpu_count = lambda: args.child  # before the import
        results = run(args.interrupts, args.seed, args.only)
        sys.stdout.write(json.dumps({name: vars(counts) for name, counts in results.items()}))
        return 0
    cores = [int(one) for one in args.cores.split(",")]
    each = max(1, round(args.interrupts / len(cores) / (1 if args.only else 12)))
    failed = False
    for n in cores:
        command = [sys.executable, __file__, "--interrupts", str(each), "--child", str(n)]
        command += ["--seed", str(args.seed + n), *(["--only", args.only] if args.only else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.stdout.write(f"{n} cores: the process ended with {done.returncode}\n{done.stderr[-3000:]}\n")
            failed = True
            continue
        for name, values in json.loads(done.stdout.splitlines()[-1]).items():
            counts = Counts(**values)
            failed |= counts.bad
            sys.stdout.write(report(name, n, counts) + "\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
