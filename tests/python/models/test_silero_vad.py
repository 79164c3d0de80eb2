"""The model silero-vad against the package it comes from, in any chunks, and on real sound."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import GOLDEN, GUITAR, ROOT, decode
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from fastaudio.tags import Window
    from numpy.typing import NDArray

RATE = 16_000
SPEECH = "speech_en_female_16k_mono.flac"


@pytest.fixture(scope="module")
def vad() -> fa.Pipeline:
    """Return the shipped model."""
    return fa.Pipeline.load("silero-vad")


def left() -> NDArray[np.float32]:
    """Return the guitar's left channel, taken as if it were 16 kHz: 859 chunks, the last one not full."""
    return decode(GUITAR)[0][:, 0].copy()


def scores_of(windows: list[Window]) -> NDArray[np.float32]:
    """Return all scores, one after another."""
    return np.concatenate([window.scores for window in windows])


def test_scores_are_the_packages_own(vad: fa.Pipeline) -> None:
    want = np.load(GOLDEN / "silero_vad.npz")["guitar"]
    got = vad(left(), sample_rate=RATE)
    assert got.scores.shape == (len(want), 1)
    assert np.abs(got.scores[:, 0] - want).max() < 1e-5
    assert want.max() > 0.5 > want.mean()


def test_scores_of_speech_are_the_packages_own(vad: fa.Pipeline, shared: Path) -> None:
    want = np.load(GOLDEN / "silero_vad.npz")["speech"]
    got = vad(shared / "audio" / "clips" / SPEECH)
    assert np.abs(got.scores[:, 0] - want).max() < 1e-5


def test_a_window_is_32_ms_and_the_last_one_ends_with_the_sound(vad: fa.Pipeline) -> None:
    tags = vad(np.zeros(1300, dtype=np.float32), sample_rate=RATE)
    assert tags.labels == ["speech"]
    np.testing.assert_allclose(tags.times, [[0, 0.032], [0.032, 0.064], [0.064, 1300 / RATE]])
    assert len(vad(np.zeros(1024, dtype=np.float32), sample_rate=RATE)) == 2
    assert vad.latency_s == pytest.approx(0.032)


@settings(max_examples=8)
@given(cuts=st.lists(st.integers(0, 30_000), max_size=30))
def test_any_chunks_give_the_same_bits(vad: fa.Pipeline, cuts: list[int]) -> None:
    samples = left()[:30_000]
    want = vad(samples, sample_rate=RATE).scores[:, 0]
    stream = vad.open(sample_rate=RATE)
    windows = []
    for start, end in pairwise([0, *sorted(cuts), len(samples)]):
        windows += stream.push(samples[start:end])
    assert scores_of(windows + stream.flush()).tobytes() == want.tobytes()


def test_threads_change_no_bit(vad: fa.Pipeline) -> None:
    samples = left()[:60_000]
    threaded = fa.Pipeline.load("silero-vad", threads=3)(samples, sample_rate=RATE)
    assert threaded.scores.tobytes() == vad(samples, sample_rate=RATE).scores.tobytes()


def test_two_streams_do_not_disturb_each_other(vad: fa.Pipeline) -> None:
    signals = left()[:40_000], left()[100_000:140_000]
    streams = [vad.open(sample_rate=RATE) for _ in signals]
    found: list[list[Window]] = [[], []]
    for start in range(0, 40_000, 700):
        for stream, signal, windows in zip(streams, signals, found, strict=True):
            windows.extend(stream.push(signal[start : start + 700]))
    for stream, signal, windows in zip(streams, signals, found, strict=True):
        want = vad(signal, sample_rate=RATE).scores
        assert scores_of(windows + stream.flush()).tobytes() == want.tobytes()


def test_reset_forgets_what_was_heard(vad: fa.Pipeline) -> None:
    samples = left()[:30_000]
    stream = vad.open(sample_rate=RATE)
    fresh = stream.push(samples)
    heard = stream.push(samples)
    stream.reset()
    again = stream.push(samples)
    assert scores_of(again).tobytes() == scores_of(fresh).tobytes()
    assert again[0].start_s == 0
    assert not np.array_equal(scores_of(heard)[: len(fresh)], scores_of(fresh))


FORKED = """
import os, sys
import numpy as np
import fastaudio as fa
vad = fa.Pipeline.load("silero-vad")
sound = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
want = vad(sound, sample_rate=16_000).scores
stream = vad.open(sample_rate=16_000)
windows = stream.push(sound[:7000])
child = os.fork()
windows += stream.push(sound[7000:]) + stream.flush()
same = np.array_equal(np.stack([window.scores for window in windows]), want)
if child == 0:
    os._exit(0 if same else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or int(not same))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
def test_a_stream_goes_on_in_a_forked_child_and_in_its_parent() -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKED]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        (SPEECH, 0.75, 1.0),
        ("speech_en_female_8k_mono_s16.wav", 0.75, 1.0),
        ("speech_en_female_8k_mono_mulaw.wav", 0.75, 1.0),
        ("rain_44k_stereo.ogg", 0.0, 0.05),
        ("thunder_48k_stereo.opus", 0.0, 0.05),
        ("piano_48k_stereo_s24.flac", 0.0, 0.05),
        ("drums_44k_stereo_f32.wav", 0.0, 0.05),
        ("music_orchestral_full_44k_stereo.mp3", 0.0, 0.05),
    ],
)
def test_speech_scores_high_and_other_sound_low(
    vad: fa.Pipeline, shared: Path, name: str, low: float, high: float
) -> None:
    sound, rate = decode(shared / "audio" / "clips" / name, 15)
    assert low <= vad(sound, sample_rate=rate, layout="samples_channels").mean()[0] <= high


def test_the_card_says_whose_it_is() -> None:
    card = fa.Pipeline.load("silero-vad").card
    licence = (ROOT / "models" / "silero-vad" / "LICENSE").read_text(encoding="utf-8")
    assert card["licence"] == "MIT"
    assert card["copyright"] in licence
    assert card["source"]["package"] == "silero-vad"


def test_a_saved_pipeline_keeps_its_state(vad: fa.Pipeline, tmp_path: Path) -> None:
    vad.save(tmp_path / "mine.json")
    again = fa.Pipeline.load(tmp_path / "mine.json")
    samples = left()[:30_000]
    want = vad(samples, sample_rate=RATE).scores
    assert again(samples, sample_rate=RATE).scores.tobytes() == want.tobytes()
