"""Pictures of tags and events: what is drawn is what was found, where it was found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fastaudio import plot
from fastaudio.events import Event, Events
from fastaudio.tags import Tags
from pictures import label_texts, read_png


def made(scores: Any, labels: Any = ("guitar", "dog", "rain"), **more: Any) -> Tags:
    """Return tags with a window per second."""
    rows = np.asarray(scores, dtype=np.float32).reshape(-1, len(labels))
    starts = np.arange(len(rows), dtype=np.float64)
    return Tags(labels, rows, np.stack([starts, starts + 1], axis=1), float(len(rows)), **more)


TAGS = made([[0.1, 0.5, 0.3], [0.3, 0.2, 0.9], [0.2, 0.1, 0.4]])


def mesh_of(ax: Any) -> Any:
    (mesh,) = ax.collections
    return mesh


def test_the_heat_map_holds_the_scores_at_their_times_best_label_above() -> None:
    ax = plot.tags(TAGS)
    assert label_texts(ax.yaxis) == ["rain", "dog", "guitar"]
    mesh = mesh_of(ax)
    np.testing.assert_allclose(mesh.get_array(), TAGS.scores[:, [2, 1, 0]].T)
    assert mesh.get_coordinates()[0, :, 0].tolist() == [0, 1, 2, 3]
    assert mesh.get_clim() == (0, pytest.approx(0.9))
    assert ax.get_xlim() == (0, 3)
    assert ax.get_ylim() == (2.5, -0.5)
    assert ax.get_xlabel() == "time (s)"
    assert ax.figure.axes[1].get_ylabel() == "score"


def test_a_picture_is_drawn_on_the_given_axes_and_these_are_returned() -> None:
    from matplotlib.figure import Figure

    one, other = Figure().subplots(2)
    assert TAGS.plot(one, top=1, colorbar=False) is one
    assert plot.tags(TAGS, other, vmax=1.0) is other
    assert label_texts(one.yaxis) == ["rain"]
    assert len(one.figure.axes) == 3  # the second has a colour bar
    assert mesh_of(other).get_clim() == (0, 1)


def test_silent_windows_and_scores_that_are_no_numbers_are_grey() -> None:
    scores = TAGS.scores.copy()
    scores[0, 1] = np.nan
    ax = replace(TAGS, scores=scores, silent=np.array([False, True, False])).plot()
    mesh = mesh_of(ax)
    assert label_texts(ax.yaxis) == ["rain", "guitar", "dog"]  # a silent window has no highest score
    assert np.ma.getmaskarray(mesh.get_array()).tolist() == [[False, True, False]] * 2 + [[True, True, False]]
    assert ax.figure.axes[1].get_ylabel() == "score (grey: silent)"


def test_nothing_to_draw_is_said() -> None:
    assert [text.get_text() for text in made([]).plot().texts] == ["no windows"]
    silent = replace(TAGS, silent=np.ones(3, dtype=bool)).plot()
    assert [text.get_text() for text in silent.texts] == ["silence"]
    assert silent.get_xlim() == (0, 3)


def test_a_slice_shows_its_own_stretch() -> None:
    assert TAGS[1:2].plot().get_xlim() == (1, 2)


def test_of_many_windows_the_highest_scores_are_kept() -> None:
    scores = np.zeros((100_000, 1), dtype=np.float32)
    scores[77_777] = 0.8  # one window of a day
    ax = made(scores, ["dog"]).plot()
    mesh = mesh_of(ax)
    values = np.asarray(mesh.get_array())
    edges = mesh.get_coordinates()[0, :, 0]
    assert values.shape[1] <= 2048
    assert values.max() == pytest.approx(0.8)
    at = int(values.argmax())
    assert edges[at] <= 77_777 < edges[at + 1]
    assert edges[-1] == 100_000
    assert ax.get_xlabel() == "time (h:min:s)"


def test_labels_are_drawn_as_they_are() -> None:
    labels = ["a $x^2$ b", "line\nend", "l" * 100]
    names = label_texts(made([[0.3, 0.2, 0.1]], labels).plot().yaxis)
    assert names == [r"a \$x^2\$ b", "line\\nend", "l" * 29 + "..."]
    assert read_png(made([[0.3, 0.2, 0.1]], ["$\\frac{1$", "音楽", "x"])._repr_png_()).shape[2] in (3, 4)


def test_logits_and_negative_scores_have_colours() -> None:
    ax = made([[-3.0, 5.0, 0.5]]).plot()
    assert mesh_of(ax).get_clim() == (-3, 5)


def event(label: str, start_s: float, end_s: float, peak: float = 0.5) -> Event:
    return Event(label, start_s, end_s, peak, peak)


def found(*all_events: Event, duration_s: float = 10.0) -> Events:
    return Events(all_events, ["dog", "rain", "guitar"], duration_s, 16_000, path="x.wav", model="m")


def corners_of(ax: Any) -> list[list[float]]:
    """Left, right, top and bottom of each bar."""
    (bars,) = ax.collections
    boxes = [path.get_extents() for path in bars.get_paths()]
    return [[box.x0, box.x1, round(box.y0, 6), round(box.y1, 6)] for box in boxes]


def test_each_event_is_a_bar_in_its_labels_lane_the_longest_above() -> None:
    ax = plot.events(found(event("dog", 1, 2, 0.5), event("rain", 2, 8, 0.7), event("dog", 6, 7, 0.9)))
    assert label_texts(ax.yaxis) == ["rain", "dog"]
    assert corners_of(ax) == [[2, 8, -0.4, 0.4], [1, 2, 0.6, 1.4], [6, 7, 0.6, 1.4]]
    assert ax.collections[0].get_array().tolist() == [0.7, 0.5, 0.9]
    assert ax.collections[0].get_clim() == (0, 0.9)
    assert ax.get_xlim() == (0, 10)
    assert ax.figure.axes[1].get_ylabel() == "peak score"


def test_bars_whose_gap_cannot_be_seen_are_joined_and_keep_the_highest_score() -> None:
    many = [event("dog", k, k + 0.5, 0.3) for k in range(1000)]
    many[500] = event("dog", 500, 500.5, 0.8)
    ax = found(*many, duration_s=36_000.0).plot()
    assert corners_of(ax) == [[0, 999.5, -0.4, 0.4]]
    assert ax.collections[0].get_array().tolist() == [0.8]
    apart = found(*many, duration_s=1000.0).plot()
    assert len(corners_of(apart)) == 1000


def test_labels_that_have_no_lane_are_counted() -> None:
    ax = plot.events(found(event("dog", 1, 2), event("rain", 2, 8), event("guitar", 6, 9)), top=2)
    assert label_texts(ax.yaxis) == ["rain", "guitar"]
    assert ax.get_title(loc="right") == "2 of 3 labels, those heard longest"


def test_without_events_the_picture_says_so() -> None:
    ax = found().plot()
    assert [text.get_text() for text in ax.texts] == ["no events"]
    assert ax.get_xlim() == (0, 10)


@pytest.mark.parametrize("draw", [plot.tags, plot.events])
def test_what_is_no_result_is_refused(draw: Any) -> None:
    with pytest.raises(TypeError, match=r"^plot\.\w+: expected fastaudio\.\w+\.\w+, got ndarray$"):
        draw(np.zeros((3, 2)))


def test_axes_that_are_none_are_refused() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    several = figure.subplots(2)
    with pytest.raises(TypeError, match=r"^Tags\.plot: expected ax .*, got ndarray; pass one element of it$"):
        TAGS.plot(several)
    with pytest.raises(TypeError, match=r"^Tags\.plot: expected ax .*, got Figure; pass axes"):
        TAGS.plot(figure)
