"""Live streams give what the pipeline gives offline, in any blocks, at any time, of any kind."""

from __future__ import annotations

import random
import threading
import time
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
    background,
    drain,
    features,
    feed,
    noise,
    rows_of,
    run_live,
    scores,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastaudio.live import LiveStream
    from numpy.typing import NDArray

FEATURES, SCORES = features(), scores()
SOUND = noise(4 * 48_000)
INT16 = np.round(SOUND * 32768).astype(np.int16)


def cut(samples: NDArray[Any], sizes: list[int]) -> Iterator[NDArray[Any]]:
    """Blocks of these sizes, again and again."""
    first = 0
    while first < len(samples):
        for size in sizes:
            yield samples[first : first + size]
            first += size


def jittered(samples: NDArray[Any], rate: int, seed: int = 0) -> Iterator[NDArray[Any]]:
    """Blocks from one sample to a second, some with pauses before them."""
    random_ = random.Random(seed)  # noqa: S311
    first = 0
    while first < len(samples):
        size = random_.choice([1, 7, rate // 100, rate // 10, rate])
        if random_.random() < 0.1:
            time.sleep(random_.random() / 200)
        yield samples[first : first + size]
        first += size


def assert_windows_are(got: list[Any], want: Any, rate: int, start_sample: int = 0) -> None:
    """Scores agree, times are equal."""
    assert len(got) == len(want)
    for one, other in zip(got, want, strict=True):
        assert (one.start_s - start_sample / rate) == pytest.approx(other.start_s, abs=1e-9)
        assert (one.end_s - start_sample / rate) == pytest.approx(other.end_s, abs=1e-9)
        np.testing.assert_allclose(one.scores, other.scores, rtol=0, atol=1e-6)
        assert (one.labels, one.gap_s, one.provisional) == (other.labels, 0.0, False)


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
    assert_windows_are(got, want, rate)
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
        assert_windows_are(list(stream), want, 44_100)
    overlapping = tagger.with_hop(0.512)(GUITAR)
    with tagger.listen(fa.FileSource(GUITAR, real_time=False), overflow="block", hop_s=0.512) as stream:
        assert_windows_are(list(stream), overlapping, 44_100)
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
    pipeline = SCORES >> fa.Events(onset=[1.0], min_on_s=[0.1], min_off_s=[0.1])
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


# An early result


def test_a_provisional_window_is_that_of_a_shorter_clip(
    tagger: fa.Pipeline, guitar_16k: NDArray[np.float32]
) -> None:
    want = tagger(guitar_16k[:100_000], sample_rate=RATE_HZ)
    short = tagger(guitar_16k[:16_000], sample_rate=RATE_HZ)
    first, *others = run_live(tagger, jittered(guitar_16k[:100_000], RATE_HZ), RATE_HZ, provisional_s=1.0)
    assert first.provisional
    assert (first.start_s, first.end_s) == (0.0, 1.0)
    assert first.scores.tobytes() == next(iter(short)).scores.tobytes()
    assert_windows_are(others, want, RATE_HZ)


def test_a_provisional_clip_longer_than_the_sound_never_comes() -> None:
    got = run_live(SCORES, [SOUND[:8000]], RATE_HZ, provisional_s=1.0)
    assert not any(window.provisional for window in got)


# Another model


def test_a_swap_changes_the_model_between_two_patches(
    tagger: fa.Pipeline, guitar_16k: NDArray[np.float32]
) -> None:
    other = fa.Pipeline.load("vgg-mtt")
    sound = guitar_16k[:159_000]
    want = tagger(sound, sample_rate=RATE_HZ), other(sound, sample_rate=RATE_HZ)
    with tagger.live(RATE_HZ) as stream:
        stream.push(sound[:60_000])  # one patch and a part of the next
        first = stream.get(timeout_s=60)
        stream.swap(other)
        stream.push(sound[60_000:110_000])
        second = stream.get(timeout_s=60)
        stream.swap(tagger)
        stream.push(sound[110_000:])
        got = [first, second, *drain(stream)]
        assert [name for name, _ in stream.stats().parts][-1].startswith("Tags")
    whose = [0, 1, *[0] * (len(got) - 2)]
    assert len(got) == len(want[0])
    for k, window in enumerate(got):
        match = want[whose[k]][k]
        np.testing.assert_allclose(window.scores, match.scores, rtol=0, atol=1e-6)
        assert window.model == ("musicnn-mtt", "vgg-mtt")[whose[k]]
        assert window.labels == match.labels
        assert (window.start_s, window.end_s) == (
            pytest.approx(match.start_s, abs=1e-9),
            pytest.approx(match.end_s, abs=1e-9),
        )


def test_another_front_end_is_refused_and_nothing_changes(tagger: fa.Pipeline) -> None:
    with tagger.live(RATE_HZ) as stream:
        with pytest.raises(
            ValueError, match=r"^exchange: expected a network that begins with the same parts"
        ):
            stream.swap(FEATURES)
        with pytest.raises(ValueError, match=r"^exchange: expected"):
            stream.swap(SCORES)
        stream.push(SOUND[:60_000])
        got = drain(stream)
    assert {window.model for window in got} == {"musicnn-mtt"}
    with pytest.raises(fa.StateError, match=r"^live: expected no swap after close, got one; open a new"):
        stream.swap(tagger)


def test_swaps_while_results_come_lose_none() -> None:
    # Two heads behind the same features; results of each swap may come before it returns.
    heads = [SCORES, FEATURES >> fa.Tags([f"other {k}" for k in range(8)])]
    want = rows_of(SCORES(SOUND, sample_rate=RATE_HZ))
    with SCORES.live(RATE_HZ, max_results=10**6) as stream:

        def swap() -> None:
            for k in range(100):
                stream.swap(heads[k % 2])

        with background(swap), background(feed, stream, cut(SOUND, [500])):
            got = list(stream)
    assert rows_of(got).tobytes() == want.tobytes()
    assert [round(window.start_s * RATE_HZ) for window in got] == [256 * k for k in range(len(want))]


# Beside the results


def test_a_tap_reads_all_that_is_captured_from_then_on() -> None:
    stereo = INT16.reshape(-1, 2)
    with FEATURES.live(48_000, 2, start_sample=2**32) as stream:
        stream.push(stereo[:1000])
        tap = stream.tap()
        got = []
        for block in cut(stereo[1000:20_000], [777]):
            stream.push(block)
            samples, n_lost = tap.read()
            assert n_lost == 0
            got.append(samples)
        assert tap.position == 2**32 + 20_000
        assert len(tap.read()[0]) == 0
    joined = np.concatenate(got)
    assert joined.dtype == np.float32
    assert np.array_equal(joined, stereo[1000:20_000] / np.float32(32768))


def test_a_tap_that_reads_too_late_is_told_how_much_it_lost() -> None:
    with FEATURES.live(RATE_HZ, buffer_s=0.5) as stream:
        tap = stream.tap()
        stream.push(SOUND[:20_000])
        samples, n_lost = tap.read()
        assert n_lost + len(samples) == 20_000
        assert 0 < len(samples) <= 8001
        assert np.array_equal(samples[:, 0], SOUND[n_lost:20_000])


def test_the_peak_is_that_since_the_last_call() -> None:
    with FEATURES.live(RATE_HZ) as stream:
        assert stream.take_peak() == 0
        stream.push(np.float32([0.1, -0.7, 0.2]))
        stream.push(np.float32([0.3]))
        assert stream.take_peak() == np.float32(0.7)
        assert stream.take_peak() == 0
        stream.push(np.int16([-32768]))
        assert stream.take_peak() == 1


def test_stats_are_whole_and_plausible() -> None:
    with SCORES.live(48_000, 2) as stream:
        before = stream.stats()
        assert (before.captured, before.latency_max_s, before.real_time_factor) == (0, 0.0, 0.0)
        feed(stream, cut(SOUND.reshape(-1, 2), [4800]))
        wait_until(lambda: stream.stats().delivered == 96_000)
        waiting = stream.stats().results_waiting
        got = list(stream)
        stats = stream.stats()
    assert waiting > 0
    assert stats.captured == stats.delivered == 96_000
    zero = (stats.dropped, stats.waiting, stats.gaps, stats.bad_values, stats.device_overflows)
    assert zero == (0, 0, 0, 0, 0)
    assert (stats.results_waiting, stats.results_dropped, stats.sound_s) == (0, 0, 2.0)
    assert len(got) > 100
    assert 0 < stats.latency_p50_s <= stats.latency_p99_s <= stats.latency_max_s < 60
    names = [name.split("(")[0] for name, _ in stats.parts]
    assert names == ["Mono", "Resample", "MelSpectrogram", "Log", "Tags"]
    assert all(time_s >= 0 for _, time_s in stats.parts)
    assert 0 < sum(time_s for _, time_s in stats.parts) <= stats.busy_s
    assert stats.real_time_factor == stats.busy_s / stats.sound_s


# What is refused


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        ([0.0], TypeError, r"^samples: expected a numpy array of float32 or int16, got list; use"),
        (
            np.zeros(3),
            TypeError,
            r"^samples: expected float32 or int16 \[n_samples\], got float64 \(3,\); use",
        ),
        (
            np.zeros((3, 2), np.float32),
            ValueError,
            r"^samples: expected \[n_samples\], got float32 \(3, 2\); ",
        ),
        (np.float32(1), TypeError, r"^samples: expected a numpy array"),
        (np.array(1, np.float32), ValueError, r"^samples: expected \[n_samples\], got float32 \(\)"),
        (
            np.float32([0, np.nan]),
            ValueError,
            r"^samples: expected finite values .* got nan at index 1; clean",
        ),
        (
            np.float32([0, 0, -np.inf]),
            ValueError,
            r"^samples: expected finite values .* got -inf at index 2; ",
        ),
    ],
)
def test_bad_blocks_are_refused_whole(samples: Any, error: type[Exception], message: str) -> None:
    with FEATURES.live(RATE_HZ) as stream:
        stream.push(SOUND[:5000])
        with pytest.raises(error, match=message):
            stream.push(samples)
        assert stream.stats().captured == 5000
        stream.push(SOUND[5000:9000])
        want = FEATURES(SOUND[:9000], sample_rate=RATE_HZ)
        assert rows_of(drain(stream)).tobytes() == want.tobytes()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"overflow": "wait"},
            ValueError,
            r"live: expected overflow 'drop_oldest', 'block' or 'raise', got 'wait'",
        ),
        ({"overflow": 1}, TypeError, r"live: expected overflow as str, got 1 \(int\)"),
        ({"buffer_s": 0}, ValueError, r"live: expected buffer_s in \[0\.01, 3600\] s, got 0\.0"),
        ({"buffer_s": float("nan")}, ValueError, r"live: expected buffer_s in \[0\.01, 3600\] s, got nan"),
        ({"buffer_s": "5"}, TypeError, r"live: expected buffer_s as float, got '5' \(str\)"),
        ({"provisional_s": -1}, ValueError, r"live: expected provisional_s in \[0, 3600\] s, got -1\.0"),
        ({"start_sample": -1}, ValueError, r"live: expected start_sample in \[0, 1e\+15\] samples, got -1"),
        ({"start_sample": 0.5}, TypeError, r"live: expected start_sample as int, got 0\.5 \(float\)"),
        ({"start_sample": 2**70}, ValueError, r"live: expected start_sample in"),
        ({"max_results": 0}, ValueError, r"live: expected max_results in \[1, 1e\+09\] results, got 0"),
        ({"max_results": -1}, ValueError, r"live: expected max_results in \[1, 1e\+09\] results, got -1"),
        ({"pool": 2}, TypeError, r"live: expected pool as a Pool or None, got 2 \(int\)"),
        ({"sample_rate": 16_000.0}, TypeError, r"Pipeline: expected sample_rate as an int, got 16000\.0"),
        ({"channels": 0}, ValueError, r"Mono: expected channels in"),
    ],
)
def test_bad_arguments_are_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        FEATURES.live(**({"sample_rate": RATE_HZ} | options))


def test_a_push_after_the_end_is_refused() -> None:
    stream = FEATURES.live(RATE_HZ)
    stream.finish()
    stream.finish()
    with pytest.raises(fa.StateError, match=r"^live: expected no sound after finish, got some; open a new"):
        stream.push(SOUND[:10])
    stream.close()
    with pytest.raises(fa.StateError, match=r"^live: expected no sound after close, got some; open a new"):
        stream.push(SOUND[:10])
    assert stream.get() is None
    assert stream.ended


def test_get_waits_no_longer_than_asked_whoever_else_waits() -> None:
    with FEATURES.live(RATE_HZ) as stream, background(list, stream):
        time.sleep(0.05)
        done = threading.Event()

        def get() -> None:
            assert stream.get(timeout_s=0.1) is None
            done.set()

        with background(get):
            assert done.wait(30), "it waits for the other thread"
        stream.finish()


def test_what_is_left_is_dropped_by_close() -> None:
    stream = SCORES.live(RATE_HZ)
    stream.push(SOUND[:32_000])
    assert stream.get(timeout_s=60) is not None  # others came with it
    stream.close()
    assert stream.ended
    assert list(stream) == []
