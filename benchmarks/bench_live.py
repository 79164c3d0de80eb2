"""Measures what live streams cost and how late their results are, at the pace of a microphone."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import fastaudio as fa
from bench_gil import Ticks
from harness import Case, Context, Group, Target
from sources import musicnn_patches, read_mono

if TYPE_CHECKING:
    import numpy as np
    from harness import Measure, Values
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

MODEL = "musicnn-mtt"
_RATE = 16_000
_BLOCK_S = 0.01
_PATCH_S = 187 * 256 / _RATE
_QUIET_S = 2.5  # no patch is due before
_STREAMS = 64
_MANY_S = 60.0


class Player(threading.Thread):
    """Pushes blocks at the pace of a sound card, and counts its own processor time to subtract it."""

    def __init__(self, streams: list[fa.LiveStream], samples: Samples, duration_s: float) -> None:
        super().__init__(daemon=True)
        self.cpu_s = 0.0
        self._streams = streams
        self._samples = samples
        self._duration_s = duration_s

    def run(self) -> None:
        """Push all blocks at their pace; the stream stays open."""
        size = round(_BLOCK_S * _RATE)
        start = time.perf_counter()
        for i in range(round(self._duration_s / _BLOCK_S)):
            time.sleep(max(0.0, start + i * _BLOCK_S - time.perf_counter()))
            at = i * size % (len(self._samples) - size)
            for stream in self._streams:
                stream.push(self._samples[at : at + size])
        self.cpu_s = time.thread_time()


def live_cost(pipe: fa.Pipeline, samples: Samples, duration_s: float) -> Measure:
    """Return a measurement: ms of processor time per second of sound, without the player's."""

    def measure(_: Values) -> float:
        with pipe.live(_RATE) as stream:
            player = Player([stream], samples, duration_s)
            before_s = time.process_time()
            player.start()
            player_ends = time.monotonic() + duration_s
            while (left_s := player_ends - time.monotonic()) > 0:
                stream.get(timeout_s=left_s)
            player.join()
            return (time.process_time() - before_s - player.cpu_s) * 1000 / duration_s

    return measure


def parts_of(pipe: fa.Pipeline) -> list[fa.Node]:
    """Return the nodes of a pipeline that is a chain."""
    node = pipe.node
    assert isinstance(node, fa.Sequential)
    return [node[i] for i in range(len(node))]


def inference_cost(patches: Samples, n: int) -> Measure:
    """Return the same measurement for the network alone, run whenever a patch would be due."""
    net = next(part for part in parts_of(fa.Pipeline.load(MODEL)) if isinstance(part, fa.OnnxModel))
    stream = net.open()

    def measure(_: Values) -> float:
        before_s = time.process_time()
        for i in range(n):
            time.sleep(_PATCH_S)
            stream.push(patches[i : i + 1])
        return (time.process_time() - before_s) * 1000 / (n * _PATCH_S)

    return measure


class Many:
    """A measurement of many streams in two workers: samples dropped, and how late results are."""

    def __init__(self, pipe: fa.Pipeline, samples: Samples, duration_s: float) -> None:
        self.late_s = 0.0
        self.busy = 0.0
        self._pipe = pipe
        self._samples = samples
        self._duration_s = duration_s

    def __call__(self, _values: Values) -> float:
        """Return how many samples were dropped."""
        pool = fa.Pool(workers=2)
        streams = [self._pipe.live(_RATE, overflow="drop_oldest", pool=pool) for _ in range(_STREAMS)]
        player = Player(streams, self._samples, self._duration_s)
        before_s = time.process_time()
        player.start()
        player.join()
        self.busy = (time.process_time() - before_s) / self._duration_s
        time.sleep(1.0)
        stats = [stream.stats() for stream in streams]
        self.late_s = max(each.latency_p99_s for each in stats)
        for stream in streams:
            stream.close()
        pool.close()
        return float(sum(each.dropped + each.results_dropped for each in stats))


def groups(context: Context) -> list[Group]:
    """Compare one stream, idle and at work, many streams, and another thread's pace meanwhile."""
    pipe = fa.Pipeline.load(MODEL, threads=1)
    sound, rate = read_mono(context.audio)
    samples = fa.Resample(input_rate=rate, output_rate=_RATE)(sound) if rate != _RATE else sound
    patches = musicnn_patches(context.audio)
    n_patches = 2 if context.quick else 8
    alone, live = "network alone, a patch every 3 s", "live, a microphone's blocks of 10 ms"
    cost = [
        Case(alone, inference_cost(patches, n_patches)),
        Case(live, live_cost(pipe, samples, n_patches * _PATCH_S + 0.1), alone, Target(1.15)),
        Case("live, no patch due", live_cost(pipe, samples, _QUIET_S), target=Target(10, of="value")),
    ]
    many = Many(pipe, samples, 12.0 if context.quick else _MANY_S)
    late = Target(_PATCH_S + 0.02, of="value")
    crowd = [
        Case(f"samples dropped by {_STREAMS} streams", many, target=Target(0, of="value")),
        Case("latency beyond the model's own, p99, s", lambda _: many.late_s, target=late),
        Case("cores busy, the player's thread too", lambda _: many.busy),
    ]

    def play() -> None:
        with pipe.live(_RATE) as stream:
            player = Player([stream], samples, 6.5)
            player.start()
            player.join()

    ticks = [
        Case("alone", Ticks(lambda: time.sleep(1.0))),
        Case("while a stream runs", Ticks(play), "alone", Target(1 / 0.95)),
    ]
    return [
        Group(f"processor time of a live stream, {MODEL}", "ms/s", cost, rounds=5, warm_up=False),
        Group(f"{_STREAMS} live streams on 2 workers", "", crowd, rounds=1, warm_up=False),
        Group("time a tick of another Python thread takes", "ns", ticks, rounds=5),
    ]
