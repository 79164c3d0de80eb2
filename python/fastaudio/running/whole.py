"""Whole signals through a pipeline: samples, a file, or many files at once."""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from fastaudio._core import FastaudioError, StateError
from fastaudio.running.decode import AudioFile, DecodeError, FileLike, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fastaudio.running.stream import PipelineStream, Samples


Layout: TypeAlias = Literal["samples_channels", "channels_samples"]
Progress: TypeAlias = "Callable[[float, float | None], None]"

_SLICE = 1 << 20  # samples an array is pushed in, so that Ctrl-C is heard


class Runnable(Protocol):
    """What is needed of a pipeline."""

    def open(self, *, sample_rate: int, channels: int = 1) -> PipelineStream: ...  # noqa: D102


def run_array(
    pipeline: Runnable,
    samples: Samples,
    sample_rate: int | None,
    layout: Layout | None,
    progress: Progress | None,
) -> Any:
    """Run over samples; see `Pipeline.__call__`."""
    if sample_rate is None:
        raise ValueError("Pipeline: expected sample_rate= with samples, got none; state it in Hz")
    samples = _with_layout(samples, layout)
    channels = samples.shape[1] if samples.ndim > 1 else 1
    stream = pipeline.open(sample_rate=sample_rate, channels=channels)
    total_s = len(samples) / sample_rate
    for start in range(0, max(len(samples), 1), _SLICE):
        stream.feed(samples[start : start + _SLICE])
        if progress is not None:
            progress(stream.duration_s, total_s)
    return stream.finish()


def run_file(pipeline: Runnable, file: AudioFile, progress: Progress | None) -> Any:
    """Run over a file; see `Pipeline.__call__`."""
    try:
        stream = pipeline.open(sample_rate=file.sample_rate, channels=file.channels)
    except ValueError as error:
        raise DecodeError(file.name, str(error)) from error
    for block in file.blocks():
        try:
            stream.feed(block)
        except ValueError as error:  # all that can be wrong with a decoded block
            raise DecodeError(file.name, str(error)) from error
        if progress is not None:
            progress(stream.duration_s, file.duration_s)
    return stream.finish(path=file.name, truncated=file.truncated)


def run_many(
    run: Callable[..., Any], sources: Iterable[FileLike], jobs: int | None
) -> Iterator[Any | FastaudioError]:
    """Yield each source's result, or the error that it met; see `Pipeline.map`."""
    n_jobs = jobs if jobs is not None else os.cpu_count() or 1
    if n_jobs < 1:
        raise ValueError(f"Pipeline.map: expected jobs of at least 1, got {jobs}")
    stop = threading.Event()

    def heed_stop(*_: object) -> None:
        if stop.is_set():
            raise StateError("Pipeline.map: expected to go on, got stopped")

    def attempt(source: FileLike) -> Any | FastaudioError:
        try:
            return run(source, progress=heed_stop)
        except FastaudioError as error:
            return error
        except Exception as error:  # noqa: BLE001  # one bad source never ends the rest
            return DecodeError(name_of(source), f"{type(error).__name__}: {error}")

    pool = ThreadPoolExecutor(n_jobs, thread_name_prefix="fastaudio-map")
    waiting: deque[Future[Any]] = deque()
    try:
        for source in sources:
            waiting.append(pool.submit(attempt, source))
            if len(waiting) > n_jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _with_layout(samples: Samples, layout: Layout | None) -> Samples:
    """Return samples as [n_samples] or [n_samples, channels]."""
    if layout not in (None, "samples_channels", "channels_samples"):
        raise ValueError(
            f"Pipeline: expected layout 'samples_channels' or 'channels_samples', got {layout!r}"
        )
    expected = 1 if layout is None else 2
    if samples.ndim == expected:
        return samples.T if layout == "channels_samples" else samples
    got = f"{samples.dtype} {samples.shape}"
    remedy = "state layout='samples_channels' or 'channels_samples'" if layout is None else "drop it"
    wanted = "[n_samples]" if layout is None else f"two axes for layout={layout!r}"
    raise ValueError(f"samples: expected {wanted}, got {got}; {remedy}")
