"""The model basic-pitch against the package it comes from, in any chunks, and on a chord of known notes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import GOLDEN, GUITAR, ROOT, decode
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from fastaudio.tags import Window
    from numpy.typing import NDArray

RATE = 22_050
OVERLAP = 30 * 256


@pytest.fixture(scope="module")
def notes() -> fa.Pipeline:
    """Return the shipped model."""
    return fa.Pipeline.load("basic-pitch")


def left() -> NDArray[np.float32]:
    """Return four seconds of the guitar's left channel, taken as if it were 22,050 Hz."""
    return decode(GUITAR)[0][: 4 * RATE, 0].copy()


@pytest.mark.parametrize("layer", ["note", "onset", "contour"])
def test_frames_one_after_another_are_the_packages_own(notes: fa.Pipeline, layer: str) -> None:
    want = np.load(GOLDEN / "basic_pitch.npz")[layer]
    ended = np.pad(left(), (0, OVERLAP // 2))  # the package always appends silence
    rows = notes.layer(layer)(ended, sample_rate=RATE)
    assert rows.shape[1:] == (142, want.shape[1])
    frames = rows.reshape(-1, want.shape[1])[: 4 * 86]
    assert np.abs(frames[::5] - want).max() < 1e-5
    assert want.max() > 0.5


def test_a_window_holds_the_highest_score_of_each_note(notes: fa.Pipeline) -> None:
    tags = notes(left(), sample_rate=RATE)
    frames = notes.layer("note")(left(), sample_rate=RATE)
    assert np.array_equal(tags.scores, frames.max(axis=1))
    assert (notes.layers, len(tags.labels)) == (("heard", "note", "onset", "contour"), 88)
    assert (tags.labels[0], tags.labels[39], tags.labels[48], tags.labels[-1]) == ("A0", "C4", "A4", "C8")


def test_rows_begin_when_the_card_says(notes: fa.Pipeline) -> None:
    """A note every 1.37 s for 40 seconds: its onset is found at its time, early and late alike."""
    begins_s = np.arange(0.7, 39, 1.37)
    t = np.arange(RATE // 2) / RATE
    note = np.exp(-3 * t) * sum(0.1 / k * np.sin(2 * np.pi * k * 440 * t) for k in range(1, 6))
    sound = np.zeros(41 * RATE, np.float32)
    for begin_s in begins_s:
        start = round(begin_s * RATE)
        sound[start : start + len(note)] += note
    a4 = notes(sound[:RATE], sample_rate=RATE).labels.index("A4")
    joined = notes.with_hop(36_352 / RATE)
    for pipeline, step in ((notes, 36_164), (joined, 36_352)):
        assert pipeline.hop_s == pytest.approx(step / RATE, abs=1e-9)
        rows = pipeline.layer("onset")(sound, sample_rate=RATE)[:, :, a4]
        i, j = np.indices(rows.shape)
        times_s = (step * i + 256 * j) / RATE
        for begin_s in begins_s:
            near = np.abs(times_s - begin_s) < 0.1
            assert np.abs(times_s.ravel()[np.where(near, rows, 0).argmax()] - begin_s) < 0.02
    assert np.diff(times_s.ravel()) == pytest.approx(256 / RATE)  # with that hop, all rows follow one another
    said = notes.card["description"]
    assert "row j of window i begins (36164 i + 256 j) / 22050 s into the sound" in said
    assert "with_hop(36352 / 22050)" in said


def test_the_notes_of_a_chord_are_heard(notes: fa.Pipeline) -> None:
    # The recording is called "guit_em9": E, G, B, D and the ninth, F sharp.
    first = notes(GUITAR)[0]
    assert sorted(label.rstrip("0123456789") for label, _ in first.top(5)) == ["B", "D", "E", "F#", "G"]
    assert all(score > 0.8 for _, score in first.top(5))
    assert first.top(6)[5][1] < 0.5


def test_a_tone_is_its_note(notes: fa.Pipeline) -> None:
    t = np.arange(2 * RATE) / RATE
    for name, frequency_hz in (("A4", 440.0), ("C3", 130.81)):
        tone = sum(0.1 / k * np.sin(2 * np.pi * k * frequency_hz * t) for k in range(1, 6))
        tags = notes(np.asarray(tone, np.float32), sample_rate=RATE)
        assert tags.top(1)[0][0] == name


@settings(max_examples=5)
@given(cuts=st.lists(st.integers(0, 4 * RATE), max_size=10))
def test_any_chunks_give_the_same_bits(notes: fa.Pipeline, cuts: list[int]) -> None:
    want = notes(left(), sample_rate=RATE).scores
    stream = notes.open(sample_rate=RATE)
    windows: list[Window] = []
    for start, end in pairwise([0, *sorted(cuts), 4 * RATE]):
        windows += stream.push(left()[start:end])
    windows += stream.flush()
    assert np.stack([window.scores for window in windows]).tobytes() == want.tobytes()


def test_the_card_says_whose_it_is_and_what_was_changed(notes: fa.Pipeline) -> None:
    licence = (ROOT / "models" / "basic-pitch" / "LICENSE").read_text(encoding="utf-8")
    assert notes.card["licence"] == "Apache-2.0"
    assert notes.card["copyright"] in licence
    assert "Changed: " in licence
    assert notes.card["changes"]
    assert "This product includes software developed at" in licence  # the package's NOTICE says so
