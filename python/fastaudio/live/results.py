"""What a live stream gives: windows, events, or rows, each with its time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastaudio.events import Event, decode
from fastaudio.tags import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio._core import StreamSpec

Item: TypeAlias = "Window | Frames | Event"


@dataclass(frozen=True, eq=False)
class Frames:
    """Rows of a pipeline without tags, as they came out together.

    Attributes:
        start_s, end_s: the sound they cover.
        rows: float32 [n_rows, ...].
        gap_s: seconds of sound lost just before it.
        provisional: whether it is of a shortened first clip.
        output: name of the output, where there are several.
    """

    start_s: float
    end_s: float
    rows: NDArray[np.float32]
    gap_s: float = 0.0
    provisional: bool = False
    output: str = ""


@dataclass(frozen=True)
class LiveStats:
    """What a live stream has done so far; samples are counted by channel.

    Attributes:
        captured: samples that came in: delivered + dropped + waiting.
        delivered: samples that were run.
        dropped: samples lost in gaps, since they came faster than they were run.
        waiting: samples in the buffer.
        gaps: how often some were dropped.
        bad_values: values that weren't finite, taken for silence.
        device_overflows: times that the device lost sound before it came here.
        results_waiting: results that nobody has taken yet: the queue's depth.
        results_dropped: rows lost since nobody took them in time.
        sound_s: seconds of sound run.
        busy_s: seconds that this took.
        latency_p50_s, latency_p99_s, latency_max_s: from the arrival of the last sample that a result
            needs until the result can be taken: what comes on top of the pipeline's own `latency_s`.
        parts: seconds that each node took, by its summary.
    """

    captured: int
    delivered: int
    dropped: int
    waiting: int
    gaps: int
    bad_values: int
    device_overflows: int
    results_waiting: int
    results_dropped: int
    sound_s: float
    busy_s: float
    latency_p50_s: float
    latency_p99_s: float
    latency_max_s: float
    parts: list[tuple[str, float]]

    @property
    def real_time_factor(self) -> float:
        """Seconds of work for a second of sound; 1 is too slow."""
        return self.busy_s / self.sound_s if self.sound_s else 0.0


class Network:
    """A network's name and outputs; turns what the core found with it into what the caller sees.

    Attributes:
        latency_s: see `LiveStream.latency_s`.
    """

    def __init__(self, model: str | None, specs: dict[str, StreamSpec], sample_rate: int) -> None:
        self.latency_s = max(spec.latency_s if spec.rate_hz else math.inf for spec in specs.values())
        self._model = model
        self._specs = specs
        self._sample_rate = sample_rate

    def items(
        self,
        output: str,
        rows: NDArray[np.float32],
        *,
        first_row: int,
        base_s: float,
        until_s: float,
        n_lost: int,
        provisional: bool,
    ) -> list[Item]:
        """Return rows that came out together as windows, events or frames.

        Args:
            output: whose rows they are.
            rows: float32 [n_rows, ...].
            first_row: count of the first of them since `base_s`.
            base_s: time of row 0.
            until_s: end of the sound that was run.
            n_lost: samples lost just before the first.
            provisional: whether they are of a shortened clip.
        """
        spec = self._specs[output] if output in self._specs else next(iter(self._specs.values()))
        gap_s = n_lost / self._sample_rate
        if spec.kind == "events":
            return [] if provisional else list(decode(rows, spec, base_s=base_s, duration_s=until_s - base_s))
        if spec.once:  # one row for a whole stretch
            starts, span_s = np.full(len(rows), base_s), until_s - base_s
        else:
            starts, span_s = base_s + np.arange(first_row, first_row + len(rows)) / spec.rate_hz, spec.span_s
        ends = np.minimum(starts + span_s, until_s)
        if spec.kind != "scores":
            return [Frames(float(starts[0]), float(ends[-1]), rows, gap_s, provisional, output)]
        common: dict[str, Any] = {"provisional": provisional, "output": output, "model": self._model}
        return [
            Window(float(start_s), float(end_s), scores, spec.labels, gap_s=0.0 if i else gap_s, **common)
            for i, (start_s, end_s, scores) in enumerate(zip(starts, ends, rows, strict=True))
        ]
