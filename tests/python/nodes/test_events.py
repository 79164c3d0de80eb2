"""Events: the node against a plain reference, streams against files, and the forms that others read."""

from __future__ import annotations

import csv
import io
import json
import pickle
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from events_reference import rows_of
from fastaudio import events
from fastaudio.events import CSV_COLUMNS, RAVEN_COLUMNS, SCHEMA, Event, Events, decode
from helpers import GUITAR, assert_same_bits, in_chunks, slices
from helpers import decode as decode_file
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATES_HZ = [8.0, 1.0, 62.5 / 187, 10.1]
LABELS = ["guitar", "it's\ta tab", 'a "b", c']
LOOSE = {"onset": [0.2], "offset": [0.1]}


def spec_of(n_labels: int, rate_hz: float = 8.0) -> fa.StreamSpec:
    """Return the spec of scores with names."""
    rows = fa.StreamSpec(rate_hz=rate_hz, shape=[n_labels], unit="probability")
    return fa.Tags([f"label {k}" for k in range(n_labels)]).output_specs(rows)[""]


def run(
    node: fa.Events, scores: NDArray[np.float32], cuts: Any = (), rate_hz: float = 8.0
) -> NDArray[np.float32]:
    """Return the node's rows for scores pushed in blocks."""
    return in_chunks(node, scores, cuts, spec_of(scores.shape[1], rate_hz))[""]


# There are few values, so that scores meet thresholds exactly and cross them often.
LEVELS = [0.0, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 1.0]
level = st.sampled_from(LEVELS)
# Some are odd multiples of 0.0625 s, half a window, so that rounding matters.
seconds = st.sampled_from([0.0, 0.01, 0.125, 0.1875, 0.25, 0.375, 0.6, 1.0])
signals = st.integers(1, 3).flatmap(
    lambda n: st.lists(st.lists(level, min_size=n, max_size=n), max_size=60).map(
        lambda rows: np.array(rows, dtype=np.float32).reshape(-1, n)
    )
)


@st.composite
def options_for(draw: st.DrawFn, n_labels: int) -> dict[str, Any]:
    """Draw options for `n_labels` labels; some options are one value for all."""

    def numbers(strategy: st.SearchStrategy[float]) -> list[float]:
        return draw(st.lists(strategy, min_size=n_labels, max_size=n_labels) | st.tuples(strategy).map(list))

    onset = numbers(level)
    below = draw(st.lists(st.sampled_from([0.0, 0.1, 0.3]), min_size=len(onset), max_size=len(onset)))
    return {
        "onset": onset,
        "offset": draw(st.sampled_from([[], [a - b for a, b in zip(onset, below, strict=True)]])),
        "min_on_s": numbers(seconds),
        "min_off_s": numbers(seconds),
        "smoothing_s": draw(seconds),
        "cool_down_s": numbers(seconds),
        "onsets": draw(st.booleans()),
        "smoothing": draw(st.sampled_from(["mean", "median"])),
        "bridge": draw(st.sampled_from(["offset", "onset"])),
    }


def own_options(options: dict[str, Any], n_labels: int) -> list[dict[str, Any]]:
    """Return the options of each label."""
    given_ = options | {"offset": options["offset"] or options["onset"]}

    def of(value: Any, k: int) -> Any:
        return value if not isinstance(value, list) else value[k if len(value) > 1 else 0]

    return [{name: of(value, k) for name, value in given_.items()} for k in range(n_labels)]


@given(data=st.data(), scores=signals, rate_hz=st.sampled_from(RATES_HZ))
@settings(max_examples=300)
def test_rows_are_those_of_the_rules_bit_for_bit_in_any_blocks(
    data: st.DataObject, scores: NDArray[np.float32], rate_hz: float
) -> None:
    n_labels = scores.shape[1]
    options = data.draw(options_for(n_labels))
    cuts = data.draw(st.lists(st.integers(0, 60), max_size=8))
    want = rows_of(scores, own_options(options, n_labels), rate_hz)
    node = fa.Events(**options)
    assert_same_bits({"": run(node, scores, (), rate_hz)}, {"": want})
    assert_same_bits({"": run(node, scores, cuts, rate_hz)}, {"": want})


def test_real_scores_give_the_rows_of_the_rules_bit_for_bit(guitar_16k: NDArray[np.float32]) -> None:
    # Sound takes the place of scores: it is long and irregular.
    scores = np.abs(guitar_16k[: 16_000 * 3].reshape(-1, 4)).astype(np.float32)
    options = {"onset": [0.2], "offset": [0.05], "min_on_s": [0.5], "min_off_s": [1.0]}
    node = fa.Events(**options, smoothing_s=1.5, cool_down_s=[3.0], onsets=True)
    every = options | {"smoothing_s": 1.5, "cool_down_s": [3.0], "onsets": True}
    every |= {"smoothing": "mean", "bridge": "offset"}
    want = rows_of(scores, own_options(every, 4), 8.0)
    assert len(want) > 20
    assert_same_bits({"": run(node, scores, range(0, len(scores), 7))}, {"": want})


def test_rows_come_out_as_soon_as_the_rules_allow() -> None:
    node = fa.Events(min_on_s=[2.0], min_off_s=[3.0], onsets=True)
    stream = node.open(spec_of(1, 1.0))
    scores = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    n_out = [len(stream.push(np.array([[score]], dtype=np.float32))) for score in scores]
    assert n_out == [0, 0, 1, 0, 0, 0, 0, 0, 1, 0]
    assert len(stream.flush()) == 0


def test_composing_after_nothing_with_names_is_refused_with_a_remedy() -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=32)
    with pytest.raises(ValueError, match=r"^Events: expected scores with names, .*; compose after Tags$"):
        mel >> fa.Events()
    names = fa.Tags([f"band {k}" for k in range(32)])
    with pytest.raises(ValueError, match=r"^Events: expected windows over time, got rows \[once, 32\]"):
        mel >> fa.Mean() >> names >> fa.Events()
    with pytest.raises(ValueError, match=r"^Events: expected 3 labels"):
        mel >> names >> fa.Events(onset=[0.1, 0.2, 0.3])


def test_offset_above_onset_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^Events: expected offset at most onset = 0\.5, got 0\.6$"):
        fa.Events(offset=[0.6])


# Events of a signal


def test_a_file_gives_events_within_its_length(tagger: fa.Pipeline) -> None:
    tags = tagger(GUITAR)
    found = (tagger >> fa.Events(onset=[0.2]))(GUITAR)
    assert isinstance(found, Events)
    assert len(found) > 3
    assert (found.path, found.model, found.sample_rate) == (str(GUITAR), "musicnn-mtt", 44_100)
    assert found.duration_s == tags.duration_s
    assert found.labels == tags.labels
    place = [tags.labels.index(event.label) for event in found]
    order = [(event.start_s, k) for event, k in zip(found, place, strict=True)]
    assert order == sorted(order)
    for event, k in zip(found, place, strict=True):
        assert event.end_s is not None
        inside = (tags.times[:, 0] >= event.start_s - 1e-9) & (tags.times[:, 1] <= event.end_s + 1e-9)
        assert event.start_s in tags.times[:, 0]
        assert event.end_s in tags.times[:, 1]
        assert event.peak == pytest.approx(tags.scores[inside, k].max(), abs=1e-5)
        assert event.mean == pytest.approx(tags.scores[inside, k].mean(), abs=1e-5)
    assert {e.label for e in found} == {
        tags.labels[k] for k in np.flatnonzero((tags.scores >= 0.2).any(axis=0))
    }


@pytest.mark.parametrize("block", [1, 441, 4096, 100_000, 10**7])
def test_a_stream_gives_the_events_of_the_file(tagger: fa.Pipeline, block: int) -> None:
    pipeline = tagger >> fa.Events(**LOOSE, min_off_s=[3.0], onsets=True)
    whole = pipeline(GUITAR)
    samples, rate = decode_file(GUITAR)
    got: list[Event] = []
    step = max(block, 441)  # a block of one sample comes between others
    with pipeline.open(sample_rate=rate, channels=2) as stream:
        for part in slices(samples, range(0, len(samples), step)):
            got += stream.push(part[:block]) + stream.push(part[block:])
        got += stream.flush()
    assert all(isinstance(event, Event) for event in got)
    begun = [event for event in got if event.end_s is None]
    ended = [event for event in got if event.end_s is not None]
    place = {label: k for k, label in enumerate(whole.labels)}
    ended.sort(key=lambda event: (event.start_s, place[event.label]))
    assert len(whole) > 3
    assert [(e.label, e.start_s, e.end_s) for e in ended] == [(e.label, e.start_s, e.end_s) for e in whole]
    np.testing.assert_allclose([e.peak for e in ended], [e.peak for e in whole], atol=1e-5)
    np.testing.assert_allclose([e.mean for e in ended], [e.mean for e in whole], atol=1e-5)
    assert sorted((e.label, e.start_s) for e in begun) == sorted((e.label, e.start_s) for e in whole)


def test_no_sound_has_no_events(tagger: fa.Pipeline) -> None:
    none = (tagger >> fa.Events(onset=[0.0]))(np.zeros(0, dtype=np.float32), sample_rate=16_000)
    assert (len(none), list(none), none.duration_s) == (0, [], 0.0)
    assert none.to_jsonl() == none.to_audacity() == ""
    assert len(none.to_csv().splitlines()) == len(none.to_raven().splitlines()) == 1
    assert json.loads(none.to_json())["events"] == []
    assert repr(none) == "<Events: 0, 0.00 s: no sound>"


def test_branches_give_tags_and_events_side_by_side(tagger: fa.Pipeline) -> None:
    both = (tagger >> {"tags": fa.L2Normalize(), "events": fa.Events(**LOOSE)})(GUITAR)
    assert isinstance(both["events"], Events)
    assert both["tags"].scores.shape == (3, 50)


def test_a_pipeline_goes_on_with_a_node_and_keeps_the_rest(tmp_path: Path) -> None:
    tagger = fa.Pipeline.load("musicnn-mtt", channel=1)
    pipeline = tagger >> fa.Events(**LOOSE, min_off_s=[0.5])
    assert (pipeline.name, pipeline.channel, pipeline.quality) == ("musicnn-mtt", 1, "high")
    assert pipeline.card["licence"] == tagger.card["licence"]
    assert "pipeline" not in pipeline.card
    assert "Events" not in repr(tagger)
    pipeline.save(tmp_path / "card.json")
    again = fa.Pipeline.load(tmp_path / "card.json")
    assert again.node[-1] == pipeline.node[-1] == fa.Events(**LOOSE, min_off_s=[0.5])
    assert (again.name, again.channel) == ("musicnn-mtt", 1)
    assert list(again(GUITAR)) == list(pipeline(GUITAR))
    assert "[0.334 Hz, 6] events" in str(again)
    with pytest.raises(TypeError):
        tagger >> "events"


# Rows to events

ROWS = np.array(
    [[1, 0, 2, 0, 0.5, 0.25], [0, 1, 3, 1, 0.75, 0.5], [1, 0, 2, 4, 1.0, 0.125]], dtype=np.float32
)


def events_spec() -> fa.StreamSpec:
    rows = fa.StreamSpec(rate_hz=4.0, shape=[3], unit="probability")
    return (fa.Tags(LABELS) >> fa.Events()).output_specs(rows)[""]


def test_rows_are_read_with_their_times() -> None:
    late = (65536 + 3) / 4
    assert decode(ROWS, events_spec()) == [
        Event(LABELS[1], 0.5, None, 0.5, 0.25),
        Event("guitar", late, late + 0.25, 0.75, 0.5),
        Event(LABELS[1], 0.5, 1.5, 1.0, 0.125),
    ]


def test_times_begin_at_the_base_and_end_with_the_signal() -> None:
    event = decode(ROWS[2:], events_spec(), base_s=100.0, duration_s=1.25)[0]
    assert (event.start_s, event.end_s) == (100.5, 101.25)


def test_days_are_counted_to_the_window() -> None:
    first = 62 * 86_400 * 4 + 1  # two months at four windows per second
    row = np.array([[0, first // 65536, first % 65536, 1, 1, 1]], dtype=np.float32)
    assert decode(row, events_spec())[0].start_s == first / 4


# The forms that others read

FOUND = (
    Event("guitar", 0.0, 2.992, 0.75, 0.5),
    Event(LABELS[1], 2.992, 1000.25, 0.5, 0.375),
    Event(LABELS[2], 2.992, 5.984, 1.0, 1 / 3),
)
HELD = Events(FOUND, LABELS, 1000.25, 44_100, path="a, b.wav", model="m")
ON = Event("guitar", 1.0, None, 0.5, 0.5)


def test_events_are_taken_by_index_and_in_order() -> None:
    assert tuple(HELD) == FOUND
    assert HELD[-1] is FOUND[-1]
    assert len(HELD) == 3
    assert HELD[1:] == FOUND[1:]
    assert HELD["guitar"] == FOUND[:1]
    with pytest.raises(IndexError, match=r"^Events: expected an index from -3 to 2, got 3$"):
        HELD[3]
    with pytest.raises(
        KeyError, match=r"Events: expected one of 3 labels, got 'guitars'; did you mean 'guitar'"
    ):
        HELD["guitars"]
    shown = LABELS[1].replace("\t", "\\t")  # a terminal is not controlled
    assert repr(HELD) == f"<Events: 3, 1000.25 s: guitar 1, {shown} 1, " + '"a ""b"", c" 1>'
    assert pickle.loads(pickle.dumps(HELD)).events == FOUND  # noqa: S301
    with pytest.raises(AttributeError):
        HELD[0].label = "other"  # type: ignore[misc]


def test_json_has_a_versioned_schema() -> None:
    data = json.loads(HELD.to_json())
    assert data.pop("events") == [event.to_dict() for event in FOUND]
    assert data == {
        "schema": SCHEMA,
        "path": "a, b.wav",
        "model": "m",
        "duration_s": 1000.25,
        "truncated": False,
        "silent": False,
        "finite": True,
        "best": None,
    }
    assert SCHEMA == "fastaudio.events/1"
    assert FOUND[2].to_dict() == {
        "id": f"2.992000 {LABELS[2]}",
        "state": "end",
        "label": LABELS[2],
        "start_s": 2.992,
        "end_s": 5.984,
        "peak": 1.0,
        "mean": 0.333333,
    }


def test_json_lines_are_one_an_event_and_alike_live() -> None:
    lines = [json.loads(line) for line in HELD.to_jsonl().splitlines()]
    common = {"schema": SCHEMA, "path": "a, b.wav", "model": "m", "truncated": False}
    assert lines == [common | event.to_dict() for event in FOUND]
    live = events.json_line(ON)
    assert live.endswith("}\n")
    assert json.loads(live).keys() == lines[0].keys()
    assert json.loads(live)["end_s"] is None


def test_csv_is_a_row_an_event_and_quotes_what_needs_it() -> None:
    rows = list(csv.DictReader(io.StringIO(HELD.to_csv())))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row["label"] for row in rows] == LABELS
    assert {(row["schema"], row["path"], row["truncated"]) for row in rows} == {(SCHEMA, "a, b.wav", "false")}
    times = [(float(row["start_s"]), float(row["end_s"])) for row in rows]
    assert times == [(event.start_s, event.end_s) for event in FOUND]
    assert [float(row["peak"]) for row in rows] == [0.75, 0.5, 1.0]
    assert HELD.to_csv() == events.csv_header() + HELD.to_csv(header=False)
    live = dict(zip(CSV_COLUMNS, next(csv.reader([events.csv_row(ON)])), strict=True))
    assert (live["start_s"], live["end_s"]) == ("1.0", "")


def test_audacity_gets_start_end_and_label_between_tabs() -> None:
    assert HELD.to_audacity().splitlines() == [
        "0.000000\t2.992000\tguitar",
        "2.992000\t1000.250000\tit's a tab",
        '2.992000\t5.984000\ta "b", c',
    ]


def test_raven_gets_a_selection_table() -> None:
    header, *lines = HELD.to_raven().splitlines()
    assert tuple(header.split("\t")) == RAVEN_COLUMNS
    assert RAVEN_COLUMNS[:7] == (
        "Selection",
        "View",
        "Channel",
        "Begin Time (s)",
        "End Time (s)",
        "Low Freq (Hz)",
        "High Freq (Hz)",
    )
    rows = [dict(zip(RAVEN_COLUMNS, line.split("\t"), strict=True)) for line in lines]
    assert [row["Selection"] for row in rows] == ["1", "2", "3"]
    assert [row["Annotation"] for row in rows] == ["guitar", "it's a tab", 'a "b", c']
    for row, event in zip(rows, FOUND, strict=True):
        assert (row["View"], row["Channel"]) == ("Spectrogram 1", "1")
        assert (float(row["Begin Time (s)"]), float(row["End Time (s)"])) == (event.start_s, event.end_s)
        assert (float(row["Low Freq (Hz)"]), float(row["High Freq (Hz)"])) == (0.0, 22_050.0)
        assert float(row["Peak Score"]) == pytest.approx(event.peak, abs=1e-6)
        assert float(row["Mean Score"]) == pytest.approx(event.mean, abs=1e-6)


def test_an_event_that_goes_on_has_no_place_in_a_table_of_ends() -> None:
    message = "^events: expected one that has ended, got 'guitar' that goes on; leave it out$"
    with pytest.raises(ValueError, match=message):
        events.audacity_line(ON)
    with pytest.raises(ValueError, match=message):
        events.raven_row(ON, 1, high_hz=8000.0)


def test_the_summary_of_no_sound_is_finite() -> None:
    node = fa.ZeroCrossingRate(hop_length=1) >> fa.Tags(labels=["x"]) >> fa.Events(summary=True)
    rows = node(np.zeros(0, np.float32))
    assert np.isfinite(rows).all()
