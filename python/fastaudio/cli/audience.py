"""Those who are told what a live run hears: the screen or the lines, and other systems."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastaudio.cli.ears import Ear, Ears
    from fastaudio.cli.kinds import Kind
    from fastaudio.live import LiveStream


class Hearer(Protocol):
    """Is told what a live run hears. None of its methods waits for another system."""

    def begin(self, stream: LiveStream) -> None:
        """Take the stream before its first result."""

    def show(self, ear: Ear, item: Any, kind: Kind | None = None) -> None:
        """Take a window or an event that a model gave, and of what kind its sound is, if that is known."""

    def tick(self, stream: LiveStream, peak: float) -> None:
        """Do what is due, several times per second; `peak` is the largest magnitude since the last time."""

    def end(self) -> None:
        """Take note that no more comes."""

    def close(self) -> None:
        """Let go of what it holds."""


class Audience:
    """Brings what the models say to all who are told."""

    def __init__(self, ears: Ears, hearers: Sequence[Hearer]) -> None:
        """Take the models, and who is told."""
        self._ears = ears
        self._hearers = hearers

    def begin(self, stream: LiveStream) -> None:
        """Take the stream before its first result."""
        for hearer in self._hearers:
            hearer.begin(stream)

    def take(self, item: Any) -> None:
        """Take what the stream gave."""
        for told in self._ears.take(item):
            self._tell(told)

    def tick(self, stream: LiveStream) -> None:
        """Do what is due."""
        peak = stream.take_peak()
        for hearer in self._hearers:
            hearer.tick(stream, peak)

    def end(self) -> None:
        """Tell what still waits for its kind, and that no more comes."""
        for told in self._ears.rest():
            self._tell(told)
        for hearer in self._hearers:
            hearer.end()

    def close(self) -> None:
        """Close all, the first one last."""
        with ExitStack() as stack:
            for hearer in self._hearers:
                stack.callback(hearer.close)

    def _tell(self, told: tuple[Ear, Any, Kind | None]) -> None:
        ear, item, kind = told
        for hearer in self._hearers:
            hearer.show(ear, item, kind)
