"""PipelineStream: windows with their times, equal to the whole; its errors; one thread at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import musicnn_front

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastaudio.tags import Window
    from numpy.typing import NDArray

Guitar = "tuple[NDArray[np.float32], int]"


def blocks(samples: NDArray[Any], size: int = 4410) -> Iterator[NDArray[Any]]:
    """Yield blocks as a sound card gives them."""
    return (samples[i : i + size] for i in range(0, len(samples), size))


def test_windows_have_the_times_and_scores_of_the_whole(tagger: fa.Pipeline, guitar: Guitar) -> None:
    samples, rate = guitar
    whole = tagger(samples, sample_rate=rate, layout="samples_channels")
    windows: list[Window] = []
    with tagger.open(sample_rate=rate, channels=2) as stream:
        for block in blocks(samples):
            windows += stream.push(block)
        windows += stream.flush()
    assert len(windows) == len(whole)
    for window, other in zip(windows, whole, strict=True):
        assert (window.start_s, window.end_s) == (other.start_s, other.end_s)
        assert window.top(3) == other.top(3)
        assert np.abs(window.scores - other.scores).max() < 1e-5


def test_a_window_comes_as_soon_as_the_latency_allows(tagger: fa.Pipeline) -> None:
    stream = tagger.open(sample_rate=16_000)
    silence = np.zeros(160, dtype=np.float32)
    while not (found := stream.push(silence)):
        assert stream.duration_s < tagger.latency_s + 0.02
    assert found[0].start_s == 0
    assert found[0].end_s == pytest.approx(187 * 256 / 16_000)
    assert found[0].end_s <= stream.duration_s + 0.01


def test_times_count_samples_at_the_rate_of_the_blocks(tagger: fa.Pipeline) -> None:
    stream = tagger.open(sample_rate=48_000)
    windows = stream.push(np.zeros(48_000 * 10, dtype=np.float32))
    assert [window.start_s for window in windows] == pytest.approx([0, 2.992, 5.984])
    assert stream.samples_pushed == 480_000
    assert stream.duration_s == 10
    assert stream.sample_rate == 48_000


def test_a_short_clip_gives_one_window_as_long_as_itself(tagger: fa.Pipeline) -> None:
    stream = tagger.open(sample_rate=16_000)
    assert stream.push(np.zeros(8000, dtype=np.float32)) == []
    (window,) = stream.flush()
    assert (window.start_s, window.end_s) == (0, 0.5)


def test_features_come_as_rows(guitar_16k: NDArray[np.float32]) -> None:
    stream = fa.Pipeline(musicnn_front()).open(sample_rate=16_000)
    rows = [stream.push(block) for block in blocks(guitar_16k, 1000)]
    rows.append(stream.flush())
    assert np.array_equal(np.concatenate(rows), musicnn_front()(guitar_16k))
    assert all(part.shape[1:] == (96,) and part.dtype == np.float32 for part in rows)


def test_blocks_may_be_integers_or_have_an_axis_of_one_channel(
    guitar_16k: NDArray[np.float32],
) -> None:
    pipeline = fa.Pipeline(musicnn_front())
    want = musicnn_front()(guitar_16k)
    stream = pipeline.open(sample_rate=16_000)
    parts = [stream.push(block[:, None]) for block in blocks(guitar_16k)]
    assert np.array_equal(np.concatenate([*parts, stream.flush()]), want)
    integers = np.round(guitar_16k * 32768).astype(np.int16)
    stream = pipeline.open(sample_rate=16_000)
    parts = [stream.push(block) for block in blocks(integers)]
    assert np.array_equal(np.concatenate([*parts, stream.flush()]), pipeline(integers, sample_rate=16_000))


def test_int16_and_float_blocks_may_alternate(guitar_16k: NDArray[np.float32]) -> None:
    stream = fa.Pipeline(musicnn_front()).open(sample_rate=16_000)
    integers = np.round(guitar_16k[:20_000] * 32768).astype(np.int16)
    floats = (integers / 32768).astype(np.float32)
    parts = [
        stream.push(a if i % 2 else b)
        for i, (a, b) in enumerate(zip(blocks(integers), blocks(floats), strict=True))
    ]
    assert np.array_equal(np.concatenate([*parts, stream.flush()]), musicnn_front()(floats))


def test_reset_starts_times_and_scores_anew(tagger: fa.Pipeline, guitar_16k: NDArray[np.float32]) -> None:
    stream = tagger.open(sample_rate=16_000)
    first = stream.push(guitar_16k) + stream.flush()
    stream.reset()
    assert (stream.samples_pushed, stream.duration_s) == (0, 0)
    stream.push(guitar_16k[:70_000])
    stream.reset()
    again = stream.push(guitar_16k) + stream.flush()
    assert [window.start_s for window in again] == [window.start_s for window in first]
    assert all(np.array_equal(a.scores, b.scores) for a, b in zip(again, first, strict=True))
    stream.reset()
    stream.feed(guitar_16k[:70_000])
    stream.reset()
    stream.feed(guitar_16k)
    assert np.array_equal(stream.finish().scores, [window.scores for window in first])
    stream.close()
    with pytest.raises(fa.StateError, match="got a closed one"):
        stream.reset()


def test_empty_blocks_give_nothing(tagger: fa.Pipeline) -> None:
    stream = tagger.open(sample_rate=16_000)
    assert stream.push(np.zeros(0, dtype=np.float32)) == []
    assert stream.flush() == []


def test_a_stream_flushed_or_closed_takes_no_more(tagger: fa.Pipeline) -> None:
    block = np.zeros(160, dtype=np.float32)
    stream = tagger.open(sample_rate=16_000)
    stream.push(block)
    stream.flush()
    for call in (lambda: stream.push(block), stream.flush):
        with pytest.raises(fa.StateError, match=r"^stream: expected "):
            call()
    with tagger.open(sample_rate=16_000) as stream:
        stream.push(block)
    stream.close()
    for call in (lambda: stream.push(block), stream.flush):
        with pytest.raises(fa.StateError, match=r"^stream: expected an open stream, got a closed"):
            call()


@pytest.mark.parametrize(
    ("block", "error"),
    [
        (np.zeros(100), TypeError),
        (np.zeros(100, dtype=np.int32), TypeError),
        (np.zeros(100, dtype=">f4"), TypeError),
        ([0.0] * 100, TypeError),
        (None, TypeError),
        (np.zeros((100, 2), dtype=np.float32), ValueError),
        (np.zeros((), dtype=np.float32), ValueError),
        (np.full(100, np.nan, dtype=np.float32), ValueError),
    ],
)
def test_a_bad_block_is_refused_and_nothing_of_it_taken(
    guitar_16k: NDArray[np.float32], block: Any, error: type[Exception]
) -> None:
    stream = fa.Pipeline(musicnn_front()).open(sample_rate=16_000)
    first = stream.push(guitar_16k[:10_000])
    with pytest.raises(error, match=r"^\w+: expected .*, got "):
        stream.push(block)
    assert stream.samples_pushed == 10_000
    rest = [stream.push(guitar_16k[10_000:]), stream.flush()]
    assert np.array_equal(np.concatenate([first, *rest]), musicnn_front()(guitar_16k))


def test_a_second_thread_is_told_so_instead_of_racing() -> None:
    # Each pushes again and again, until one has come while the other was in it.
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=16_384, hop_length=16, n_mels=32)
    stream = mel.open()
    sound = np.random.default_rng(0).uniform(-1, 1, 40_000).astype(np.float32)
    errors: list[Exception] = []
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait()
        try:
            while not errors:
                stream.push(sound)
        except fa.StateError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (error,) = errors
    assert str(error).startswith("stream: expected calls from one thread at a time, got two")
    assert len(stream.flush()) > 0


def test_streams_of_one_pipeline_do_not_disturb_each_other(
    guitar_16k: NDArray[np.float32],
) -> None:
    pipeline = fa.Pipeline(musicnn_front())
    inputs = [guitar_16k, guitar_16k[::-1].copy()]
    streams = [pipeline.open(sample_rate=16_000) for _ in inputs]
    parts: list[list[Any]] = [[], []]
    for pair in zip(*(blocks(x) for x in inputs), strict=True):
        for stream, block, part in zip(streams, pair, parts, strict=True):
            part.append(stream.push(block))
    for stream, x, part in zip(streams, inputs, parts, strict=True):
        assert np.array_equal(np.concatenate([*part, stream.flush()]), musicnn_front()(x))


def test_a_stream_outlives_its_pipeline() -> None:
    stream = fa.Pipeline.load("musicnn-mtt").open(sample_rate=16_000)
    assert len(stream.push(np.zeros(16_000 * 4, dtype=np.float32))) == 1
