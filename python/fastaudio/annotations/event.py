"""An event: a label with its beginning and end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """One event.

    Attributes:
        label: its name.
        start_s: its beginning, in seconds from the start of the signal.
        end_s: its end; None while it goes on.
        peak: its highest score so far.
        mean: its mean score so far.
        output: name of the output, if a live pipeline has several.
    """

    label: str
    start_s: float
    end_s: float | None
    peak: float
    mean: float
    output: str = ""

    @property
    def id(self) -> str:
        """Its name within its signal, such as "12.288000 dog": the same when it begins and when it ends."""
        return f"{self.start_s:.6f} {self.label}"

    @property
    def state(self) -> str:
        """Whether it goes on, "begin", or is over, "end"."""
        return "begin" if self.end_s is None else "end"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "id": self.id,
            "state": self.state,
            "label": self.label,
            "start_s": round(self.start_s, 6),
            "end_s": None if self.end_s is None else round(self.end_s, 6),
            "peak": round(self.peak, 6),
            "mean": round(self.mean, 6),
        }


def end_of(event: Event) -> float:
    """Return when an event ended; ValueError if it goes on."""
    if event.end_s is None:
        raise ValueError(
            f"events: expected one that has ended, got {event.label!r:.80} that goes on; leave it out"
        )
    return event.end_s
