"""The model swift-f0 against the package it comes from, in any chunks, and on tones of known pitch."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import GOLDEN, GUITAR, ROOT, decode, sine
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 16_000
LATENCY_S = 0.832
END = 12  # rows at the end, where the package hears nothing and the model silence


@pytest.fixture(scope="module")
def pitch() -> fa.Pipeline:
    """Return the shipped model."""
    return fa.Pipeline.load("swift-f0")


def left(n: int | None = None) -> NDArray[np.float32]:
    """Return the guitar's left channel, taken as if it were 16 kHz."""
    return decode(GUITAR)[0][:n, 0].copy()


def test_pitch_and_confidence_are_the_packages_own(pitch: fa.Pipeline) -> None:
    want = np.load(GOLDEN / "swift_f0.npz")
    rows = pitch(left(), sample_rate=RATE)
    got = rows[::5][: len(want["pitch_hz"])]
    n = len(got) - END
    assert np.abs(got[:, 1] - want["confidence"]).max() < 1e-5
    assert np.abs(got[:n, 0] / want["pitch_hz"][:n] - 1).max() < 1e-6
    assert want["confidence"].max() > 0.5 > want["confidence"].min()


@pytest.mark.parametrize("hz", [60.0, 220.0, 440.0, 1000.0, 2000.0])
def test_a_tone_has_its_pitch_within_half_a_semitone(pitch: fa.Pipeline, hz: float) -> None:
    rows = pitch(sine(hz, RATE, 2 * RATE, 0.3), sample_rate=RATE)[5:-END]
    assert np.median(rows[:, 0]) == pytest.approx(hz, rel=2 ** (1 / 24) - 1)


def test_silence_has_no_pitch(pitch: fa.Pipeline) -> None:
    rows = pitch(np.zeros(RATE, np.float32), sample_rate=RATE)
    assert rows.shape == (63, 2)
    assert np.isfinite(rows).all()
    assert (rows[:, 1] == 0).all()


@settings(max_examples=8)
@given(cuts=st.lists(st.integers(0, 40_000), max_size=30))
def test_any_chunks_give_the_same_bits(pitch: fa.Pipeline, cuts: list[int]) -> None:
    samples = left(40_000)
    want = pitch(samples, sample_rate=RATE)
    stream = pitch.open(sample_rate=RATE)
    edges = pairwise([0, *sorted(cuts), len(samples)])
    rows = [stream.push(samples[start:end]) for start, end in edges]
    assert np.concatenate([*rows, stream.flush()]).tobytes() == want.tobytes()


def test_rows_come_within_the_stated_latency(pitch: fa.Pipeline) -> None:
    assert pitch.latency_s == pytest.approx(LATENCY_S)
    assert f"{LATENCY_S} s" in pitch.card["description"]
    samples, block = left(40_000), 160
    stream = pitch.open(sample_rate=RATE)
    n, latest_s = 0, 0.0
    for start in range(0, len(samples), block):
        rows = stream.push(samples[start : start + block])
        latest_s = max([latest_s, *((start + block) / RATE - 0.016 * (n + k) for k in range(len(rows)))])
        n += len(rows)
    assert n > 80
    assert latest_s == pytest.approx(LATENCY_S, abs=block / RATE)


def test_the_card_says_whose_it_is() -> None:
    card = fa.Pipeline.load("swift-f0").card
    licence = (ROOT / "models" / "swift-f0" / "LICENSE").read_text(encoding="utf-8")
    assert card["licence"] == "MIT"
    assert card["copyright"] in licence
    assert card["source"]["package"] == "swift-f0"
