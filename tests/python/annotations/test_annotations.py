"""Events for Raven Pro, RTTM and Praat: parsed back by the formats' rules, they are the same events."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from fastaudio.annotations.praat import text_grid
from fastaudio.annotations.tables import RAVEN_COLUMNS, rttm_id, rttm_line
from fastaudio.events import Event, Events

FOUND = (
    Event("guitar", 0.0, 2.992, 0.75, 0.5),
    Event('a "b",\tc', 1.5, 5.984, 0.5, 0.25),
    Event("guitar", 2.5, 8.25, 1.0, 0.75),  # windows overlap, so events of a label may
    Event("guitar", 8.25, 9.0, 0.25, 0.125),
    Event("Ångström ♪", 9.999999, 10.0, 0.5, 0.5),
)
LABELS = list(dict.fromkeys(event.label for event in FOUND))


def held(*events: Event, path: str | None = "/n/my night 1.wav", duration_s: float = 10.0) -> Events:
    return Events(events, LABELS, duration_s, 44_100, path=path)


class Grid:
    """Reads the long text form of a TextGrid as its manual gives it: free text around numbers and strings."""

    def __init__(self, text: str) -> None:
        kinds = re.findall(r'"((?:[^"]|"")*)"|(?<![\w\[])(-?\d+(?:\.\d+)?)(?![\w\]])|<(\w+)>', text)
        self.values: list[Any] = [
            float(number) if number else flag or string.replace('""', '"') for string, number, flag in kinds
        ]

    def take(self) -> Any:
        return self.values.pop(0)

    def tiers(self) -> tuple[float, list[tuple[str, list[tuple[float, float, str]]]]]:
        assert [self.take(), self.take()] == ["ooTextFile", "TextGrid"]
        assert self.take() == 0
        end_s = self.take()
        assert self.take() == "exists"
        tiers = []
        for _ in range(int(self.take())):
            assert self.take() == "IntervalTier"
            name = self.take()
            assert (self.take(), self.take()) == (0, end_s)
            rows = [(self.take(), self.take(), self.take()) for _ in range(int(self.take()))]
            tiers.append((name, rows))
        assert not self.values
        return end_s, tiers


def test_a_text_grid_holds_every_event_and_no_gap() -> None:
    end_s, tiers = Grid(held(*FOUND).to_praat()).tiers()
    assert end_s == 10.0
    assert [name for name, _ in tiers] == ["guitar", 'a "b", c', "guitar (2)", "Ångström ♪"]
    for _, rows in tiers:
        assert (rows[0][0], rows[-1][1]) == (0, end_s)
        assert all(before[1] == after[0] for before, after in pairwise(rows))
        assert all(start_s < stop_s for start_s, stop_s, _ in rows)
    events = sorted(row for _, rows in tiers for row in rows if row[2])
    assert events == sorted((e.start_s, e.end_s, " ".join(e.label.split())) for e in FOUND)


@pytest.mark.parametrize("duration_s", [0.0, 10.0])
def test_a_text_grid_without_events_is_one_that_praat_opens(duration_s: float) -> None:
    end_s, tiers = Grid(text_grid([], duration_s)).tiers()
    assert end_s > 0
    assert tiers == [("events", [(0, end_s, "")])]


def test_an_event_without_length_and_one_beyond_the_end_keep_their_places() -> None:
    events = [Event("a", 1.0, 1.0, 1.0, 1.0), Event("a", 2.0, 12.5, 1.0, 1.0)]
    end_s, [(name, rows)] = Grid(text_grid(events, 10.0)).tiers()
    assert (end_s, name) == (12.5, "a")
    assert [row for row in rows if row[2]] == [(1.0, 1.000001, "a"), (2.0, 12.5, "a")]


def test_rttm_has_ten_fields_which_give_the_event_back() -> None:
    lines = held(*FOUND).to_rttm().splitlines()
    assert len(lines) == len(FOUND)
    for line, event in zip(lines, FOUND, strict=True):
        fields = line.split(" ")
        assert len(fields) == 10
        assert fields[:3] == ["SPEAKER", "my_night_1", "1"]
        assert fields[5:7] == [fields[9], "<NA>"] == ["<NA>", "<NA>"]
        assert float(fields[3]) == event.start_s
        assert float(fields[3]) + float(fields[4]) == pytest.approx(event.end_s, abs=1e-9)
        assert fields[7] == "_".join(event.label.split())
        assert float(fields[8]) == event.peak


def test_rttm_names_the_recording() -> None:
    assert rttm_id("in/20261128_131500.wav") == "20261128_131500"
    assert rttm_id("in/a.tar.gz") == "a.tar"
    assert rttm_id("in/a\u3000b\n.wav") == "a_b"
    assert rttm_id("caf\udce9.wav") == "caf\\xe9"
    assert rttm_id(None) == rttm_id("") == "<NA>"
    assert held(*FOUND[:1]).to_rttm(file_id="night of\t3").startswith("SPEAKER night_of_3 1 ")


def test_raven_knows_the_recording_by_its_files_name() -> None:
    for path, name in (
        ("/n/my night 1.wav", "my night 1.wav"),
        ("a\tb.wav", "a b.wav"),
        (" a  b.wav", " a  b.wav"),
        (None, ""),
    ):
        _, *lines = held(*FOUND, path=path).to_raven().split("\n")[:-1]
        rows = [dict(zip(RAVEN_COLUMNS, line.split("\t"), strict=True)) for line in lines]
        assert [row["Begin File"] for row in rows] == [name] * len(FOUND)


def test_an_event_that_goes_on_is_refused_by_all() -> None:
    on = Event("guitar", 1.0, None, 0.5, 0.5)
    with pytest.raises(ValueError, match=r"expected one that has ended, got 'guitar' that goes on; leave it"):
        rttm_line(on, file_id="a")
    with pytest.raises(ValueError, match="expected one that has ended"):
        text_grid([on], 1.0)
