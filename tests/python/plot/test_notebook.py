"""What a notebook shows: text that only shows, pictures where matplotlib is installed; and data frames."""

from __future__ import annotations

import base64
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import heads, plot
from fastaudio.events import Event, Events
from fastaudio.tags import Tags
from helpers import GUITAR
from pictures import read_png

EVIL = "<script>alert(1)</script>\x1b[2J\"'&"
SCORES = np.array([[0.2, 0.6], [0.4, 0.8]], dtype=np.float32)
TAGS = Tags(
    ["dog", EVIL], SCORES, np.array([[0, 1], [1, 2.0]]), 2.0, path=f"{EVIL}.wav", model=EVIL, truncated=True
)
EVENTS = Events(
    tuple(Event(label, k, k + 0.5, 0.7, 0.6) for k in range(15) for label in ("dog", EVIL)),
    ["dog", EVIL],
    20.0,
    16_000,
    path=f"{EVIL}.wav",
    model=EVIL,
)
PIPELINE = fa.Pipeline(
    fa.MelSpectrogram(n_mels=2) >> fa.Tags(["dog", EVIL]), card={"name": EVIL}, untrained=True
)


class Reader(HTMLParser):
    """Collects a page's elements and its text, and checks that each one ends."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""
        self.images: list[bytes] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append(tag)
        if tag == "img":
            source = dict(attrs)["src"]
            assert source.startswith("data:image/png;base64,")
            self.images.append(base64.b64decode(source.partition(",")[2]))
        else:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    "result", [TAGS, EVENTS, TAGS[0], PIPELINE], ids=lambda result: type(result).__name__
)
def test_what_is_shown_is_text_that_does_nothing(result: Any) -> None:
    page = Reader(result._repr_html_())
    assert set(page.found) <= {"div", "b", "table", "thead", "tbody", "tr", "th", "td", "img", "pre"}
    assert "<script>alert(1)</script>\\x1b[2J" in page.text
    assert "\x1b" not in page.text
    assert read_png(result._repr_png_()).std() > 0.01


def test_tags_show_their_best_labels_and_a_picture() -> None:
    page = Reader(TAGS._repr_html_())
    assert "2 windows, 2.00 s, truncated" in page.text
    assert "0.70" in page.text
    assert "0.30" in page.text
    assert re.findall(r"width:(\d+)px", TAGS._repr_html_()) == ["84", "36"]
    (image,) = page.images
    assert image == TAGS._repr_png_()


def test_events_show_the_first_of_them_and_how_many_more() -> None:
    text = Reader(EVENTS._repr_html_()).text
    assert "30 events, 20.00 s" in text
    assert "and 10 more" in text
    assert "start (s)end (s)labelpeak score0.000.50dog0.70" in text
    assert Reader(replace(EVENTS, events=())._repr_html_()).found.count("tr") == 0


def test_silence_is_shown_as_silence() -> None:
    silent = replace(TAGS, silent=np.ones(2, dtype=bool))
    assert "truncated: silence" in Reader(silent._repr_html_()).text
    assert "0.0 s: silence" not in Reader(TAGS[0]._repr_html_()).text
    assert Reader(silent[0]._repr_html_()).text == "Window 0.00-1.00 s: silence"
    assert read_png(silent[0]._repr_png_()).ndim == 3


def test_without_matplotlib_a_notebook_shows_the_table_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for result in (TAGS, EVENTS, TAGS[0], PIPELINE):
        assert result._repr_png_() is None
        assert Reader(result._repr_html_()).images == []
    for call in (TAGS.plot, EVENTS.plot):
        with pytest.raises(
            heads.MissingExtra, match=r"\.plot: expected matplotlib, got none; pip install '.*\[plot\]'$"
        ):
            call()


@pytest.mark.skipif(sys.platform == "win32", reason="isolation needs Linux or macOS")
def test_an_isolated_pipeline_shows_its_parts_as_text(tagger: fa.Pipeline) -> None:
    with fa.isolated(tagger) as apart:
        assert apart._repr_png_() is None
        assert "MelSpectrogram(sample_rate=16000, ...)" in Reader(apart._repr_html_()).text
        with pytest.raises(AttributeError, match=r"compose first, then call fastaudio\.isolated"):
            plot.diagram(apart)


def test_the_programs_style_stays_as_it_is() -> None:
    import matplotlib as mpl

    with mpl.rc_context({"axes.facecolor": "red"}):
        TAGS._repr_png_()
        assert mpl.rcParams["axes.facecolor"] == "red"


def test_tags_become_a_data_frame_with_their_times(tagger: fa.Pipeline) -> None:
    pytest.importorskip("pandas", reason="pip install '.[pandas]'")
    tags = tagger(GUITAR)
    frame = tags.to_pandas()
    assert frame.index.names == ["start_s", "end_s"]
    assert list(frame.columns) == tags.labels
    assert np.array_equal(frame.to_numpy(), tags.scores)
    assert np.array_equal(np.array(frame.index.tolist()), tags.times)
    assert frame["guitar"].tolist() == tags["guitar"].tolist()
    assert frame.attrs["duration_s"] == tags.duration_s
    assert frame.attrs["model"] == "musicnn-mtt"
    half = replace(TAGS, silent=np.array([True, False])).to_pandas()
    assert half.isna().to_numpy().tolist() == [[True, True], [False, False]]
    assert len(TAGS[:0].to_pandas()) == 0


def test_events_become_a_data_frame() -> None:
    pytest.importorskip("pandas", reason="pip install '.[pandas]'")
    frame = EVENTS.to_pandas()
    assert list(frame.columns) == ["label", "start_s", "end_s", "peak", "mean"]
    assert len(frame) == 30
    assert frame.groupby("label")["end_s"].max().to_dict() == {"dog": 14.5, EVIL: 14.5}
    empty = replace(EVENTS, events=()).to_pandas()
    assert empty["start_s"].dtype == np.float64
    assert len(empty) == 0


def test_without_pandas_the_command_that_adds_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    for result in (TAGS, EVENTS):
        with pytest.raises(
            heads.MissingExtra, match=r"to_pandas: expected pandas, .*'fastaudio-toolkit\[pandas\]'$"
        ):
            result.to_pandas()
