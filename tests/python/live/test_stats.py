"""Live streams: what can be read beside the results, and what is refused."""

from __future__ import annotations

import threading
import time
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from live_helpers import (
    RATE_HZ,
    background,
    cut,
    drain,
    features,
    feed,
    noise,
    rows_of,
    scores,
    wait_until,
)

FEATURES, SCORES = features(), scores()
SOUND = noise(4 * 48_000)
INT16 = np.round(SOUND * 32768).astype(np.int16)


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


def test_a_tap_that_reads_too_late_learns_how_much_it_lost() -> None:
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
    assert names == ["Mono", "Resample", "Level", "MelSpectrogram", "Log", "Tags", "MarkSilence"]
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
            r"live: expected overflow as one of 'block', 'drop_oldest', 'raise', got 'wait'",
        ),
        ({"overflow": 1}, TypeError, r"live: expected overflow as str, one of .*, got 1 \(int\)"),
        ({"buffer_s": 0}, ValueError, r"live: expected buffer_s in \[0\.01, 3600\] s, got 0\.0"),
        ({"buffer_s": float("nan")}, ValueError, r"live: expected buffer_s in \[0\.01, 3600\] s, got nan"),
        ({"buffer_s": "5"}, TypeError, r"live: expected buffer_s as float in .*, got '5' \(str\)"),
        ({"provisional_s": -1}, ValueError, r"live: expected provisional_s in \[0, 3600\] s, got -1\.0"),
        ({"start_sample": -1}, ValueError, r"live: expected start_sample in \[0, 1e\+15\] samples, got -1"),
        ({"start_sample": 0.5}, TypeError, r"live: expected start_sample as int in .*, got 0\.5 \(float\)"),
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


def test_get_waits_no_longer_than_asked_though_another_thread_waits() -> None:
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
    while len(stream._reader._ready) == 0:  # until several came together
        assert stream.get(timeout_s=60) is not None
    stream.close()
    assert stream.ended
    assert list(stream) == []
