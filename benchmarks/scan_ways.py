"""Runs a model over many files in the ways that people build by hand, and by a scan.

All give the mean scores of musicnn for each file, with two workers: a scan, `Pipeline.map`, librosa and ONNX
Runtime in a pool of processes, and Ray Data with librosa and ONNX Runtime, or with `fastaudio.ray.Scan`. What
is compared is the processor time of the work, without the start of processes and packages, and the time that
each way takes in all. Ways take turns; the median of each is shown.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from fastaudio import cards
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.scan import scan
from scan import make_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MODEL, N_WORKERS, N_FRAMES = "musicnn-mtt", 2, 187
LIBROSA_ON_RAY, SCAN_ON_RAY = "Ray Data, librosa inside", "Ray Data, fastaudio.ray.Scan inside"


_sessions: list[Any] = []


def session() -> Any:
    """Return the network, once per process."""
    import onnxruntime

    if not _sessions:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = cards.read_card(MODEL).path.parent / "model.onnx"
        _sessions.append(onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]))
    return _sessions[0]


def by_hand(path: str) -> np.ndarray[Any, Any]:
    """Return a file's mean scores by librosa and ONNX Runtime."""
    import librosa

    samples, _ = librosa.load(path, sr=16_000)
    mel = librosa.feature.melspectrogram(y=samples, sr=16_000, n_fft=512, hop_length=256, n_mels=96)
    rows = np.log10(10_000 * mel.T + 1).astype(np.float32)
    n_patches = max(1, len(rows) // N_FRAMES)
    rows = np.pad(rows, ((0, max(0, N_FRAMES - len(rows))), (0, 0)))
    patches = rows[: n_patches * N_FRAMES].reshape(n_patches, N_FRAMES, 96)
    name = session().get_inputs()[0].name
    return np.concatenate([session().run(None, {name: patch[None]})[0] for patch in patches]).mean(0)


def timed(path: str) -> tuple[int, float]:
    """Run over a file; return the process and its processor time."""
    start = time.process_time()
    by_hand(path)
    return os.getpid(), time.process_time() - start


def ready(path: str) -> None:
    """Have all imported and loaded."""
    by_hand(path)


class Librosa:
    """A step of Ray Data."""

    def __init__(self, first: str) -> None:
        ready(first)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Run over files; return the processor time of each."""
        return {"cpu_s": np.array([timed(path)[1] for path in batch["item"]])}


def scan_step(model: str) -> Any:
    """Return a step of Ray Data with `fastaudio.ray.Scan`, which says how much processor time it took."""
    from fastaudio import ray

    class Timed:
        def __init__(self, first: str) -> None:
            self.scan = ray.Scan(model=model)
            self.scan({"item": np.array([first])})

        def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
            start = time.process_time()
            n_rows = self.scan(batch).num_rows
            return {"cpu_s": np.full(n_rows, (time.process_time() - start) / n_rows)}

    return Timed


def on_ray(step: Any, files: Sequence[str]) -> float:
    """Run a step of Ray Data over files; return its processor time."""
    import ray

    data = ray.data.from_items(list(files))
    how = {"fn_constructor_kwargs": {"first": files[0]}, "concurrency": N_WORKERS, "batch_size": 8}
    return float(sum(row["cpu_s"] for row in data.map_batches(step, **how).take_all()))


def own(work: Callable[[], Any]) -> float:
    """Run in this process; return its processor time."""
    start = time.process_time()
    work()
    return time.process_time() - start


def in_pool(files: Sequence[str]) -> float:
    """Run by a pool of processes; return their processor time."""
    with multiprocessing.get_context("spawn").Pool(N_WORKERS, ready, (files[0],)) as pool:
        return sum(cpu_s for _, cpu_s in pool.imap_unordered(timed, files, chunksize=8))


def main() -> None:
    """Run all ways in turns, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sounds", help="a folder with sounds")
    parser.add_argument("--files", type=int, default=300, help="how many (%(default)s)")
    parser.add_argument(
        "--skew", type=float, default=3.0, help="how many are short, see scan.py (%(default)s)"
    )
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    import ray

    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    folder = Path(tempfile.mkdtemp(prefix="fastaudio-ways-"))
    try:
        make_files(args.sounds, folder, args.files, args.skew)
        files = sorted(str(path) for path in (folder / "in").rglob("*.*"))
        ray.init(
            num_cpus=N_WORKERS, include_dashboard=False, object_store_memory=100_000_000, log_to_driver=False
        )
        pipeline = fa.Pipeline.load(MODEL, threads=1)

        def scanned() -> None:
            shutil.rmtree(folder / "out", ignore_errors=True)
            scan([folder / "in"], folder / "out", chosen=Chosen(MODEL), jobs=N_WORKERS)

        ways: dict[str, Callable[[], float]] = {
            "fastaudio scan": lambda: own(scanned),
            "Pipeline.map": lambda: own(lambda: [one.mean() for one in pipeline.map(files, jobs=N_WORKERS)]),
            SCAN_ON_RAY: lambda: on_ray(scan_step(MODEL), files),
            "librosa and ONNX Runtime, a pool": lambda: in_pool(files),
            LIBROSA_ON_RAY: lambda: on_ray(Librosa, files),
        }
        cpu_s: dict[str, list[float]] = {way: [] for way in ways}
        took_s: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(args.turns):
            for way, run in ways.items():
                start = time.monotonic()
                cpu_s[way].append(run())
                took_s[way].append(time.monotonic() - start)
        first = median(cpu_s["fastaudio scan"])
        print("| way | processor s | ratio | s in all |")
        print("|---|---|---|---|")
        for way in ways:
            used = median(cpu_s[way])
            print(f"| {way} | {used:.1f} | {used / first:.2f} | {median(took_s[way]):.1f} |")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
