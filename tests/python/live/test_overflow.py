"""Sound that comes too fast: each policy does what it says, and losses are reported to the sample."""

from __future__ import annotations

import ctypes
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.live.results import Network
from fastaudio.tags import Window
from hypothesis import given
from hypothesis import strategies as st
from live_helpers import RATE_HZ, background, drain, features, feed, noise, rows_of, scores, wait_until

if TYPE_CHECKING:
    from fastaudio.live import LiveStream
    from numpy.typing import NDArray

FEATURES, SCORES = features(), scores()
SOUND = noise(20 * RATE_HZ)
BUFFER = 16_000  # samples, in most of these streams; a worker may wait for a quarter of it
OVERFLOWED = 2  # PortAudio's paInputOverflow


def push_and_run(stream: LiveStream, sound: NDArray[Any]) -> None:
    """Push what fits into the buffer and wait until it is run."""
    stream.push(sound)
    wait_until(lambda: stream.stats().waiting <= BUFFER // 4 + 1)


def pushed_while_stalled(
    pool: fa.Pool, stream: LiveStream, sound: NDArray[np.float32], lengths: list[tuple[int, int]]
) -> int:
    """Push stretches that are run and stretches that nobody runs; returns the samples pushed."""
    at = 0
    for run, stalled in lengths:
        push_and_run(stream, sound[at : at + run])
        pool.pause()
        for first in range(at + run, at + run + stalled, 3000):
            stream.push(sound[first : min(first + 3000, at + run + stalled)])
        pool.resume()
        at += run + stalled
        wait_until(lambda: stream.stats().waiting <= BUFFER // 4 + 1)
    return at


def assert_stretches_are_clips(items: list[Any], sound: NDArray[np.float32], rate: int, start: int) -> int:
    """Between two gaps rows are those of that clip alone, with its times; returns the samples lost."""
    firsts = sorted({0, *(k for k, item in enumerate(items) if item.gap_s > 0), len(items)})
    n_lost = 0
    for first, end in pairwise(firsts):
        begin = round(items[first].start_s * rate) - start
        assert items[first].start_s == pytest.approx((start + begin) / rate, abs=1e-9)
        n_lost += round(items[first].gap_s * rate)
        after = items[end] if end < len(items) else None
        until = len(sound)
        if after is not None:
            until = round(after.start_s * rate) - start - round(after.gap_s * rate)
        clip = FEATURES(sound[begin:until], sample_rate=rate)
        assert rows_of(items[first:end]).tobytes() == clip.tobytes()
        for item in items[first:end]:
            assert (start + begin) / rate - 1e-9 <= item.start_s < item.end_s <= (start + until) / rate + 1e-9
    return n_lost


@given(
    lengths=st.lists(st.tuples(st.integers(1, 16_000), st.integers(17_000, 60_000)), min_size=1, max_size=3),
    rate=st.sampled_from([16_000, 44_100]),
    start=st.sampled_from([0, 2**32 - 20_000]),
)
def test_what_is_lost_leaves_clips_with_their_times(
    lengths: list[tuple[int, int]], rate: int, start: int
) -> None:
    pool = fa.Pool()
    with FEATURES.live(
        rate, overflow="drop_oldest", buffer_s=16_000 / rate, start_sample=start, pool=pool
    ) as stream:
        n = pushed_while_stalled(pool, stream, SOUND, lengths)
        items = drain(stream)
        stats = stream.stats()
    assert stats.captured == n == stats.delivered + stats.dropped
    assert stats.waiting == 0
    # A turn that was under way when the pool paused may have found some lost before the rest was.
    assert stats.gaps >= len(lengths) == sum(item.gap_s > 0 for item in items)
    assert assert_stretches_are_clips(items, SOUND[:n], rate, start) == stats.dropped > 0


def test_a_block_longer_than_the_buffer_loses_its_beginning() -> None:
    with FEATURES.live(RATE_HZ, overflow="drop_oldest", buffer_s=0.5) as stream:
        stream.push(SOUND)
        items = drain(stream)
        stats = stream.stats()
    assert stats.captured == len(SOUND) == stats.delivered + stats.dropped
    assert stats.gaps >= 1
    # Nothing comes before the first gap if the worker saw nothing of it.
    assert assert_stretches_are_clips(items, SOUND, RATE_HZ, 0) == stats.dropped


def test_every_stretch_has_a_provisional_window_of_its_own() -> None:
    pool = fa.Pool()
    with SCORES.live(RATE_HZ, overflow="drop_oldest", buffer_s=1, provisional_s=0.1, pool=pool) as stream:
        n = pushed_while_stalled(pool, stream, SOUND, [(8000, 40_000)])
        windows = drain(stream)
    early = [window for window in windows if window.provisional]
    starts = {round(window.start_s * RATE_HZ) for window in windows if window.gap_s > 0}
    (after,) = starts
    for begin in (0, after):
        short = SCORES(SOUND[begin : begin + 1600], sample_rate=RATE_HZ)
        mine = [window for window in early if (window.start_s * RATE_HZ >= after) == (begin == after)]
        assert rows_of(mine).tobytes() == rows_of(short).tobytes()
        assert round(mine[0].start_s * RATE_HZ) == begin
    assert {window.gap_s for window in early} == {0}  # the windows that follow them tell it
    assert n == stream.stats().captured


def test_windows_with_a_network_behind_them_start_anew_after_a_gap(
    tagger: fa.Pipeline, guitar_16k: NDArray[np.float32]
) -> None:
    pool = fa.Pool()
    with tagger.live(RATE_HZ, overflow="drop_oldest", buffer_s=1, pool=pool) as stream:
        n = pushed_while_stalled(pool, stream, guitar_16k, [(10_000, 60_000)])
        for first in range(n, n + 30_000, 10_000):
            push_and_run(stream, guitar_16k[first : first + 10_000])
        windows = drain(stream)
        lost = stream.stats().dropped
    (gap,) = [k for k, window in enumerate(windows) if window.gap_s > 0]
    begin = round(windows[gap].start_s * RATE_HZ)
    assert windows[gap].gap_s == lost / RATE_HZ
    want = [
        *tagger(guitar_16k[: begin - lost], sample_rate=RATE_HZ),
        *tagger(guitar_16k[begin : n + 30_000], sample_rate=RATE_HZ),
    ]
    assert len(windows) == len(want)
    for window, other in zip(windows, want, strict=True):
        np.testing.assert_allclose(window.scores, other.scores, rtol=0, atol=1e-6)
    assert not any(w.start_s < (begin - lost) / RATE_HZ < w.end_s - 1e-9 for w in windows)  # none spans it


def test_a_network_with_a_state_forgets_what_came_before_the_gap(guitar_16k: NDArray[np.float32]) -> None:
    speech = fa.Pipeline.load("silero-vad")
    pool = fa.Pool()
    with speech.live(RATE_HZ, overflow="drop_oldest", buffer_s=1, pool=pool) as stream:
        n = pushed_while_stalled(pool, stream, guitar_16k, [(10_000, 40_000)])
        windows = drain(stream)
        lost = stream.stats().dropped
    (gap,) = [k for k, window in enumerate(windows) if window.gap_s > 0]
    begin = round(windows[gap].start_s * RATE_HZ)
    for got, clip in (
        (windows[:gap], guitar_16k[: begin - lost]),
        (windows[gap:], guitar_16k[begin:n]),
    ):
        np.testing.assert_allclose(rows_of(got), speech(clip, sample_rate=RATE_HZ).scores, rtol=0, atol=1e-6)


def test_a_gap_is_before_the_first_of_windows_that_come_together() -> None:
    network = Network(SCORES.output_specs, RATE_HZ, "model")
    times = {"first_row": 2, "base_s": 5.0, "until_s": 9.0, "n_lost": 1600, "provisional": False}
    result: Any = SimpleNamespace(output=0, rows=np.zeros((3, 8), dtype=np.float32), **times)
    got = network.items(result)
    assert [item.gap_s for item in got if isinstance(item, Window)] == [0.1, 0.0, 0.0]
    assert [item.start_s for item in got if isinstance(item, Window)] == [5.032, 5.048, 5.064]


def test_events_end_at_a_gap_and_their_times_go_on_after_it() -> None:
    pipeline = SCORES >> fa.Sigmoid() >> fa.Events(onset=0.75)
    pool = fa.Pool()
    with pipeline.live(RATE_HZ, overflow="drop_oldest", buffer_s=1, pool=pool, start_sample=2**31) as stream:
        push_and_run(stream, SOUND[:10_000])
        pool.pause()
        for first in range(10_000, 50_000, 5000):
            stream.push(SOUND[first : first + 5000])
        before = stream.stats().delivered  # only now: a turn may have been under way
        pool.resume()
        got = drain(stream)
        lost = stream.stats().dropped
    want = []
    for begin, end in ((0, before), (before + lost, 50_000)):
        shift_s = (2**31 + begin) / RATE_HZ
        for event in pipeline(SOUND[begin:end], sample_rate=RATE_HZ).events:
            assert event.end_s is not None
            want.append((event.label, event.start_s + shift_s, event.end_s + shift_s))
    assert len(want) >= 16  # noise goes on in every band
    assert sorted((event.label, event.start_s, event.end_s) for event in got) == [
        (label, pytest.approx(start_s, abs=1e-6), pytest.approx(end_s, abs=1e-6))
        for label, start_s, end_s in sorted(want)
    ]


def test_block_makes_push_wait_and_loses_nothing() -> None:
    pool = fa.Pool()
    pool.pause()
    sound = SOUND[:80_000]
    with FEATURES.live(RATE_HZ, buffer_s=1, pool=pool) as stream, background(feed, stream, [sound]) as pusher:
        wait_until(lambda: stream.stats().waiting >= 16_000)
        pusher.join(0.05)
        assert pusher.is_alive()
        assert stream.stats().waiting <= 16_001
        pool.resume()
        items = list(stream)
        stats = stream.stats()
    assert rows_of(items).tobytes() == FEATURES(sound, sample_rate=RATE_HZ).tobytes()
    assert (stats.captured, stats.delivered, stats.dropped, stats.gaps) == (80_000, 80_000, 0, 0)


def test_raise_refuses_the_block_and_takes_the_next_that_fits() -> None:
    pool = fa.Pool()
    pool.pause()
    with FEATURES.live(RATE_HZ, overflow="raise", buffer_s=1, pool=pool) as stream:
        stream.push(SOUND[:10_000])
        with pytest.raises(
            fa.Overrun, match=r"^live: expected room for 10000 samples, got 6001; push no faster"
        ):
            stream.push(SOUND[10_000:20_000])
        assert stream.stats().captured == 10_000
        stream.push(SOUND[10_000:16_000])
        pool.resume()
        wait_until(lambda: stream.stats().waiting <= BUFFER // 4 + 1)
        stream.push(SOUND[16_000:26_000])
        items = drain(stream)
        assert stream.stats().dropped == 0
    assert rows_of(items).tobytes() == FEATURES(SOUND[:26_000], sample_rate=RATE_HZ).tobytes()


# A sound card gives samples in this form.


def captured(stream: LiveStream, sound: NDArray[np.float32], status: int = 0) -> None:
    """Call the callback as PortAudio does."""
    core = stream._core
    types = [
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_ulong,
        ctypes.c_void_p,
        ctypes.c_ulong,
        ctypes.c_void_p,
    ]
    callback = ctypes.CFUNCTYPE(ctypes.c_int, *types)(core.capture_callback)
    contiguous = np.ascontiguousarray(sound)
    assert callback(contiguous.ctypes.data, None, len(sound), None, status, core.capture_data) == 0


def test_a_callback_gives_the_rows_of_the_whole_and_counts_what_is_wrong() -> None:
    sound = SOUND[:32_000].copy().reshape(-1, 2)
    with FEATURES.live(RATE_HZ, 2, overflow="drop_oldest") as stream:
        for first in range(0, len(sound), 160):
            block = sound[first : first + 160].copy()
            if first == 1600:
                block[3] = np.nan, np.inf
            captured(stream, block, OVERFLOWED if first in {160, 320} else 0)
        captured(stream, sound[:0])
        items = drain(stream)
        stats = stream.stats()
    sound[1603] = 0  # what isn't finite is silence
    want = FEATURES(sound, sample_rate=RATE_HZ, layout="samples_channels")
    assert rows_of(items).tobytes() == want.tobytes()
    assert (stats.bad_values, stats.device_overflows, stats.captured) == (2, 2, 16_000)


def test_a_callback_that_may_not_lose_sound_ends_the_stream_with_an_error() -> None:
    pool = fa.Pool()
    with FEATURES.live(RATE_HZ, overflow="raise", buffer_s=1, pool=pool) as stream:
        push_and_run(stream, SOUND[:8000])
        pool.pause()
        captured(stream, SOUND[8000:40_000])
        pool.resume()
        with pytest.raises(
            fa.Overrun, match=r"^live: expected results to be computed as fast as sound comes"
        ):
            list(stream)
        assert not stream.ended  # the error has yet to be raised
        with pytest.raises(fa.Overrun):
            stream.get(timeout_s=1)
        with pytest.raises(
            fa.StateError, match=r"^live: expected no sound after an error, got some; open a new"
        ):
            stream.push(SOUND[:10])
    assert stream.ended


# Results that nobody takes


@pytest.mark.parametrize("overflow", ["drop_oldest", "raise"])
def test_the_oldest_results_are_lost_and_counted(overflow: Any) -> None:
    want = FEATURES(SOUND[:48_000], sample_rate=RATE_HZ)
    pool = fa.Pool()
    with FEATURES.live(RATE_HZ, overflow=overflow, max_results=3, pool=pool) as stream:
        stream.push(SOUND[:48_000])
        stream.finish()
        wait_until(lambda: len(pool) == 0)  # all of it is run
        assert stream.stats().results_waiting == 3
        items = list(stream)
        stats = stream.stats()
    assert len(items) == 3
    got = rows_of(items)
    assert got.tobytes() == want[-len(got) :].tobytes()
    assert stats.results_dropped == len(want) - len(got)
    assert round(items[0].start_s * RATE_HZ) == 256 * (len(want) - len(got))
    assert items[0].gap_s == 0  # no sound was lost
    assert stats.dropped == 0


def two_outputs() -> fa.Pipeline:
    """Rows of two lengths: the second output's first row behind a gap comes later."""
    mel = fa.MelSpectrogram(sample_rate=RATE_HZ, n_fft=512, hop_length=256, n_mels=8)
    return fa.Pipeline(mel >> {"short": fa.Log(), "long": fa.Patches(length=20, hop=20)})


@pytest.mark.parametrize("max_results", [1000, 3])
def test_each_output_tells_a_gap_though_its_results_were_lost(max_results: int) -> None:
    pool = fa.Pool()
    policy: Any = {"overflow": "drop_oldest", "buffer_s": 1, "max_results": max_results}
    with two_outputs().live(RATE_HZ, pool=pool, **policy) as stream:
        pushed_while_stalled(pool, stream, SOUND, [(16_000, 40_000)])
        push_and_run(stream, SOUND[56_000:66_000])
        stream.finish()
        wait_until(lambda: stream.stats().waiting == 0)
        items: list[Any] = drain(stream)
        stats = stream.stats()
    assert (stats.results_dropped > 0) == (max_results == 3)
    for output in {item.output for item in items}:
        told = [item.gap_s for item in items if item.output == output]
        assert sum(round(gap_s * RATE_HZ) for gap_s in told) == stats.dropped > 0
    assert {item.output for item in items} == {"short", "long"} or max_results == 3


def test_a_gap_is_reported_though_the_result_after_it_was_lost() -> None:
    pool = fa.Pool()
    with FEATURES.live(RATE_HZ, overflow="drop_oldest", buffer_s=1, max_results=2, pool=pool) as stream:
        pushed_while_stalled(pool, stream, SOUND, [(8000, 40_000)])
        items = drain(stream)
        assert stream.stats().results_dropped > 0
        assert sum(round(item.gap_s * RATE_HZ) for item in items) == stream.stats().dropped > 0


@pytest.mark.parametrize("max_results", [1, 3])
def test_with_block_the_sound_waits_until_results_are_taken(max_results: int) -> None:
    node = FEATURES.node >> {"rows": fa.Delta(), "mean": fa.Mean(), "largest": fa.Max()}
    pipeline = fa.Pipeline(node)
    sound = SOUND[: 5 * RATE_HZ]
    with pipeline.live(RATE_HZ, buffer_s=1, max_results=max_results) as stream:
        with background(feed, stream, [sound]) as pusher:
            wait_until(lambda: stream.stats().results_waiting >= max_results)
            pusher.join(0.1)
            assert pusher.is_alive()
            assert stream.stats().results_waiting <= max_results + 3  # what one turn gave
            assert stream.stats().delivered < len(sound)
            items = list(stream)
        stats = stream.stats()
    assert (stats.results_dropped, stats.dropped, stats.delivered) == (0, 0, len(sound))
    want = pipeline(sound, sample_rate=RATE_HZ)
    for name, rows in want.items():
        assert rows_of([item for item in items if item.output == name]).tobytes() == rows.tobytes()
