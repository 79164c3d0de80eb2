"""Live streams give what the pipeline gives offline, in any blocks, at any time, of any kind."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.tags import Window
from helpers import GUITAR, decode
from hypothesis import given
from hypothesis import strategies as st
from live_helpers import (
    RATE_HZ,
    assert_windows_are,
    background,
    cut,
    drain,
    features,
    jittered,
    noise,
    rows_of,
    run_live,
    scores,
    wait_until,
)

if TYPE_CHECKING:
    from fastaudio.live import LiveStream
    from numpy.typing import NDArray

FEATURES, SCORES = features(), scores()
SOUND = noise(4 * 48_000)
INT16 = np.round(SOUND * 32768).astype(np.int16)


@given(
    sizes=st.lists(
        st.sampled_from([1, 2, 255, 256, 257, 4000, 160_000]) | st.integers(1, 20_000), min_size=1
    ),
    kind=st.sampled_from(["float32", "int16"]),
    rate=st.sampled_from([16_000, 44_100, 48_000, 11_127]),
    channels=st.sampled_from([1, 2]),
    length=st.integers(0, 50_000),
)
def test_any_blocks_give_the_rows_of_the_whole_bit_for_bit(
    sizes: list[int], kind: str, rate: int, channels: int, length: int
) -> None:
    sound = SOUND if kind == "float32" else INT16
    sound = sound[: length * channels].reshape((length, channels) if channels > 1 else (length,))
    if min(sizes) < 50:
        sizes = [*sizes, 5000]  # a sample at a time takes its time
    want = FEATURES(sound, sample_rate=rate, **({"layout": "samples_channels"} if channels > 1 else {}))
    got = run_live(FEATURES, cut(sound, sizes), rate, channels=channels)
    assert rows_of(got).tobytes() == want.tobytes()
    hop_s = 256 / RATE_HZ
    n_before = 0
    for frames in got:
        assert frames.start_s == pytest.approx(n_before * hop_s, abs=1e-9)
        n_before += len(frames.rows)
        assert frames.start_s < frames.end_s <= length / rate + 1e-9
    assert n_before == len(want)


def test_a_sample_at_a_time_gives_the_rows_of_the_whole() -> None:
    got = run_live(FEATURES, cut(SOUND[:3000], [1]), RATE_HZ)
    assert rows_of(got).tobytes() == FEATURES(SOUND[:3000], sample_rate=RATE_HZ).tobytes()


def test_blocks_from_threads_in_turn_are_one_signal() -> None:
    want = FEATURES(SOUND, sample_rate=RATE_HZ)
    with FEATURES.live(RATE_HZ) as stream:
        for block in cut(SOUND, [3333]):
            with background(stream.push, block):
                pass
        assert rows_of(drain(stream)).tobytes() == want.tobytes()


def test_a_block_longer_than_the_buffer_is_taken_in_pieces() -> None:
    long = np.tile(SOUND, 3)[: 10 * 48_000]
    for block in (long, np.round(long * 32768).astype(np.int16)):
        got = rows_of(run_live(FEATURES, [block], 48_000, buffer_s=1))
        assert got.tobytes() == FEATURES(block, sample_rate=48_000).tobytes()


def test_blocks_of_several_threads_stay_whole() -> None:
    # The samples themselves come out, and whose they are shows. There is never room for a whole block.
    pipeline = fa.Pipeline(fa.Resample(input_rate=RATE_HZ, output_rate=RATE_HZ))
    sizes = {1: 5000, 2: 777, 3: 9001}
    got: list[Any] = []

    def push(stream: LiveStream, who: int) -> None:
        for _ in range(20):
            stream.push(np.full(sizes[who], who / 4, dtype=np.float32))

    with pipeline.live(RATE_HZ, buffer_s=0.05) as stream, background(got.extend, stream):
        with background(push, stream, 1), background(push, stream, 2), background(push, stream, 3):
            pass
        stream.finish()
    samples = 4 * rows_of(got)
    edges = [0, *(np.flatnonzero(np.diff(samples)) + 1), len(samples)]
    assert len(samples) == 20 * sum(sizes.values())
    for first, end in pairwise(edges):
        assert (end - first) % sizes[int(samples[first])] == 0


def test_a_column_is_a_channel_and_other_strides_are_taken() -> None:
    stereo = SOUND.reshape(-1, 2)
    want = FEATURES(np.ascontiguousarray(stereo[:, 0]), sample_rate=RATE_HZ)
    for block in (stereo[:, 0], stereo[:, :1]):
        assert rows_of(run_live(FEATURES, [block], RATE_HZ)).tobytes() == want.tobytes()


@pytest.mark.parametrize("name", ["guitar_44k_stereo_s16.flac", "music_electronic_48k_stereo_s16.flac"])
@pytest.mark.parametrize("kind", ["float32", "int16"])
def test_real_music_is_tagged_as_a_file_is(shared: Any, tagger: fa.Pipeline, name: str, kind: str) -> None:
    sound, rate = decode(shared / "audio" / "clips" / name)
    sound = sound[: 7 * rate]
    if kind == "int16":
        sound = np.round(sound * 32768).clip(-32768, 32767).astype(np.int16)
    want = tagger(sound, sample_rate=rate, layout="samples_channels")
    assert len(want) > 1
    got = run_live(tagger, jittered(sound, rate), rate, channels=2)
    assert_windows_are(got, want)
    assert {window.model for window in got} == {"musicnn-mtt"}


def test_windows_come_while_the_sound_comes(tagger: fa.Pipeline, guitar_16k: NDArray[np.float32]) -> None:
    with tagger.live(RATE_HZ) as stream:
        stream.push(guitar_16k[: 16_000 * 3 + 500])  # a patch is 187 hops of 16 ms, and half a frame
        window = stream.get(timeout_s=60)
        assert isinstance(window, Window)
        assert (window.start_s, window.end_s) == (0.0, pytest.approx(2.992, abs=0.05))
        assert not stream.ended
        assert stream.get(timeout_s=0) is None


@pytest.mark.parametrize("start", [0, 2**31 - 20_000, 2**32 - 20_000, 10**15])
def test_counting_from_anywhere_changes_nothing_but_the_time_stamps(start: int) -> None:
    want = SCORES(SOUND[:60_000], sample_rate=RATE_HZ)
    got = run_live(SCORES, jittered(SOUND[:60_000], RATE_HZ), RATE_HZ, start_sample=start)
    assert len(got) == len(want)
    for k, (one, other) in enumerate(zip(got, want, strict=True)):
        assert one.scores.tobytes() == other.scores.tobytes()
        assert round(one.start_s * RATE_HZ) == start + k * 256
        assert round(one.end_s * RATE_HZ) == start + round(other.end_s * RATE_HZ)


def test_a_long_stream_does_not_drift() -> None:
    # An hour and more, at a rate whose hop has no exact time in seconds.
    mel = fa.MelSpectrogram(sample_rate=1000, n_fft=300, hop_length=300, n_mels=2, center=False)
    tags = fa.Pipeline(mel >> fa.Tags(["low", "high"]))
    block = noise(100_000)
    got = run_live(tags, (block for _ in range(40)), 1000, max_results=10**6)
    assert len(got) == 40 * 100_000 // 300
    for k in (1, 5000, len(got) - 1):
        assert got[k].start_s == pytest.approx(k * 0.3, abs=1e-9)
        assert got[k].end_s == pytest.approx(k * 0.3 + 0.3, abs=1e-9)
    first_again = next(k for k in range(1, len(got)) if k * 300 % 100_000 == 0)
    assert got[first_again].scores.tobytes() == got[0].scores.tobytes()


# What comes out


def test_a_file_as_a_source_gives_what_the_file_gives(tagger: fa.Pipeline) -> None:
    want = tagger(GUITAR)
    with tagger.listen(fa.FileSource(GUITAR, real_time=False), overflow="block") as stream:
        assert_windows_are(list(stream), want)
    overlapping = tagger.with_hop(0.512)(GUITAR)
    with tagger.listen(fa.FileSource(GUITAR, real_time=False), overflow="block", hop_s=0.512) as stream:
        assert_windows_are(list(stream), overlapping)
    assert len(overlapping) > 3 * len(want)


def test_several_outputs_come_by_name() -> None:
    node = FEATURES.node >> {"rows": fa.Delta(), "mean": fa.Mean()}
    pipeline = fa.Pipeline(node)
    want = pipeline(SOUND, sample_rate=RATE_HZ)
    got = run_live(pipeline, jittered(SOUND, RATE_HZ), RATE_HZ)
    assert {item.output for item in got} == {"rows", "mean"}
    for name in ("rows", "mean"):
        rows = rows_of([item for item in got if item.output == name])
        assert rows.tobytes() == want[name].tobytes()


def test_a_mean_comes_at_the_end_for_all_of_it() -> None:
    pipeline = FEATURES >> fa.Mean()
    with pipeline.live(RATE_HZ) as stream:
        stream.push(SOUND[:32_000])
        wait_until(lambda: stream.stats().delivered == 32_000)
        assert stream.get(timeout_s=0) is None
        (only,) = drain(stream)
    assert (only.start_s, only.end_s) == (0.0, 2.0)
    assert only.rows.tobytes() == pipeline(SOUND[:32_000], sample_rate=RATE_HZ).tobytes()
    tags = SCORES >> fa.Mean()
    (window,) = run_live(tags, [SOUND[:32_000]], RATE_HZ)
    assert isinstance(window, Window)
    assert (window.start_s, window.end_s) == (0.0, 2.0)


@pytest.mark.parametrize("start", [0, 2**32])
def test_events_come_as_they_do_from_a_file(start: int) -> None:
    sound = noise(5 * RATE_HZ) * np.repeat([0, 1, 0, 1, 0], RATE_HZ).astype(np.float32)
    pipeline = SCORES >> fa.Sigmoid() >> fa.Events(onset=0.75, min_on_s=0.1, min_off_s=0.1)
    want = pipeline(sound, sample_rate=RATE_HZ)
    assert len(want.events) > 8
    got = run_live(pipeline, jittered(sound, RATE_HZ), RATE_HZ, start_sample=start)
    assert all(isinstance(event, fa.Event) for event in got)
    shift_s = start / RATE_HZ

    def plain(event: fa.Event, shift_s: float = 0.0) -> tuple[Any, ...]:
        assert event.end_s is not None
        times = round(event.start_s - shift_s, 6), round(event.end_s - shift_s, 6)
        return event.label, *times, event.peak, event.mean

    assert sorted(plain(event, shift_s) for event in got) == sorted(plain(event) for event in want.events)


def test_latency_counts_the_resampler_in(tagger: fa.Pipeline) -> None:
    with (
        tagger.live(16_000) as same,
        tagger.live(44_100) as other,
        (tagger >> fa.Events()).live(16_000) as found,
    ):
        assert same.latency_s == tagger.latency_s
        assert tagger.latency_s < other.latency_s < tagger.latency_s + 0.01
        assert found.latency_s >= tagger.latency_s
    with fa.Pipeline(tagger.node >> fa.Mean()).live(16_000) as stream:
        assert stream.latency_s == float("inf")


def test_who_only_pushes_hears_what_ended_the_stream() -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000)
    pipeline = fa.Pipeline(mel >> fa.Tags([f"band {i}" for i in range(mel.n_mels)]) >> fa.Events())
    sound = np.random.default_rng(0).standard_normal(1600).astype(np.float32)

    def push_until_refused(stream: fa.LiveStream) -> None:
        for _ in range(1000):
            stream.push(sound)

    refused = pytest.raises(fa.StateError, match=r"after an error.*once this is mended: Events: expected")
    with pipeline.live(sample_rate=16_000) as stream, refused:
        push_until_refused(stream)


def test_an_event_comes_when_it_is_due_beside_rows_that_are_due_later() -> None:
    """Whoever waits for windows of 3 s must not keep others' events until then."""
    front = fa.MelSpectrogram(sample_rate=RATE_HZ, n_fft=512, hop_length=512, n_mels=2, norm=None)
    events = front >> fa.Softmax() >> fa.Tags(["low", "high"]) >> fa.Events(onset=[0.9], onsets=True)
    slow = front >> fa.Patches(length=94)
    pipe = fa.Pipeline(fa.Parallel({"events": events, "slow": slow}), silence_db=None)
    sound = np.sin(2 * np.pi * 100 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    with pipe.live(RATE_HZ) as stream:
        stream.push(sound)  # less than a quarter of the buffer
        first = stream.get(timeout_s=60)
        assert first is not None
        assert (first.output, first.end_s) == ("events", None)
        stream.finish()
