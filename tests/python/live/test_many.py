"""Many live streams on few workers: each is as if it were alone."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import ONNX
from live_helpers import (
    LIMIT_S,
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
    from collections.abc import Iterable

    from numpy.typing import NDArray

FEATURES, SCORES = features(), scores()
N = 16
SOUNDS = [noise(20_000 + 777 * k, seed=k) for k in range(N)]
BANDS = fa.MelSpectrogram(sample_rate=RATE_HZ, n_fft=512, hop_length=256, n_mels=3) >> fa.Log(
    kind="log10", scale=10_000, offset=1
)


def blocks(sound: NDArray[np.float32], size: int = 1000) -> list[NDArray[np.float32]]:
    return [sound[first : first + size] for first in range(0, len(sound), size)]


def interleaved(pipeline: fa.Pipeline, sounds: list[Any], **options: Any) -> list[list[Any]]:
    """Results of a stream for each sound: two threads push, two take."""
    streams = [pipeline.live(RATE_HZ, **options) for _ in sounds]
    results: list[list[Any]] = [[] for _ in sounds]

    def push(mine: Iterable[int]) -> None:
        cut = {k: blocks(sounds[k]) for k in mine}
        while any(cut.values()):
            for k, left in cut.items():
                if left:
                    streams[k].push(left.pop(0))
        for k in cut:
            streams[k].finish()

    def take(mine: Iterable[int]) -> None:
        for k in mine:
            results[k] += streams[k]

    half = len(sounds) // 2
    one, other = range(half), range(half, len(sounds))
    with background(push, one), background(push, other), background(take, other):
        take(one)
    for stream in streams:
        assert stream.ended
        stream.close()
    return results


def test_each_of_many_gives_what_it_gives_alone() -> None:
    pool = fa.Pool(workers=2)
    for sound, got in zip(SOUNDS, interleaved(FEATURES, SOUNDS, pool=pool), strict=True):
        assert rows_of(got).tobytes() == FEATURES(sound, sample_rate=RATE_HZ).tobytes()
    assert len(pool) == 0


@pytest.mark.parametrize("batch", [1, 4])
def test_each_of_many_is_tagged_as_if_it_were_alone(
    tagger: fa.Pipeline, guitar_16k: NDArray[np.float32], batch: int
) -> None:
    # The network's numbers may differ in the last bits with the rows beside them.
    pool = fa.Pool(workers=2, batch=batch, batch_wait_s=0.05)
    sounds = [guitar_16k[7000 * k : 7000 * k + 60_000 + 20_000 * (k % 2)] for k in range(5)]
    for sound, got in zip(sounds, interleaved(tagger, sounds, pool=pool), strict=True):
        want = tagger(sound, sample_rate=RATE_HZ)
        assert [(window.start_s, window.end_s) for window in got] == [
            (pytest.approx(window.start_s, abs=1e-9), pytest.approx(window.end_s, abs=1e-9))
            for window in want
        ]
        np.testing.assert_allclose(rows_of(got), want.scores, rtol=0, atol=1e-5 if batch > 1 else 1e-6)


@pytest.mark.parametrize("batch", [1, 4])
def test_networks_with_a_state_keep_it_to_themselves(guitar_16k: NDArray[np.float32], batch: int) -> None:
    speech = fa.Pipeline.load("silero-vad")
    sounds = [guitar_16k[3000 * k : 3000 * k + 12_000] for k in range(6)]
    pool = fa.Pool(workers=2, batch=batch, batch_wait_s=0.01)
    for sound, got in zip(sounds, interleaved(speech, sounds, pool=pool), strict=True):
        want = speech(sound, sample_rate=RATE_HZ).scores
        np.testing.assert_allclose(rows_of(got), want, rtol=0, atol=1e-5 if batch > 1 else 1e-6)


@pytest.mark.parametrize("batch_wait_s", [0.0, 0.01])
def test_rows_of_a_batch_go_back_to_their_streams(batch_wait_s: float) -> None:
    net = fa.OnnxModel(str(ONNX / "ntf.onnx"))
    pipeline = fa.Pipeline(BANDS >> fa.Patches(length=4, hop=4) >> net)
    pool = fa.Pool(workers=2, batch=4, batch_wait_s=batch_wait_s)
    for sound, got in zip(SOUNDS, interleaved(pipeline, SOUNDS, pool=pool), strict=True):
        want = pipeline(sound, sample_rate=RATE_HZ)
        np.testing.assert_allclose(rows_of(got), want, rtol=1e-6)
        assert got[0].start_s == 0


def test_streams_come_and_go_while_others_run() -> None:
    pool = fa.Pool(workers=2)
    sound = noise(5 * RATE_HZ)
    want = FEATURES(sound, sample_rate=RATE_HZ).tobytes()
    stop = threading.Event()

    def come_and_go() -> None:
        for k in range(10**6):
            if stop.is_set():
                return
            stream = SCORES.live(RATE_HZ, pool=pool)
            stream.push(SOUNDS[0])
            if k % 2:
                stream.get(timeout_s=LIMIT_S)
            stream.close()

    with background(come_and_go), background(come_and_go):
        try:
            for _ in range(5):
                assert rows_of(run_live(FEATURES, blocks(sound, 300), RATE_HZ, pool=pool)).tobytes() == want
        finally:
            stop.set()
    wait_until(lambda: len(pool) == 0)


@pytest.mark.parametrize("batch", [1, 4])
def test_an_error_is_its_streams_own(batch: int) -> None:
    picky = fa.Pipeline(BANDS >> fa.OnnxModel(str(ONNX / "picky.onnx")))
    quiet, loud = 0.001 * SOUNDS[0], SOUNDS[0]
    want = picky(quiet, sample_rate=RATE_HZ).tobytes()
    with pytest.raises(fa.ModelError):
        picky(loud, sample_rate=RATE_HZ)
    pool = fa.Pool(workers=2, batch=batch)
    with picky.live(RATE_HZ, pool=pool) as bad, picky.live(RATE_HZ, pool=pool) as good:
        good.push(quiet[:10_000])
        bad.push(quiet[:8000])
        first = bad.get(timeout_s=LIMIT_S)
        assert isinstance(first, fa.Frames)
        wait_until(lambda: good.stats().waiting < 4001)
        bad.push(loud[:8000])
        taken = [first]
        with pytest.raises(fa.ModelError, match=r"picky\.onnx"):
            taken.extend(bad)
        assert rows_of(taken).tobytes().startswith(want[: 4 * 20])  # earlier results come first
        with pytest.raises(fa.StateError, match=r"^live: expected no sound after an error"):
            bad.push(quiet)
        good.push(quiet[10_000:])
        assert rows_of(drain(good)).tobytes() == want
    assert len(pool) == 0


def test_a_pool_without_streams_is_a_pool() -> None:
    pool = fa.Pool()
    assert len(pool) == 0
    with FEATURES.live(RATE_HZ, pool=pool):
        assert len(pool) == 1
        with FEATURES.live(RATE_HZ, pool=pool):
            assert len(pool) == 2
    assert len(pool) == 0
    assert (pool.workers, pool.batch) == (1, 1)


def test_a_paused_pool_runs_nothing_and_goes_on_as_if_nothing_had_been() -> None:
    pool = fa.Pool()
    pool.pause()
    pool.pause()
    with FEATURES.live(RATE_HZ, pool=pool) as stream:
        feed(stream, [SOUNDS[0]])
        assert stream.get(timeout_s=0.1) is None
        assert stream.stats().delivered == 0
        pool.resume()
        assert rows_of(stream).tobytes() == FEATURES(SOUNDS[0], sample_rate=RATE_HZ).tobytes()


def test_closing_a_pool_closes_its_streams() -> None:
    pool = fa.Pool()
    stream = FEATURES.live(RATE_HZ, pool=pool)
    stream.push(SOUNDS[0])
    pool.close()
    pool.close()
    assert stream.ended
    assert stream.get() is None
    with pytest.raises(fa.StateError, match=r"^live: expected no sound after close"):
        stream.push(SOUNDS[0])
    stream.close()
    with pytest.raises(fa.StateError, match=r"^Pool: expected an open pool, got a closed one; make another"):
        FEATURES.live(RATE_HZ, pool=pool)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"workers": 0}, ValueError, r"Pool: expected workers in \[1, 1024\], got 0"),
        ({"workers": "2"}, TypeError, r"Pool: expected workers as int, got '2' \(str\)"),
        ({"batch": 0}, ValueError, r"Pool: expected batch in \[1, 4096\] rows, got 0"),
        ({"batch": 2.0}, TypeError, r"Pool: expected batch as int, got 2\.0 \(float\)"),
        ({"batch_wait_s": -1}, ValueError, r"Pool: expected batch_wait_s in \[0, 60\] s, got -1\.0"),
        ({"batch_wait_s": float("nan")}, ValueError, r"Pool: expected batch_wait_s in \[0, 60\] s, got nan"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        fa.Pool(**options)
