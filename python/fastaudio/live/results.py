"""Results of a live stream: windows, events, or rows, each with its time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from fastaudio.events import Event, Summary, decode, summary_of
from fastaudio.running.marks import without_marks
from fastaudio.running.times import row_times
from fastaudio.tags import Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fastaudio._core import LiveResult, StreamSpec

Item: TypeAlias = "Window | Frames | Event"


@dataclass(frozen=True, eq=False)
class Frames:
    """Rows of a pipeline without tags that came out together.

    Attributes:
        start_s, end_s: the stretch of sound that they cover, in seconds.
        rows: float32 [n_rows, ...].
        gap_s: seconds of sound lost just before it; 0 if provisional.
        provisional: whether it comes from a shortened first clip.
        output: name of the output, where there are several.
    """

    start_s: float
    end_s: float
    rows: NDArray[np.float32]
    gap_s: float = 0.0
    provisional: bool = False
    output: str = ""


class Network:
    """A network's name and outputs, which turn the core's results into what the caller sees.

    Attributes:
        latency_s: see `LiveStream.latency_s`.
        summary: see `LiveStream.summary`.
    """

    def __init__(self, specs: dict[str, StreamSpec], sample_rate: int, model: str | None) -> None:
        """Take the node's outputs, the rate of its sound, and the name for its windows."""
        self.latency_s = max(spec.latency_s if spec.rate_hz else math.inf for spec in specs.values())
        self._outputs = [(name, spec, spec.labels) for name, spec in specs.items()]
        self._sample_rate = sample_rate
        self._model = model
        self.summary: Summary | None = None

    def items(self, result: LiveResult) -> list[Item]:
        """Return rows that came out together as windows, events or frames."""
        output, spec, labels = self._outputs[result.output]
        rows = result.rows.reshape(-1, *spec.shape)
        base_s, until_s, provisional = result.base_s, result.until_s, result.provisional
        if spec.kind == "events":
            if provisional:
                return []
            self.summary = _joined(self.summary, summary_of(rows, spec))
            return list(decode(rows, spec, base_s=base_s, duration_s=until_s - base_s, output=output))
        times = row_times(spec, len(rows), until_s, first=result.first_row, base_s=base_s)
        gap_s = result.n_lost / self._sample_rate
        if spec.kind != "scores":
            start_s, end_s = float(times[0, 0]), float(times[-1, 1])
            return [Frames(start_s, end_s, rows, gap_s, provisional, output)]
        common: dict[str, Any] = {"provisional": provisional, "output": output, "model": self._model}
        scores, silent = without_marks(rows, len(labels))
        return [
            Window(start_s, end_s, scores[i], labels, 0.0 if i else gap_s, silent=bool(silent[i]), **common)
            for i, (start_s, end_s) in enumerate(times.tolist())
        ]


def _joined(one: Summary | None, other: Summary | None) -> Summary | None:
    """Return what two stretches of a search saw together."""
    if one is None or other is None:
        return one or other
    best = max((each.best for each in (one, other) if each.best), key=lambda best: best.score, default=None)
    n_heard = -1 if one.n_heard == other.n_heard == -1 else max(one.n_heard, 0) + max(other.n_heard, 0)
    return Summary(best, n_heard, one.n_broken + other.n_broken)
