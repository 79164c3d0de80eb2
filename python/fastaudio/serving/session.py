"""One live stream over a WebSocket: samples come in, windows, events, spectra and levels go out."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.events import Event
from fastaudio.kinds import UNKNOWN
from fastaudio.live import Frames
from fastaudio.live_kinds import LiveKinds
from fastaudio.serving import spectra
from fastaudio.serving.numbers import plain_tags
from fastaudio.serving.refusing import Refused
from fastaudio.tags import Window

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from numpy.typing import NDArray

    from fastaudio.kinds import Judge, Kind
    from fastaudio.live import LiveStream
    from fastaudio.live.results import Item

LEVEL_S, STATS_S = 0.1, 1.0
MOST_RESULTS = 1024
_BUFFER_S, _LEAST_S, _BUFFER_BYTES = 5.0, 0.1, 1 << 22
_PARTS = 8  # of a buffer; one is pushed at once
_LOOK_S = 0.02  # how often a full buffer is looked at again
_SILENT_DB = -120.0
_LARGEST = 1e12  # magnitude that a stream takes


@dataclass(frozen=True)
class Sound:
    """What a client sends.

    Attributes:
        dtype: type of a sample.
        rate, channels: the rate in Hz, and how many channels are interleaved.
        waits: whether the server takes sound no faster than it is run; else the oldest is dropped.
    """

    dtype: np.dtype[Any]
    rate: int
    channels: int
    waits: bool

    @property
    def buffer_s(self) -> float:
        """Seconds of sound that may wait: fewer of many channels at a high rate."""
        most_s = _BUFFER_BYTES / (4 * self.channels * self.rate)
        return min(max(most_s, _LEAST_S), _BUFFER_S)


class Session:
    """Moves sound into a stream, and its results to the client."""

    def __init__(
        self,
        stream: LiveStream,
        sound: Sound,
        send: Callable[[dict[str, Any]], Awaitable[None]],
        *,
        top: int,
        mel_rate: int,
        judge: Judge | None = None,
    ) -> None:
        """Take an open stream, what comes in, what sends a message to the client, and what judges kinds."""
        self._stream = stream
        self._sound = sound
        self._send = send
        self._top = top
        self._kinds = LiveKinds(judge) if judge else None
        self._mel_rate = mel_rate
        self._mel_hop_s = spectra.about(mel_rate)["hop_s"]
        self._rest, self._n_bad = b"", 0
        self._room = int(sound.buffer_s * sound.rate) - 1
        self._frame = sound.dtype.itemsize * sound.channels
        self._native = np.dtype(np.float32 if sound.dtype.kind == "f" else np.int16)

    async def take(self, data: bytes) -> None:
        """Push a message's samples; a message may end anywhere, also within a sample."""
        data = self._rest + data
        whole = len(data) // self._frame * self._frame
        self._rest = data[whole:]
        samples = np.frombuffer(data[:whole], self._sound.dtype).astype(self._native, copy=False)
        if samples.dtype.kind == "f":
            samples = self._cleaned(samples)
        block = samples.reshape(-1, self._sound.channels) if self._sound.channels > 1 else samples
        step = max(int(self._sound.buffer_s / _PARTS * self._sound.rate), 1)
        for start in range(0, len(block), step):
            await self._push(block[start : start + step])

    def _cleaned(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return samples with silence for those that aren't finite, and count these."""
        bad = ~(np.abs(samples) <= _LARGEST)
        if not bad.any():
            return samples
        self._n_bad += int(bad.sum())
        return np.where(bad, np.float32(0), samples)

    async def _push(self, block: Any) -> None:
        """Push a block; where the client waits, so does this, and nothing more is read meanwhile.

        There is no room while results wait that the client doesn't take.
        """
        while self._sound.waits and self._stream.stats().waiting + len(block) > self._room:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)
        self._stream.push(block)

    async def give(self) -> None:
        """Send results as they come, until there will be none."""
        async for item in self._stream:
            for one, kind in self._heard(item):
                await self._send(self._message(one, kind))
        for one, kind in self._kinds.rest() if self._kinds else ():
            await self._send(self._message(one, kind))

    def _heard(self, item: Item) -> Iterable[tuple[Item, Kind | None]]:
        """Return what is to be sent once a result has come: windows and events wait for their kind."""
        if self._kinds is None or isinstance(item, Frames):
            return [(item, None)]
        return self._kinds.take(item)

    async def tell(self) -> None:
        """Send levels and counts, for ever."""
        rounds = round(STATS_S / LEVEL_S)
        while True:
            for _ in range(rounds):
                await asyncio.sleep(LEVEL_S)
                await self._send({"type": "level", "peak_dbfs": self._level_db()})
            await self._send(self.stats())

    def stats(self) -> dict[str, Any]:
        """Return the counts so far as a message."""
        stats, rate = self._stream.stats(), self._sound.rate
        return {
            "type": "stats",
            "captured_s": round(stats.captured / rate, 6),
            "dropped_s": round(stats.dropped / rate, 6),
            "behind_s": round(stats.waiting / rate, 6),
            "gaps": stats.gaps,
            "results_dropped": stats.results_dropped,
            "bad_values": self._n_bad,
            "latency_p50_s": _finite(stats.latency_p50_s),
            "latency_p99_s": _finite(stats.latency_p99_s),
            "real_time_factor": _finite(stats.real_time_factor),
        }

    def end(self) -> dict[str, Any]:
        """Return the last message of a stream whose sound has ended."""
        bytes_left = len(self._rest)
        return self.stats() | {"type": "end", "left_over_bytes": bytes_left}

    def _level_db(self) -> float:
        peak = self._stream.take_peak()
        return (
            round(max(20 * math.log10(peak), _SILENT_DB), 1)
            if peak > 0 and math.isfinite(peak)
            else _SILENT_DB
        )

    def _message(self, item: Item, kind: Kind | None) -> dict[str, Any]:
        plain = UNKNOWN if kind is None else kind.to_dict()
        told = {} if self._kinds is None else plain
        if isinstance(item, Event):
            return {"type": "event"} | item.to_dict() | told
        if isinstance(item, Window):
            return {
                "type": "window",
                "start_s": round(item.start_s, 6),
                "end_s": round(item.end_s, 6),
                "silent": item.silent,
                "provisional": item.provisional,
                "gap_s": round(item.gap_s, 6),
                "tags": plain_tags(item.top(self._top)),
            } | told
        assert isinstance(item, Frames)
        return {
            "type": "mel",
            "start_s": round(item.start_s, 6),
            "hop_s": self._mel_hop_s,
            "gap_s": round(item.gap_s, 6),
            "n_rows": len(item.rows),
            "rows": spectra.as_text(item.rows, self._mel_rate),
        }


def _finite(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def refused_text(what: str, got: str) -> Refused:
    """Return what is said of a text message that isn't known."""
    return Refused(400, "bad_message", f"message: expected {what}, got {got[:40]!r}")
