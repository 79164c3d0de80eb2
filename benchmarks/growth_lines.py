"""The lines of growth.py: what grows, what one unit of it costs, and why the cost bends where it does."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import fastaudio as fa
import numpy as np
import soundfile
from sources import musicnn_front

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RATE = 16_000
_HOUR_S, _DAY_S = 3600, 86_400
_AT_LEAST_S = 0.02
_OPENING = "opening the stream and its tables"
_POWERS = tuple(2**i for i in range(6, 17))
_PRIMES = (67, 127, 257, 521, 1031, 2053, 4099, 8209, 16_411, 32_771, 65_521)


@dataclass(frozen=True)
class Line:
    """What grows.

    Attributes:
        name: what --only calls it.
        what: what is run.
        x: what grows, with its unit.
        unit: of the cost of one unit, in microseconds.
        values, quick: the sizes that are run; `quick` within a minute for all lines.
        make: returns for a size what to time.
        units: returns for a size how many units it has, which the time is divided by.
        small: why a unit costs more where there are few.
        large: why it costs more where there are many.
        clock: processor time of all threads, or wall time.
        memory: returns for a size how many bytes it takes, beyond some megabytes.
    """

    name: str
    what: str
    x: str
    unit: str
    values: tuple[int, ...]
    quick: tuple[int, ...]
    make: Callable[[int], Callable[[], object]]
    small: str
    large: str
    units: Callable[[int], float] = float
    clock: Literal["cpu", "wall"] = "cpu"
    memory: Callable[[int], float] = lambda _: 0.0


@dataclass
class Sound:
    """Noise, the same each time, of any length."""

    whole: NDArray[np.float32] = field(
        default_factory=lambda: np.random.default_rng(1).standard_normal(60 * RATE).astype(np.float32) / 10
    )

    def __call__(self, n: int) -> NDArray[np.float32]:
        """Return n samples."""
        return self.whole[:n] if n <= len(self.whole) else np.resize(self.whole, n)


def seconds(line: Line, x: int) -> float:
    """Return what running a size takes: the least of three, each repeated until it can be measured."""
    call = line.make(x)
    clock = time.process_time if line.clock == "cpu" else time.perf_counter
    call()
    best, n = math.inf, 1
    for _ in range(3):
        start = clock()
        for _ in range(n):
            call()
        took_s = clock() - start
        best = min(best, took_s / n)
        if took_s > 1:
            break
        n = max(n, math.ceil(_AT_LEAST_S / max(took_s / n, 1e-9)))
    return best


def free_memory() -> float:
    """Return how many bytes a program may still take; infinite where the system doesn't tell."""
    told = Path("/proc/meminfo")
    if told.exists():
        for line in told.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    return math.inf


def lines(folder: Path) -> list[Line]:
    """Return all lines; files are made in the folder."""
    sound = Sound()
    return [*_of_sound(sound), *_of_files(sound, folder), *_of_results(), *_of_nodes(sound)]


def _of_sound(sound: Sound) -> list[Line]:
    """More sound, on more threads."""
    front = musicnn_front()
    cores = os.cpu_count() or 1

    def array(n_s: int) -> Callable[[], object]:
        samples = sound(n_s * RATE)
        return lambda: front(samples)

    def stream(n_s: int) -> Callable[[], object]:
        block = sound(min(n_s, 60) * RATE)
        pooled = front >> fa.Statistics(kinds=["mean", "max"], window=187)

        def run() -> None:
            running = pooled.open()
            for _ in range(max(n_s // 60, 1)):
                running.push(block)
            running.flush()

        return run

    def threads(n: int) -> Callable[[], object]:
        samples = sound(600 * RATE)
        return lambda: front(samples, threads=n)

    return [
        Line("length", "log-mel of an array", "seconds of sound", "us/s",
             (1, 10, 60, 600, _HOUR_S, 6 * _HOUR_S, _DAY_S), (1, 10, 60, 600), array, _OPENING,
             "the system clears fresh memory for the rows, which a stream doesn't need",
             memory=lambda n_s: n_s * 4 * (RATE + 96 * RATE / 256)),
        Line("stream", "log-mel pooled, in blocks of a minute", "seconds of sound", "us/s",
             (1, 10, 60, 600, _HOUR_S, 6 * _HOUR_S, _DAY_S), (1, 10, 60, 600, _HOUR_S), stream, _OPENING,
             "nothing should: memory stays the same"),
        Line("threads", "log-mel of ten minutes, wall time times threads", "threads", "us",
             tuple(sorted({1, 2, cores, 2 * cores})), (1, 2), threads, "nothing should",
             "memory is shared, and threads beyond the cores wait", lambda n: 1 / n, "wall"),
    ]  # fmt: skip


def _of_files(sound: Sound, folder: Path) -> list[Line]:
    """More files, and more live streams."""
    front = musicnn_front()

    def file(n_s: int) -> Callable[[], object]:
        path = folder / f"{n_s}.wav"
        soundfile.write(path, sound(n_s * RATE), RATE)
        pipeline = fa.Pipeline(front >> fa.Statistics(kinds=["mean", "max"], window=187))
        return lambda: pipeline(path)

    def files(n: int) -> Callable[[], object]:
        path = folder / "one.wav"
        soundfile.write(path, sound(RATE), RATE)
        pipeline = fa.Pipeline(front >> fa.Mean())
        return lambda: [None for _ in pipeline.map([path] * n, jobs=2)]

    def streams(n: int) -> Callable[[], object]:
        return lambda: _run_streams(fa.Pipeline(front >> fa.Patches(length=187)), n, sound(RATE))

    return [
        Line("file", "a WAV file to log-mel, pooled", "seconds of sound", "us/s", (1, 10, 60, 600, _HOUR_S),
             (1, 10, 60, 600), file, "opening the file", "nothing should: it is read in blocks"),
        Line("files", "files of 1 s, by map", "files", "us/file", (1, 3, 10, 30, 100, 300, 1000),
             (1, 3, 10, 30, 100), files, "the threads of map begin", "nothing should: two files at once"),
        Line("streams", "live log-mel, 1 s in blocks of 10 ms", "streams", "us/stream",
             (1, 2, 4, 8, 16, 32, 64, 128, 256, 512), (1, 4, 16, 64, 256), streams, "the pool begins",
             "the streams' buffers leave the caches"),
    ]  # fmt: skip


def _of_results() -> list[Line]:
    """More labels and more windows."""

    def labels(n: int) -> Callable[[], object]:
        names = [f"label {i}" for i in range(n)]
        rows = np.random.default_rng(n).random((64, n), dtype=np.float32)
        times = np.stack([np.arange(64.0), np.arange(64.0) + 1], axis=1)

        def run() -> None:
            scores = fa.Tags(names)(rows)
            fa.tags.Tags(names, scores, times, 64.0).top(5)

        return run

    def events(n: int) -> Callable[[], object]:
        rows = np.random.default_rng(n).random((n, 8), dtype=np.float32)
        node = fa.Tags([f"label {i}" for i in range(8)]) >> fa.Events(onset=0.9, offset=0.1)
        spec = fa.StreamSpec(rate_hz=1, shape=(8,))

        def run() -> None:
            stream = node.open(spec)
            found = np.concatenate([stream.push(rows), stream.flush()])
            fa.events.decode(found, node.output_specs(spec)[""])

        return run

    return [
        Line("labels", "64 windows to tags, and the 5 best", "labels", "us/label",
             (10, 30, 100, 300, 1000, 3000, 10_000, 30_000), (10, 100, 1000, 10_000), labels,
             "64 windows are objects in any case", "the names leave the caches"),
        Line("events", "windows of 8 labels to events", "windows", "us/window",
             (100, 1000, 10_000, 100_000, 1_000_000), (100, 1000, 10_000, 100_000), events, _OPENING,
             "Python looks through its objects for garbage, again and again"),
    ]  # fmt: skip


def _of_nodes(sound: Sound) -> list[Line]:
    """Larger nodes, and more rows for a network."""

    def bands(n: int) -> Callable[[], object]:
        mel = fa.MelSpectrogram(sample_rate=RATE, n_fft=2048, hop_length=512, n_mels=n)
        return lambda: mel(sound(10 * RATE))

    def transform(n: int) -> Callable[[], object]:
        node = fa.Spectrogram(n_fft=n, hop_length=max(n // 4, 1))
        samples = sound(max(20 * n, RATE))
        return lambda: node(samples)

    def work(n: int) -> float:
        frames = max(20 * n, RATE) // max(n // 4, 1)
        return frames * n * math.log2(n) / 1000  # so that its cost is in ns

    def batch(n: int) -> Callable[[], object]:
        pipeline = fa.Pipeline.load("musicnn-mtt", threads=1)
        net = next(part for part in pipeline.node.parts() if isinstance(part, fa.OnnxModel))
        patches = np.random.default_rng(1).random((n, 187, 96), dtype=np.float32)
        running = net.open()
        return lambda: running.push(patches)

    return [
        Line("bands", "mel spectrogram 2048/512 of 10 s", "mel bands", "us/band",
             (8, 16, 32, 64, 128, 256, 512), (8, 32, 128, 512), bands, "the transform is the same for any",
             "nothing should: each bin lies in two bands"),
        Line("n_fft", "spectrogram, powers of two", "n_fft", "ns/(n log2 n)", _POWERS, _POWERS[::2],
             transform,
             "a frame's fixed cost: framing, window, rows", "a frame leaves the first cache, then the second",
             work),
        Line("primes", "spectrogram, primes", "n_fft", "ns/(n log2 n)", _PRIMES, _PRIMES[::2], transform,
             "small primes need products of matrices",
             "it needs transforms of twice to four times its length, which leave the caches first", work),
        Line("batch", "musicnn-mtt on patches, 1 thread", "patches", "us/patch", (1, 2, 4, 8, 16, 32),
             (1, 4), batch, "the weights are read for each run", "activations leave the caches"),
    ]  # fmt: skip


def _run_streams(pipeline: fa.Pipeline, n: int, second: NDArray[np.float32]) -> None:
    """Push a second of sound into each of n live streams, a block of 10 ms into each in turn."""
    pool = fa.Pool(workers=2)
    opened = [pipeline.live(RATE, pool=pool, overflow="block") for _ in range(n)]
    size = RATE // 100
    for at in range(0, len(second), size):
        for stream in opened:
            stream.push(second[at : at + size])
    for stream in opened:
        stream.finish()
    for stream in opened:
        for _ in stream:
            pass
        stream.close()
    pool.close()
