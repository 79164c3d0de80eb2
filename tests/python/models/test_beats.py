"""The model beats against the package it comes from, in any chunks, and on a made-up drum."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import GOLDEN, GUITAR, decode
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from fastaudio.events import Events
    from numpy.typing import NDArray

RATE = 22_050
COOL_DOWN_S = 0.2
CLIPS = {"celtic": "music_celtic_32k_stereo_s16.wav", "rock": "music_rock_44k_stereo.ogg"}


@pytest.fixture(scope="module")
def beats() -> fa.Pipeline:
    """Return the shipped model."""
    return fa.Pipeline.load("beats")


def left() -> NDArray[np.float32]:
    """Return the guitar's left channel, taken as if it were 22.05 kHz."""
    return decode(GUITAR)[0][:, 0].copy()


def starts(events: Events) -> list[float]:
    """Return when beats are, in seconds."""
    return [event.start_s for event in events if event.label == "beat"]


def f_measure(want: list[float], got: list[float]) -> float:
    """Return the F-measure of beats within 70 ms, as mir_eval counts them."""
    hits, i, j = 0, 0, 0
    while i < len(want) and j < len(got):
        if abs(want[i] - got[j]) <= 0.07:
            hits, i, j = hits + 1, i + 1, j + 1
        elif want[i] < got[j]:
            i += 1
        else:
            j += 1
    return 2 * hits / (len(want) + len(got))


def drum(rate: int = RATE, seconds: int = 12) -> NDArray[np.float32]:
    """Return a drum, twice a second."""
    t = np.arange(seconds * rate) / rate
    noise = np.random.default_rng(0).normal(0, 0.5, len(t))
    return (noise * np.exp(-(t % 0.5) * 30)).astype(np.float32)


def test_scores_are_the_packages_own(beats: fa.Pipeline) -> None:
    want = np.load(GOLDEN / "beats.npz")["guitar"]
    got = beats(left(), sample_rate=RATE)
    assert got.labels == ["beat", "downbeat"]
    assert len(got.scores) in (len(want), len(want) + 1)
    scores = got.scores[: len(want)]
    assert np.abs(scores[:, 0] - want.sum(axis=1)).max() < 1e-5
    assert np.abs(scores[:, 1] - want[:, 1]).max() < 1e-5
    assert want.max() > 0.9 > want.mean()


@pytest.mark.parametrize("name", CLIPS)
def test_events_are_the_packages_beats_where_music_marks_each_beat(
    beats: fa.Pipeline, shared: Path, name: str
) -> None:
    want = np.load(GOLDEN / "beats.npz")[f"{name}_s"].tolist()
    found = (beats >> fa.Events(cool_down_s=COOL_DOWN_S))(shared / "audio" / "clips" / CLIPS[name])
    assert f_measure(want, starts(found)) > 0.9


def test_beats_of_a_drum_are_its_strokes(beats: fa.Pipeline) -> None:
    found = starts((beats >> fa.Events(cool_down_s=COOL_DOWN_S))(drum(), sample_rate=RATE))
    assert np.abs(np.array(found) * 2 - np.round(np.array(found) * 2)).max() < 2 * 0.07
    assert len(found) > 18, "of 24; it takes two seconds to settle"


def test_silence_has_no_beats(beats: fa.Pipeline) -> None:
    tags = beats(np.zeros(5 * RATE, np.float32), sample_rate=RATE)
    assert np.isfinite(tags.scores).all()
    assert starts((beats >> fa.Events())(np.zeros(5 * RATE, np.float32), sample_rate=RATE)) == []


def test_rows_are_20_ms_apart_and_come_32_ms_late(beats: fa.Pipeline) -> None:
    tags = beats(np.zeros(4410, np.float32), sample_rate=RATE)
    np.testing.assert_allclose([start for start, _ in tags.times], 0.02 * np.arange(10))
    assert beats.latency_s == pytest.approx(0.032, abs=1e-3)


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, 60_000), max_size=30))
def test_any_chunks_give_the_same_bits(beats: fa.Pipeline, cuts: list[int]) -> None:
    samples = left()[:60_000]
    want = beats(samples, sample_rate=RATE).scores
    stream = beats.open(sample_rate=RATE)
    windows = []
    for start, end in pairwise([0, *sorted(cuts), len(samples)]):
        windows += stream.push(samples[start:end])
    got = np.array([window.scores for window in windows + stream.flush()])
    assert got.tobytes() == want.tobytes()
