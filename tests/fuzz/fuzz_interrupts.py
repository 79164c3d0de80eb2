"""Interrupts at drawn moments: Ctrl-C, a cancel from another thread and a time limit end every kind of call.

A call ends with what interrupted it, or gives its whole result; no interrupt is lost, none leaves half a
result or something broken behind, and the same call works right after.
"""

from __future__ import annotations

import io
import json
import signal
import threading
import time
import wave
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from drawn_networks import looping
from fastaudio import _core
from fastaudio.decoding import audio_file
from harness import Fuzzer

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

RATE_HZ = 16_000
LATEST_S = 5.0
"""Ten times what is promised: machines that test are busy."""

SECONDS = 6
SOUND = np.random.default_rng(5).uniform(-0.5, 0.5, SECONDS * RATE_HZ).astype(np.float32)
CALLS = [
    "file",
    "object",
    "samples",
    "rows",
    "threads",
    "push",
    "build",
    "load",
    "network",
    "map",
    "get",
    "block",
]
WAYS = ["signal", "signal", "cancel", "deadline"]
BY_KEYWORD = ("file", "object", "samples")
"""Calls that take `cancel` and `timeout_s` themselves."""

WAITING = ("get", "block")
"""Calls that have no result: they wait until they are interrupted, or their own time is over."""


class Slow(io.BytesIO):
    """A file object that takes its time, so that interrupts come while it reads."""

    def read(self, size: int | None = -1, /) -> bytes:
        time.sleep(0.002)
        return super().read(size)


class Interrupts(Fuzzer):
    """Ctrl-C and a service's own limits must end whatever runs."""

    name = "interrupts"
    limit_s = 60
    gate_runs = 400
    modules = "fastaudio.running"

    def __init__(self) -> None:
        super().__init__()
        self.whole: dict[str, Any] = {}

    def draw(self, rng: random.Random) -> bytes:
        after_s = rng.choice([rng.uniform(0, 0.02), rng.uniform(0, 0.2), rng.expovariate(5)])
        drawn = {"call": rng.choice(CALLS), "way": rng.choice(WAYS), "after_s": min(after_s, 1.0)}
        drawn |= {"ahead": rng.choice([1, 4]), "jobs": rng.choice([1, 2, 16])}
        return json.dumps(drawn | {"keyword": rng.random() < 0.5}).encode()

    def prepare(self, outside: Path) -> None:
        mel = fa.MelSpectrogram(sample_rate=RATE_HZ, n_fft=2048, hop_length=100, n_mels=64)
        self.node = mel >> fa.Log() >> fa.Statistics(window=50, hop=1)
        self.pipeline = fa.Pipeline(self.node)
        self.rows = fa.Delta(width=401) >> fa.Statistics(window=300, hop=1)
        self.fired = False
        signal.signal(signal.SIGALRM, self._fire)

    def check(self, content: bytes, folder: Path) -> None:
        data = json.loads(content)
        audio_file._BLOCKS_AHEAD = data["ahead"]
        call = self._call(data, folder)
        if data["call"] not in WAITING and data["call"] not in self.whole:
            self.whole[data["call"]] = call()
        self.fired, fired_at = False, [0.0]
        try:
            keyword = data.get("keyword", False) and data["call"] in BY_KEYWORD
            got = self._interrupted(call, data["way"], data["after_s"], fired_at, keyword=keyword)
        except (KeyboardInterrupt, fa.Cancelled, fa.TimedOut) as error:
            kinds = {"signal": KeyboardInterrupt, "cancel": fa.Cancelled, "deadline": fa.TimedOut}
            assert isinstance(error, kinds[data["way"]]), f"expected {kinds[data['way']]}, got {error!r}"
            late_s = time.monotonic() - fired_at[0]
            assert late_s < LATEST_S, f"expected an end within 0.5 s, got {late_s:.2f} s"
        else:
            assert not self.fired, "expected KeyboardInterrupt, got a result: the interrupt was lost"
            if data["call"] == "map" and any(isinstance(one, fa.TimedOut) for one in got):
                assert data["way"] == "deadline", "expected no time limit, got one passed"
            elif data["call"] not in WAITING:
                _same(got, self.whole[data["call"]])
        if data["call"] not in WAITING:
            _same(call(), self.whole[data["call"]])

    def _fire(self, *_: Any) -> None:
        self.fired = True
        raise KeyboardInterrupt

    def _interrupted(
        self, call: Callable[..., Any], way: str, after_s: float, fired_at: list[float], *, keyword: bool
    ) -> Any:
        """Run a call that is interrupted after a time, unless it is done before."""
        fired_at[0] = time.monotonic() + after_s
        limits: dict[str, Any] = {}
        timer = None
        if way == "cancel":
            limits["cancel"] = fa.Cancel()
            timer = threading.Timer(after_s, limits["cancel"].cancel)
            timer.start()
        elif way == "deadline":
            limits["timeout_s"] = max(after_s, 1e-4)
        try:
            if way == "signal":
                signal.setitimer(signal.ITIMER_REAL, max(after_s, 1e-6))
            if keyword:
                got = call(**limits)
            else:
                with _core.Interruptible(**limits):
                    got = call()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            if timer is not None:
                timer.cancel()
        return got

    def _call(self, data: dict[str, Any], folder: Path) -> Callable[..., Any]:
        """Return the call; what it needs is made before it may be interrupted."""
        kind = data["call"]
        path = folder / "sound.wav"
        if kind in ("file", "object", "map"):
            path.write_bytes(_wav())
        if kind == "load":
            fa.Pipeline(self.node).save(folder / "card.json")
        if kind == "network":
            (folder / "net.onnx").write_bytes(looping(3000))
            network = fa.OnnxModel(str(folder / "net.onnx"))
            rows = np.random.default_rng(6).uniform(-0.5, 0.5, (40, 4, 3)).astype(np.float32)
        calls: dict[str, Callable[..., Any]] = {
            "file": lambda **limits: self.pipeline(path, **limits),
            "object": lambda **limits: self.pipeline(Slow(path.read_bytes()), **limits),
            "samples": lambda **limits: self.pipeline(SOUND, sample_rate=RATE_HZ, **limits),
            "rows": lambda: self.rows(SOUND.reshape(-1, 24)),
            "threads": lambda: self.node(SOUND, threads=data["jobs"]),
            "push": self._push,
            "build": lambda: fa.MelSpectrogram(n_fft=16_384, n_mels=512)(SOUND[:30_000]),
            "load": lambda: str(fa.Pipeline.load(folder / "card.json").node),
            "network": lambda: network(rows),
            "map": lambda: list(self.pipeline.map([path] * 3, jobs=data["jobs"])),
            "get": self._get,
            "block": self._block,
        }
        return calls[kind]

    def _push(self) -> np.ndarray:
        stream = self.node.open()
        return np.concatenate(
            [stream.push(SOUND[: RATE_HZ * 2]), stream.push(SOUND[RATE_HZ * 2 :]), stream.flush()]
        )

    def _get(self) -> None:
        with self.pipeline.live(RATE_HZ) as stream:
            stream.get(timeout_s=1.0)

    def _block(self) -> None:
        stream = self.pipeline.live(RATE_HZ, buffer_s=0.05, max_results=1, push_timeout_s=1.0)
        with stream, suppress(fa.Overrun):
            for _ in range(3):
                stream.push(SOUND)


def _wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes((SOUND * 32_000).astype("<i2").tobytes())
    return file.getvalue()


def _same(got: Any, want: Any) -> None:
    """Assert that a result is whole."""
    if isinstance(want, list):
        assert len(got) == len(want), "expected a whole result, got a part"
        for one, other in zip(got, want, strict=True):
            _same(one, other)
    elif isinstance(want, np.ndarray):
        assert isinstance(got, np.ndarray), f"expected rows, got {got!r:.200}"
        assert got.shape == want.shape, f"expected a whole result {want.shape}, got {got.shape}"
        assert got.tobytes() == want.tobytes(), "expected the same numbers"
    else:
        assert got == want
