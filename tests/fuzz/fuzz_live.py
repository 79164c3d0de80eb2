"""Live streams under drawn operations of several threads at once: no deadlock, every sample accounted for.

Captured is delivered, dropped and waiting, at any moment, and what comes out is finite.
"""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from harness import Fuzzer

if TYPE_CHECKING:
    import random
    from pathlib import Path

RATE_HZ = 8000
JOIN_S = 15.0
SIZES = [0, 1, 7, 80, 160, 800, 4000]
OPERATIONS = (
    ["push"] * 8 + ["get"] * 6 + ["stats", "peak", "tap", "read", "swap", "sleep", "nan", "int16", "wrong"]
)
ENDS = ["finish", "close", "drop"]


class User:
    """What one thread does with a stream."""

    def __init__(self, stream: Any, pipelines: list[fa.Pipeline]) -> None:
        self.pushed = 0
        self._stream = stream
        self._pipelines = pipelines
        self._tap: Any = None
        self._sound = np.random.default_rng(3).uniform(-0.5, 0.5, max(SIZES)).astype(np.float32)

    def step(self, name: str, size: int) -> None:
        """Do one thing; what a stream may refuse is no finding."""
        refusals = (ValueError, TypeError) if name in ("wrong", "swap", "nan") else ()
        try:
            getattr(self, name)(size)
        except (fa.Overrun, fa.StateError) as error:
            assert "expected" in str(error) or "live" in str(error), f"expected a message, got {error!r}"
        except refusals:
            pass

    def push(self, size: int) -> None:
        self._push(self._sound[:size])

    def int16(self, size: int) -> None:
        self._push((self._sound[:size] * 32_000).astype(np.int16))

    def nan(self, size: int) -> None:
        self._push(np.where(np.arange(size) % 3, self._sound[:size], np.float32(np.nan)))

    def wrong(self, size: int) -> None:
        self._push(self._sound[:size].astype(np.float64) if size % 2 else np.zeros((size, 3), np.float32))
        raise AssertionError("expected a wrong block to be refused, got it taken")

    def _push(self, block: Any) -> None:
        self.pushed += len(block)  # at most: some may not be taken
        self._stream.push(block)

    def get(self, size: int) -> None:
        item = self._stream.get(timeout_s=size / 100_000)
        if item is not None:
            assert item.end_s > item.start_s - 1e-9
            assert np.isfinite(item.rows).all(), "expected finite rows, got others"

    def stats(self, _: int) -> None:
        accounted(self._stream.stats())

    def peak(self, _: int) -> None:
        assert self._stream.take_peak() >= 0

    def tap(self, _: int) -> None:
        self._tap = self._stream.tap()

    def read(self, _: int) -> None:
        if self._tap is not None:
            samples, lost = self._tap.read()
            assert lost >= 0
            assert np.isfinite(samples).all()

    def swap(self, size: int) -> None:
        self._stream.swap(self._pipelines[size % 2])

    def sleep(self, size: int) -> None:
        time.sleep(size / 1_000_000)

    def finish(self, _: int) -> None:
        self._stream.finish()

    def close(self, _: int) -> None:
        self._stream.close()


class Live(Fuzzer):
    """Live streams run for weeks, and are used from any thread."""

    name = "live"
    limit_s = 60
    gate_runs = 1000
    modules = "fastaudio.live"

    def draw(self, rng: random.Random) -> bytes:
        options: dict[str, Any] = {
            "overflow": rng.choice(["block", "drop_oldest", "raise"]),
            "buffer_s": rng.choice([0.05, 0.2, 5.0]),
            "push_timeout_s": rng.choice([0.02, 0.1]),
            "max_results": rng.choice([1, 3, 1024]),
            "start_sample": rng.choice([0, 0, 2**31 - 5000, 2**32 - 3, 10**15]),
            "provisional_s": rng.choice([None, None, 0.1]),
        }
        threads = []
        for _ in range(rng.choice([1, 2, 2, 4])):
            steps = [[rng.choice(OPERATIONS), rng.choice(SIZES)] for _ in range(rng.choice([3, 10, 40]))]
            if rng.random() < 0.3:
                steps.insert(rng.randint(0, len(steps)), [rng.choice(ENDS[:2]), 0])
            threads.append(steps)
        return json.dumps({"options": options, "threads": threads, "end": rng.choice(ENDS)}).encode()

    def prepare(self, outside: Path) -> None:
        mel = fa.MelSpectrogram(sample_rate=RATE_HZ, n_fft=256, hop_length=80, n_mels=4)
        patches = mel >> fa.Patches(length=3, hop=2)
        self.pipelines = [fa.Pipeline(patches >> fa.L2Normalize()), fa.Pipeline(patches >> fa.Sigmoid())]

    def check(self, content: bytes, folder: Path) -> None:
        data = json.loads(content)
        problems: list[BaseException] = []
        stream = self.pipelines[0].live(RATE_HZ, **data["options"])
        users = [User(stream, self.pipelines) for _ in data["threads"]]

        def run(user: User, steps: list[list[Any]]) -> None:
            try:
                for name, size in steps:
                    user.step(name, size)
            except BaseException as error:  # noqa: BLE001  # raised below, in the main thread
                problems.append(error)

        workers = [
            threading.Thread(target=run, args=both, daemon=True)
            for both in zip(users, data["threads"], strict=True)
        ]
        for worker in workers:
            worker.start()
        deadline = time.monotonic() + JOIN_S
        for worker in workers:
            worker.join(max(0.1, deadline - time.monotonic()))
            assert not worker.is_alive(), "expected every call to come back, got one that hangs"
        if problems:
            raise problems[0]
        self._end(stream, data["end"], sum(user.pushed for user in users))

    def _end(self, stream: Any, end: str, pushed: int) -> None:
        if end == "finish":
            try:
                stream.finish()
                for item in stream:
                    assert item.end_s >= item.start_s
            except (fa.Overrun, fa.StateError):
                pass
        stats = stream.stats()
        accounted(stats)
        assert stats.captured <= pushed, f"expected at most {pushed} samples captured, got {stats.captured}"
        if end != "drop":
            stream.close()
            stream.close()
            assert stream.closed
            assert stream.get(timeout_s=0) is None or not stream.ended


def accounted(stats: Any) -> None:
    counted = stats.delivered + stats.dropped + stats.waiting
    assert stats.captured == counted, f"expected captured == delivered + dropped + waiting, got {stats}"
    numbers = [
        stats.captured,
        stats.delivered,
        stats.dropped,
        stats.waiting,
        stats.gaps,
        stats.results_waiting,
    ]
    assert min(numbers) >= 0, f"expected no count below zero, got {stats}"
