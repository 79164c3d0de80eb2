"""Results: Tags and Window, their means and order, and their JSON, JSON Lines and CSV forms."""

from __future__ import annotations

import csv
import io
import json
import math
import pickle

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.tags import CSV_COLUMNS, SCHEMA, Tags
from helpers import GUITAR
from hypothesis import given
from hypothesis import strategies as st

LABELS = ["guitar", 'a "b", c', "é♪"]


def made(scores: list[list[float]], **more: object) -> Tags:
    """Return tags with windows of 3 s and these scores."""
    rows = np.array(scores, dtype=np.float32).reshape(-1, 3)
    starts = 3.0 * np.arange(len(rows))
    times = np.stack([starts, starts + 3], axis=1)
    return Tags(LABELS, rows, times, 3.0 * len(rows), path="clip.wav", model="m", **more)


TWO = made([[0.1, 0.5, 0.3], [0.3, 0.1, 0.9]])
NONE = made([])


def test_a_real_result_holds_what_is_stated(tagger: fa.Pipeline) -> None:
    tags = tagger(GUITAR)
    assert len(tags) == len(tags.scores) == len(tags.times) == 3
    assert tags.scores.dtype == np.float32
    assert tags.times.dtype == np.float64
    np.testing.assert_allclose(tags.times[:, 0], [0, 2.992, 5.984])
    np.testing.assert_allclose(tags.times[:, 1], [2.992, 5.984, 8.976])
    assert len(tags.labels) == 50
    assert not tags.truncated
    assert f"3 windows, 9.97 s: {tags.top(1)[0][0]} 0." in repr(tags)
    again = pickle.loads(pickle.dumps(tags))  # noqa: S301
    assert np.array_equal(again.scores, tags.scores)


def test_the_mean_is_over_windows() -> None:
    assert TWO.mean().dtype == np.float32
    np.testing.assert_allclose(TWO.mean(), [0.2, 0.3, 0.6], rtol=1e-6)


def test_top_is_of_the_mean_highest_first() -> None:
    assert [label for label, _ in TWO.top(2)] == ["é♪", 'a "b", c']
    assert TWO.top(99) == TWO.top(3)
    assert TWO.top(0) == TWO.top(-1) == []
    assert all(type(score) is float for _, score in TWO.top())


def test_windows_are_taken_by_index_and_in_order() -> None:
    assert [window.start_s for window in TWO] == [0, 3]
    assert (TWO[-1].start_s, TWO[-1].end_s) == (3, 6)
    assert [label for label, _ in TWO[1].top(1)] == ["é♪"]
    assert TWO[0].labels == LABELS
    with pytest.raises(IndexError, match=r"^Tags: expected an index from -2 to 1, got 2$"):
        TWO[2]
    with pytest.raises(IndexError, match=r"^Tags: expected no index, as there is nothing, got 0$"):
        NONE[0]
    for index in (1.5, None, True, (0, 1)):
        with pytest.raises(TypeError, match=r"^Tags: expected an index, a slice or a label, got "):
            TWO[index]  # type: ignore[call-overload]


def test_slices_are_tags_and_labels_are_scores_over_time() -> None:
    last = TWO[1:]
    assert isinstance(last, Tags)
    assert (len(last), last.path, last.times.tolist()) == (1, "clip.wav", [[3, 6]])
    assert last.top() == TWO[1].top()
    assert TWO[::-1][0].start_s == 3
    assert TWO["é♪"].tolist() == pytest.approx([0.3, 0.9])
    assert TWO["é♪"].dtype == np.float32
    with pytest.raises(KeyError, match=r"Tags: expected one of 3 labels, got 'guitars'; did you mean 'gui"):
        TWO["guitars"]
    with pytest.raises(KeyError, match=r"Tags: expected one of 3 labels, got 'xyz'; \.labels lists them"):
        TWO["xyz"]


def test_a_window_shows_its_best_scores() -> None:
    assert repr(TWO[0]) == '<Window 0.00-3.00 s: "a ""b"", c" 0.50, é♪ 0.30, guitar 0.10>'
    assert (
        repr(made([[0.1, 0.2, 2e6]])[0]) == '<Window 0.00-3.00 s: é♪ 2e+06, "a ""b"", c" 0.20, guitar 0.10>'
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_marked_left_out_of_top_and_null_in_json(bad: float) -> None:
    tags = made([[0.1, bad, 0.3], [0.3, 0.5, 0.9]])
    assert not tags.finite
    assert (tags[0].finite, tags[1].finite) == (False, True)
    assert [label for label, _ in tags[0].top()] == ["é♪", "guitar"]
    assert "not all scores are finite" in repr(tags[0])
    np.testing.assert_allclose(tags.mean(), [0.2, 0.5, 0.6], rtol=1e-6)  # over what is finite
    assert len(tags.top()) == 3
    assert math.isnan(made([[0.1, bad, 0.3]]).mean()[1])
    data = json.loads(tags.to_json(windows=True), parse_constant=pytest.fail)
    assert data["finite"] is False
    assert data["windows"][0]["tags"][-1] == {"label": 'a "b", c', "score": None}
    json.loads(tags.to_jsonl().splitlines()[0], parse_constant=pytest.fail)
    rows = list(csv.DictReader(io.StringIO(tags.to_csv(windows=True))))
    assert [row["score"] for row in rows[:3]] == ["0.3", "0.1", ""]


def test_silent_windows_have_no_tags_in_any_form() -> None:
    part = made([[0.1, 0.5, 0.3], [0.3, 0.1, 0.9]], silent=np.array([True, False]))
    np.testing.assert_array_equal(part.mean(), TWO.mean())
    assert part.top() == TWO.top()
    assert (part[0].silent, part[0].top(), part[0].scores.tolist()) == (True, [], TWO[0].scores.tolist())
    windows = json.loads(part.to_json(windows=True))["windows"]
    assert [(window["silent"], len(window["tags"])) for window in windows] == [(True, 0), (False, 3)]
    assert len(part.to_csv(windows=True, header=False).splitlines()) == 3
    whole = made([[0.1, 0.5, np.nan]], silent=np.array([True]))
    assert whole.finite  # its scores don't count
    assert whole.in_range
    data = json.loads(whole.to_json())
    assert (data["silent"], data["tags"]) == (True, [])
    assert whole.to_csv(header=False) == ""


def test_scores_out_of_range_are_marked() -> None:
    assert TWO.in_range
    assert made([[-0.0005, 1.0005, 0.5]]).in_range  # rounding
    for bad in (-0.1, 1.1, 2e6):
        assert not made([[0.1, 0.2, bad]]).in_range


def test_a_clip_without_sound_has_no_tags(tagger: fa.Pipeline) -> None:
    for empty in (NONE, tagger(np.zeros(0, dtype=np.float32), sample_rate=16_000)):
        assert len(empty) == 0
        assert empty.top() == []
        assert not empty.mean().any()
        assert empty.mean().shape == (len(empty.labels),)
        assert list(empty) == []
        assert json.loads(empty.to_json(windows=True))["windows"] == []
        assert empty.to_jsonl() == ""
        assert len(empty.to_csv().splitlines()) == 1
        assert "0 windows" in repr(empty)


def test_json_has_a_versioned_schema() -> None:
    data = json.loads(TWO.to_json(top=1, windows=True))
    assert data == {
        "schema": SCHEMA,
        "path": "clip.wav",
        "model": "m",
        "duration_s": 6.0,
        "truncated": False,
        "silent": False,
        "finite": True,
        "tags": [{"label": "é♪", "score": 0.6}],
        "windows": [
            {"start_s": 0.0, "end_s": 3.0, "silent": False, "tags": [{"label": 'a "b", c', "score": 0.5}]},
            {"start_s": 3.0, "end_s": 6.0, "silent": False, "tags": [{"label": "é♪", "score": 0.9}]},
        ],
    }
    assert "\n" not in TWO.to_json()
    assert "windows" not in json.loads(TWO.to_json())
    assert len(json.loads(TWO.to_json())["tags"]) == 3
    assert SCHEMA == "fastaudio.tags/1"


def test_json_lines_are_one_per_window() -> None:
    lines = [json.loads(line) for line in TWO.to_jsonl(top=1).splitlines()]
    assert [line["start_s"] for line in lines] == [0, 3]
    for line in lines:
        assert set(line) == {"schema", "path", "model", "truncated", "start_s", "end_s", "silent", "tags"}
        assert line["schema"] == SCHEMA


def test_csv_is_one_row_per_label_and_quotes_what_needs_it() -> None:
    rows = list(csv.DictReader(io.StringIO(TWO.to_csv())))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row["label"] for row in rows] == ["é♪", 'a "b", c', "guitar"]
    assert {row["schema"] for row in rows} == {SCHEMA}
    assert [float(row["end_s"]) for row in rows] == [6, 6, 6]
    windows = list(csv.DictReader(io.StringIO(TWO.to_csv(windows=True, top=2))))
    assert [row["start_s"] for row in windows] == ["0.0", "0.0", "3.0", "3.0"]
    assert not TWO.to_csv(header=False).startswith("schema")


def test_a_truncated_clip_says_so_everywhere() -> None:
    cut = made([[0.1, 0.2, 0.3]], truncated=True)
    assert json.loads(cut.to_json())["truncated"] is True
    assert "truncated" in repr(cut)


@given(scores=st.lists(st.floats(0, 1, width=32), min_size=3, max_size=30))
def test_every_form_holds_the_same_scores(scores: list[float]) -> None:
    tags = made([scores[i : i + 3] for i in range(0, len(scores) // 3 * 3, 3)])
    data = json.loads(tags.to_json(windows=True))
    from_json = {tag["label"]: tag["score"] for tag in data["tags"]}
    from_csv = {row["label"]: float(row["score"]) for row in csv.DictReader(io.StringIO(tags.to_csv()))}
    assert from_json == from_csv
    for label, mean in zip(LABELS, tags.mean(), strict=True):
        assert from_json[label] == pytest.approx(float(mean), abs=1e-6)
    order = [tag["score"] for tag in data["tags"]]
    assert order == sorted(order, reverse=True)


def test_a_result_cannot_be_changed_by_mistake() -> None:
    with pytest.raises(AttributeError):
        TWO.duration_s = 1.0  # type: ignore[misc]


@pytest.mark.parametrize("k", ["3", 2.0, None, True])
def test_top_takes_a_whole_number(k: object) -> None:
    tags = fa.Pipeline.load("musicnn-mtt")(np.zeros(16_000, dtype=np.float32), sample_rate=16_000)
    for result, name in ((tags, "Tags"), (tags[0], "Window")):
        with pytest.raises(TypeError, match=rf"^{name}\.top: expected a whole number, got "):
            result.top(k)  # type: ignore[arg-type]
        assert result.top(-1) == []
