"""Whole signals: an array, a file, or many files at once."""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from fastaudio._core import FastaudioError, StateError
from fastaudio.decoding.audio_file import AudioFile, DecodeError, FileLike, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fastaudio.running.stream import PipelineStream, Samples


Layout: TypeAlias = Literal["samples_channels", "channels_samples"]
Progress: TypeAlias = "Callable[[float, float | None], None]"

_TAKES_FILES = "expected files, got an array; call pipeline(samples, sample_rate=...) for each array"
_MOST_CHANNELS = 1024
_SLICE = 1 << 20  # samples pushed at once, so that Ctrl-C is noticed in between


def with_layout(samples: Samples, sample_rate: int | None, layout: Layout | None) -> tuple[Samples, int, int]:
    """Return samples as [n_samples] or [n_samples, channels], their rate, and the number of channels."""
    if sample_rate is None:
        raise ValueError("Pipeline: expected sample_rate= with samples, got none; state it in Hz")
    if layout not in (None, "samples_channels", "channels_samples"):
        raise ValueError(
            f"Pipeline: expected layout 'samples_channels' or 'channels_samples', got {layout!r:.80}"
        )
    if samples.ndim != (1 if layout is None else 2):
        got = f"{samples.dtype} {samples.shape}"
        wanted = "[n_samples]" if layout is None else f"two axes for layout={layout!r}"
        raise ValueError(f"samples: expected {wanted}, got {got}; {_remedy(samples.shape)}")
    samples = samples.T if layout == "channels_samples" else samples
    if samples.ndim > 1 and samples.shape[1] > max(_MOST_CHANNELS, len(samples)):
        other = "samples_channels" if layout == "channels_samples" else "channels_samples"
        got = f"{samples.shape[1]} with layout={layout!r}; use layout={other!r}"
        raise ValueError(f"samples: expected at most {_MOST_CHANNELS} channels, got {got}")
    return samples, sample_rate, samples.shape[1] if samples.ndim > 1 else 1


def told(source: object) -> str:
    """Say of a file that came with what only samples have, what it is and what to do."""
    if not isinstance(source, bytes | bytearray | memoryview):
        return "a file; leave them out"
    if isinstance(source, memoryview) and source.format not in ("B", "b", "c"):
        return f"a memoryview of numbers ({source.format!r}); use numpy.asarray(source)"
    try:
        with AudioFile(source):
            return "the contents of a file; leave them out"
    except DecodeError:
        return 'bytes that are no file; use numpy.frombuffer(source, "<i2") for raw values of 16 bits'


def _remedy(shape: tuple[int, ...]) -> str:
    """Say what to do with samples of such a shape."""
    n_axes = len(shape)
    if n_axes == 0:
        return "use numpy.atleast_1d(samples)"
    if n_axes == 1:
        return "drop layout="
    if n_axes == 2:  # noqa: PLR2004
        order = "channels_samples" if shape[0] < shape[1] else "samples_channels"
        return f"state layout='{order}'"
    first = ", ".join("0" * (n_axes - 2))
    return f"pass one signal at a time, such as samples[{first}], with layout= if it has channels"


def run_array(stream: PipelineStream, samples: Samples, progress: Progress | None) -> Any:
    """Run samples through a newly opened stream and return the result; see `Pipeline.__call__`."""
    total_s = len(samples) / stream.sample_rate
    for start in range(0, max(len(samples), 1), _SLICE):
        stream.feed(samples[start : start + _SLICE])
        if progress is not None:
            progress(stream.duration_s, total_s)
    return stream.finish()


def run_file(stream: PipelineStream, file: AudioFile, progress: Progress | None) -> Any:
    """Run a file through a newly opened stream and return the result; see `Pipeline.__call__`."""
    stream.name = file.name
    for block in file.blocks():
        with file.decode_errors():
            stream.feed(block)
        if progress is not None:
            progress(stream.duration_s, file.duration_s)
    return stream.finish(path=file.path, truncated=file.truncated)


def require_file(source: object) -> None:
    """Raise a DecodeError for samples, which state no rate."""
    if isinstance(source, np.ndarray):
        raise DecodeError("samples", _TAKES_FILES)


def require_sources(sources: Iterable[FileLike]) -> None:
    """Raise TypeError for what `Pipeline.map` could only take apart: one source, or an array."""
    if isinstance(sources, np.ndarray):
        raise TypeError(f"Pipeline.map: {_TAKES_FILES}")
    if isinstance(sources, str | bytes | bytearray | memoryview | os.PathLike) or hasattr(sources, "read"):
        got = type(sources).__name__
        raise TypeError(f"Pipeline.map: expected a list of files, got one {got}; use pipeline.map([source])")


def attempt(run: Callable[..., Any], source: FileLike, progress: Progress) -> Any | FastaudioError:
    """Run over one source; return its result, or the error that it met, so that it never ends the rest."""
    try:
        require_file(source)
        return run(source, progress=progress)
    except FastaudioError as error:
        return error
    except Exception as error:  # noqa: BLE001  # whatever a network or a file object raises
        return DecodeError(name_of(source), f"{type(error).__name__}: {error}")


def run_many(
    run: Callable[..., Any], sources: Iterable[FileLike], jobs: int | None
) -> Iterator[Any | FastaudioError]:
    """Yield each source's result, or the error that it met, in order; see `Pipeline.map`."""
    n_jobs = jobs if jobs is not None else os.cpu_count() or 1
    if n_jobs < 1:
        raise ValueError(f"Pipeline.map: expected jobs of at least 1, got {jobs}")
    stop = threading.Event()

    def heed_stop(*_: object) -> None:
        if stop.is_set():
            raise StateError("Pipeline.map: expected to go on, got stopped")

    workers = ThreadPoolExecutor(n_jobs, thread_name_prefix="fastaudio-map")
    waiting: deque[Future[Any]] = deque()
    try:
        for source in sources:
            waiting.append(workers.submit(attempt, run, source, heed_stop))
            if len(waiting) > n_jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        stop.set()
        workers.shutdown(wait=True, cancel_futures=True)
