"""Silent windows keep their scores and have neither top tags nor events, in files and streams alike."""

from __future__ import annotations

import json
import math
import pickle
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.events import Events
from fastaudio.tags import Tags
from helpers import GUITAR, decode, sine, slices
from hypothesis import given
from hypothesis import strategies as st
from live_helpers import RATE_HZ, run_live, scores

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LABELS = ["a", "b", "c"]


def hiss(seconds: float, level_db: float, seed: int = 0) -> NDArray[np.float32]:
    """Return noise whose RMS is `level_db` relative to full scale."""
    noise = np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))
    return (noise * 10 ** (level_db / 20)).astype(np.float32)


def silence(seconds: float) -> NDArray[np.float32]:
    """Return digital silence."""
    return np.zeros(round(seconds * RATE_HZ), dtype=np.float32)


def made(*, length: int = 1, hop: int = 1, **options: Any) -> fa.Pipeline:
    """Return a cheap pipeline whose scores are never 0: windows of `length` * 16 ms."""
    mel = fa.MelSpectrogram(sample_rate=RATE_HZ, n_fft=512, hop_length=256, n_mels=3)
    frames = mel >> fa.MinMaxScale(0, 1e12) >> fa.Sigmoid()
    windows = fa.LinearSoftmaxPooling(window=length, hop=hop)
    return fa.Pipeline(frames >> windows >> fa.Tags(LABELS), **options)


def reference(samples: NDArray[np.float32], times: NDArray[np.float64], silence_db: float) -> list[bool]:
    """Return which windows are silent, as the documentation says; edges fall between cells of 32 samples."""
    marks = []
    for start_s, end_s in times:
        part = samples[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)].astype(np.float64)
        n = min(len(part), RATE_HZ // 10)
        blocks = [part[i : i + n] for i in range(0, len(part) - n + 1, max(n, 1))] + [part[-n:]]
        loudest = max((float(np.mean(block**2)) for block in blocks), default=0.0)
        marks.append(10 * math.log10(max(loudest, 1e-30)) < silence_db)
    return marks


@pytest.mark.parametrize("name", ["musicnn-mtt", "silero-vad"])
@pytest.mark.parametrize("sound", [silence(7), hiss(7, -80)], ids=["digital silence", "-80 dBFS"])
def test_a_shipped_model_hears_nothing_in_silence(name: str, sound: NDArray[np.float32]) -> None:
    pipeline = fa.Pipeline.load(name)
    assert pipeline.silence_db == -70
    tags = pipeline(sound, sample_rate=RATE_HZ)
    assert isinstance(tags, Tags)
    assert len(tags) > 1
    assert tags.silent.all()
    assert tags.top() == []
    assert all(window.silent and window.top() == [] for window in tags)
    assert "silence" in repr(tags)
    assert repr(tags[0]).endswith("s: (silence)>")
    everything = (pipeline >> fa.Events(onset=0.0, min_off_s=1.0))(sound, sample_rate=RATE_HZ)
    assert isinstance(everything, Events)
    assert (len(everything), everything.silent, everything.best) == (0, True, None)
    assert everything.why_none() == "silence"


@pytest.mark.parametrize("name", ["musicnn-mtt", "silero-vad"])
def test_scores_stay_what_the_network_gives(name: str) -> None:
    sound = np.concatenate([silence(4), hiss(4, -30)])
    marked = fa.Pipeline.load(name)(sound, sample_rate=RATE_HZ)
    unmarked = fa.Pipeline.load(name, silence_db=-math.inf)(sound, sample_rate=RATE_HZ)
    assert isinstance(marked, Tags)
    assert isinstance(unmarked, Tags)
    assert marked.scores.tobytes() == unmarked.scores.tobytes()
    assert marked.scores.flags.c_contiguous
    assert marked.mean().tobytes() == unmarked.mean().tobytes()
    assert (marked.times == unmarked.times).all()
    assert not unmarked.silent.any()
    assert marked.top() == unmarked.top() != []  # some of it is sound


@pytest.mark.parametrize(
    ("level_db", "silent"), [(-60.0, False), (-68.0, False), (-72.0, True), (-90.0, True)]
)
def test_the_level_is_the_rms_relative_to_full_scale(level_db: float, *, silent: bool) -> None:
    tone = sine(440, RATE_HZ, 2 * RATE_HZ, level=10 ** ((level_db + 3.0103) / 20))
    for sound in (tone, hiss(2, level_db)):
        assert set(made(length=20, hop=20)(sound, sample_rate=RATE_HZ).silent.tolist()) == {silent}


def test_a_sine_of_full_scale_has_minus_3_db() -> None:
    tone = sine(1000, RATE_HZ, RATE_HZ, level=1.0)
    inside = slice(1, -1)
    assert not made(silence_db=-3.02)(tone, sample_rate=RATE_HZ).silent[inside].any()
    assert made(silence_db=-3.0)(tone, sample_rate=RATE_HZ).silent[inside].all()


def test_a_short_sound_in_a_long_window_is_no_silence() -> None:
    sound = silence(30)
    sound[RATE_HZ : RATE_HZ + RATE_HZ // 10] = hiss(0.1, -65)  # -90 dB over the whole
    tags = made(length=1800, hop=1800)(sound, sample_rate=RATE_HZ)
    assert tags.silent.tolist() == [False]
    pooled = made() >> fa.Mean()
    assert pooled(sound, sample_rate=RATE_HZ).silent.tolist() == [False]
    assert pooled(silence(30), sample_rate=RATE_HZ).silent.tolist() == [True]


@given(
    parts=st.lists(st.tuples(st.integers(50, 9000), st.sampled_from([-120.0, -80.0, -40.0])), max_size=6),
    length=st.sampled_from([1, 7, 30]),
    hop=st.sampled_from([1, 5, 30]),
    cuts=st.lists(st.integers(0, 40_000), max_size=8),
)
def test_marks_and_events_are_the_same_however_sound_is_cut(
    parts: list[tuple[int, float]], length: int, hop: int, cuts: list[int]
) -> None:
    sound = np.concatenate([silence(0), *(hiss(n / RATE_HZ, level, n) for n, level in parts)])
    pipeline = made(length=length, hop=1 if length == 1 else hop)
    whole = pipeline(sound, sample_rate=RATE_HZ)
    assert isinstance(whole, Tags)
    assert whole.silent.tolist() == reference(sound, whole.times, -70)
    with pipeline.open(sample_rate=RATE_HZ) as stream:
        windows = [window for part in slices(sound, cuts) for window in stream.push(part)] + stream.flush()
    assert [window.silent for window in windows] == whole.silent.tolist()
    finder = pipeline >> fa.Events(onset=0.25, min_off_s=0.05)
    events = finder(sound, sample_rate=RATE_HZ)
    with finder.open(sample_rate=RATE_HZ) as stream:
        found = [event for part in slices(sound, cuts) for event in stream.push(part)] + stream.flush()
    assert sorted(found, key=lambda e: (e.start_s, e.label)) == list(events)
    sounding = whole.times[~whole.silent]
    assert bool(len(events)) == bool(len(sounding))
    if len(sounding):
        assert events[0].start_s == sounding[0, 0]
        assert events[-1].end_s == sounding[-1, 1]


def test_other_rates_and_channels_are_measured_after_mixing() -> None:
    tone = sine(440, 44_100, 88_200, level=0.1)
    pipeline = made(length=20, hop=20)
    apart = np.stack([tone, -tone], axis=1)
    how: dict[str, Any] = {"sample_rate": 44_100, "layout": "samples_channels"}
    assert pipeline(apart, **how).silent.all()
    together = np.stack([tone, tone], axis=1)
    assert not pipeline(together, **how).silent[1:-1].any()
    first = made(length=20, hop=20, channel=0)
    assert not first(apart, **how).silent[1:-1].any()


def test_branches_are_marked_each_and_events_among_them() -> None:
    sound = np.concatenate([silence(1), hiss(1, -30), silence(1)])
    branches = {"tags": fa.L2Normalize(), "clip": fa.Mean(), "events": fa.Events(onset=0.1)}
    pipeline = made() >> branches
    got = pipeline(sound, sample_rate=RATE_HZ)
    assert got["tags"].scores.shape == (len(got["tags"]), 3)
    assert got["tags"].silent.tolist() == made()(sound, sample_rate=RATE_HZ).silent.tolist()
    assert got["clip"].silent.tolist() == [False]
    assert {(event.start_s, event.end_s) for event in got["events"]} == {(0.992, 2.0)}
    none = pipeline(silence(1), sample_rate=RATE_HZ)
    assert (none["tags"].top(), none["clip"].top(), len(none["events"])) == ([], [], 0)
    live = run_live(pipeline, slices(sound, [1000, 20_000]), RATE_HZ)
    marks = [item.silent for item in live if getattr(item, "output", "") == "tags"]
    assert marks == got["tags"].silent.tolist()


def test_live_sound_is_marked_as_a_file_is() -> None:
    sound = np.concatenate([silence(1), hiss(1, -30), hiss(1, -90)])
    for pipeline in (scores(), made(length=20, hop=3), fa.Pipeline.load("silero-vad")):
        want = pipeline(sound, sample_rate=RATE_HZ)
        got = run_live(pipeline, slices(sound, range(0, len(sound), 777)), RATE_HZ)
        assert [window.silent for window in got] == want.silent.tolist()
        assert set(want.silent.tolist()) == {True, False}
        assert all(window.scores.shape == (len(window.labels),) for window in got)
    finder = made() >> fa.Events(onset=0.1)
    file = finder(sound, sample_rate=RATE_HZ)
    got = run_live(finder, slices(sound, range(0, len(sound), 777)), RATE_HZ)
    assert sorted(event.label for event in got) == sorted(event.label for event in file) == LABELS


def test_marks_go_on_when_networks_are_swapped() -> None:
    sound = np.concatenate([silence(1), hiss(1, -30), silence(1)])
    one, other = made(length=10, hop=10), made(length=10, hop=10) >> fa.L2Normalize()
    want = one(sound, sample_rate=RATE_HZ).silent.tolist()
    with one.live(RATE_HZ) as stream:
        stream.push(sound[: 2 * RATE_HZ])
        stream.swap(other)
        stream.push(sound[2 * RATE_HZ :])
        stream.finish()
        assert [window.silent for window in stream] == want


def test_a_level_is_chosen_saved_and_turned_off(tmp_path: Path) -> None:
    quiet = hiss(1, -60)
    for silence_db in (None, -math.inf, -100.0, -50.0):
        pipeline = made(silence_db=silence_db)
        marked = silence_db == -50
        assert set(pipeline(quiet, sample_rate=RATE_HZ).silent.tolist()) == {marked}
        path = tmp_path / f"{silence_db}.json"
        pipeline.save(path)
        json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
        again = fa.Pipeline.load(path)
        assert again.silence_db == pipeline.silence_db
        assert (again >> fa.L2Normalize()).silence_db == pipeline.silence_db
        assert pickle.loads(pickle.dumps(again)).silence_db == pipeline.silence_db  # noqa: S301
        assert fa.Pipeline.load(path, silence_db=-20).silence_db == -20
        assert fa.Pipeline.load(path, silence_db=-math.inf).silence_db is None


@pytest.mark.parametrize(
    ("silence_db", "error", "message"),
    [
        (3, ValueError, r"^Pipeline: expected silence_db of at most 0 dB \(full scale\), got 3$"),
        (math.nan, ValueError, "^Pipeline: expected silence_db of at most 0 dB"),
        ("-70", TypeError, "^Pipeline: expected silence_db as a float or None, got '-70'"),
        (True, TypeError, "^Pipeline: expected silence_db as a float or None, got True"),
    ],
)
def test_what_is_no_level_is_refused(silence_db: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        made(silence_db=silence_db)


def test_a_result_is_the_same_in_map_and_with_threads() -> None:
    samples, rate = decode(GUITAR)
    pipeline = fa.Pipeline.load("musicnn-mtt", threads=2)
    one = pipeline(GUITAR)
    (other,) = pipeline.map([GUITAR])
    assert isinstance(one, Tags)
    assert isinstance(other, Tags)
    assert one.silent.tolist() == other.silent.tolist() == [False] * len(one)
    faint = pipeline(samples * np.float32(1e-4), sample_rate=rate, layout="samples_channels")
    assert isinstance(faint, Tags)
    assert faint.silent.all()


def test_a_pipeline_without_scores_is_left_as_it_is() -> None:
    mel = fa.MelSpectrogram(sample_rate=RATE_HZ, n_fft=512, hop_length=256, n_mels=3)
    pipeline = fa.Pipeline(mel)
    assert pipeline.runnable(RATE_HZ, 1)[0] == pipeline.adapted(RATE_HZ, 1)[0]
