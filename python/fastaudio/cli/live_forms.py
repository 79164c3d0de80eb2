"""Live results in forms that have an end, or are events only; and which class writes each form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio.annotations.praat import text_grid
from fastaudio.annotations.tables import rttm_id, rttm_line
from fastaudio.cli.live_lines import AudacityLines, CsvLines, JsonLines, Lines, RavenLines

if TYPE_CHECKING:
    from fastaudio.events import Event
    from fastaudio.live import LiveStream


class JsonList(JsonLines):
    """Writes what `JsonLines` does as one JSON list, which ends when the sound does."""

    _before: str | None = "[\n"  # what stands before the next line; None once the list is closed

    def write(self, line: str) -> None:
        """Write a line immediately, as the next item of the list."""
        super().write(f"{self._before}  {line.rstrip()}")
        self._before = ",\n"

    def close(self) -> None:
        """End the list."""
        if self._before is not None:
            super().write("[]\n" if self._before == "[\n" else "\n]\n")
            self._before = None


class RttmLines(Lines):
    """Writes RTTM; its times are seconds from the start."""

    is_data = True

    def _event(self, event: Event) -> str:
        return rttm_line(self._marked(event), file_id=rttm_id(self._name))


class PraatLines(Lines):
    """Writes a TextGrid of Praat at the end, since it begins with the length of the sound."""

    is_data = True
    _open = False

    def begin(self, stream: LiveStream) -> None:
        """Take the stream before its first result."""
        super().begin(stream)
        self._found: list[Event] = []
        self._open = True

    def _event(self, event: Event) -> str:
        self._found.append(self._marked(event))
        return ""

    def close(self) -> None:
        """Write what was heard."""
        if self._open:
            self._open = False
            found = sorted(self._found, key=lambda event: event.start_s)
            self.write(text_grid(found, self._stream.stats().captured / self._stream.sample_rate))


LINES: dict[str | None, type[Lines]] = {
    None: Lines,
    "json": JsonList,
    "jsonl": JsonLines,
    "csv": CsvLines,
    "audacity": AudacityLines,
    "raven": RavenLines,
    "rttm": RttmLines,
    "praat": PraatLines,
}
"""What writes each form."""
