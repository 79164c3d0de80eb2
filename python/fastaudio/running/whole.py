"""Whole signals: an array, a file, or many files at once."""

from __future__ import annotations

import os
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from fastaudio._core import Cancel, Cancelled, FastaudioError, samples_remedy
from fastaudio.decoding.audio_file import AudioFile, DecodeError, FileLike, is_file_like, name_of
from fastaudio.running.limits import check_result_mb, limits
from fastaudio.running.workers import Answer, Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from fastaudio.running.stream import PipelineStream, Result, Samples


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
        wanted = "[n_samples]" if layout is None else f"two axes for layout={layout!r:.80}"
        raise ValueError(f"samples: expected {wanted}, got {got}; {_remedy(samples.shape)}")
    samples = samples.T if layout == "channels_samples" else samples
    if samples.ndim > 1 and samples.shape[1] > max(_MOST_CHANNELS, len(samples)):
        other = "samples_channels" if layout == "channels_samples" else "channels_samples"
        got = f"{samples.shape[1]} with layout={layout!r:.80}; use layout={other!r}"
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


def run_source(
    pipeline: Any,  # which stands above this
    source: FileLike | Samples,
    *,
    sample_rate: int | None,
    layout: Layout | None,
    progress: Progress | None,
    result_mb: float | None,
) -> Result:
    """Run a pipeline over samples or a file; see `Pipeline.__call__`."""
    if isinstance(source, np.ndarray):
        samples, rate, channels = with_layout(source, sample_rate, layout)
        result: Result = pipeline.run_samples(samples, rate, channels, progress, result_mb)
        return result
    if not is_file_like(source):
        got = f"{type(source).__name__}{samples_remedy(source)}"
        raise TypeError(f"source: expected a path, a binary file object or samples, got {got}")
    if sample_rate is not None or layout is not None:
        raise ValueError(f"Pipeline: expected sample_rate and layout for samples only, got {told(source)}")
    with pipeline.opened(source) as (file, stream):
        return run_file(stream, file, progress, result_mb)  # type: ignore[no-any-return]  # embed's rows too


def run_array(
    stream: PipelineStream, samples: Samples, progress: Progress | None, result_mb: float | None = None
) -> Result:
    """Run samples through a newly opened stream and return the result; see `Pipeline.__call__`."""
    stream.result_mb = result_mb
    total_s = len(samples) / stream.sample_rate
    for start in range(0, max(len(samples), 1), _SLICE):
        stream.feed(samples[start : start + _SLICE])
        if progress is not None:
            progress(stream.duration_s, total_s)
    return stream.finish()


def run_file(
    stream: PipelineStream, file: AudioFile, progress: Progress | None, result_mb: float | None = None
) -> Any:
    """Run a file through a newly opened stream and return the result; see `Pipeline.__call__`."""
    stream.name = file.name
    stream.result_mb = result_mb
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


def attempt(run: Callable[..., Any], source: FileLike, progress: Progress | None) -> Any | FastaudioError:
    """Run over one source; return its result, or the error that it met, so that it never ends the rest."""
    try:
        require_file(source)
        return run(source, progress=progress)
    except FastaudioError as error:
        return error
    except Exception as error:  # noqa: BLE001  # whatever a network or a file object raises
        return DecodeError(name_of(source), f"{type(error).__name__}: {error}")


def run_many(
    run: Callable[..., Any],
    sources: Iterable[FileLike],
    jobs: int | None,
    timeout_s: float | None = None,
    cancel: Cancel | None = None,
    *,
    result_mb: float | None = None,
) -> Generator[Any | FastaudioError, None, None]:
    """Yield each source's result, or the error that it met, in order; see `Pipeline.map`.

    `run` takes `result_mb` if there is one.
    """
    n_jobs = jobs if jobs is not None else os.cpu_count() or 1
    if n_jobs < 1:
        raise ValueError(f"Pipeline.map: expected jobs of at least 1, got {jobs}")
    limits("Pipeline.map", timeout_s, cancel)  # which checks them
    check_result_mb("Pipeline.map", result_mb)
    if result_mb is not None:
        run = partial(run, result_mb=result_mb)
    return _many(partial(_in_time, run, timeout_s, cancel), sources, n_jobs, cancel)


def _many(
    run: Callable[[FileLike], Any], sources: Iterable[FileLike], n_jobs: int, cancel: Cancel | None
) -> Generator[Any | FastaudioError, None, None]:
    workers = Workers(n_jobs)
    waiting: deque[Answer] = deque()

    def next_result() -> Any:
        with limits("Pipeline.map", None, cancel):
            result = waiting.popleft().wait()
        if isinstance(result, Cancelled) and cancel is not None and cancel.cancelled:
            raise result
        return result

    try:
        for source in sources:
            waiting.append(workers.submit(partial(run, source)))
            if len(waiting) > n_jobs:
                yield next_result()
        while waiting:
            yield next_result()
    finally:
        workers.leave()


def _in_time(
    run: Callable[..., Any], timeout_s: float | None, cancel: Cancel | None, source: FileLike
) -> Any | FastaudioError:
    with limits("Pipeline.map", timeout_s, cancel):
        return attempt(run, source, None)
