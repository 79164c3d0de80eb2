"""One upload run through a pipeline, in a worker's thread, into what the caller is told."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from fastaudio._core import Cancelled
from fastaudio.decoding.audio_file import DecodeError
from fastaudio.drawing.thinning import Highest
from fastaudio.events import Events, audacity_line, raven_header, raven_row
from fastaudio.isolation.limits import Limits
from fastaudio.kinds import UNKNOWN, Heard, marked, whole_of
from fastaudio.pipeline import Pipeline, isolated
from fastaudio.running.limits import ResultTooLarge, limits
from fastaudio.serving import spectra
from fastaudio.serving.numbers import joined, json_of, plain_rows, plain_tags
from fastaudio.serving.refusing import Refused
from fastaudio.serving.served import EVENTS, TAGS
from fastaudio.tags import OUT_OF_RANGE, Tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fastaudio._core import Cancel
    from fastaudio.events import Event
    from fastaudio.kinds import Kind
    from fastaudio.running.stream import PipelineStream
    from fastaudio.serving.served import Asked, Served

_RESULT_MB = 50.0
_SCORE_BYTES, _EVENT_BYTES = 20, 150  # of an answer, about
_SLICE = 1 << 16  # frames of raw PCM
_LIMITS = Limits(memory_mb=4000, answer_s=30)


@dataclass(frozen=True)
class Pcm:
    """What raw samples are: their type, rate in Hz, and number of channels."""

    dtype: np.dtype[Any]
    rate: int
    channels: int


@dataclass(frozen=True)
class Task:
    """What to do with an upload.

    Attributes:
        file, size: the sound, and its bytes.
        served: the model.
        asked: what of it.
        pcm: what the samples are; None for a sound file.
        form: "json", or "audacity" or "raven" for events.
        name: what a table for Raven calls the file, None for nothing.
        top, min_score: how many tags, and from which score; events from which peak.
        windows: whether to give all scores of each window.
        spectrogram: whether to give a picture.
        kind: whether to say what kind of sound it is, if the model hears one kind only.
        max_s: seconds of sound that are allowed.
        timeout_s, cancel: what ends it.
        isolate: whether to run it in a process of its own.
    """

    file: BinaryIO
    size: int
    served: Served
    asked: Asked
    pcm: Pcm | None
    form: str
    name: str | None
    top: int
    min_score: float | None
    windows: bool
    spectrogram: bool
    kind: bool
    max_s: float
    timeout_s: float
    cancel: Cancel
    isolate: bool


class _Beside:
    """What is heard beside the model: a picture, and what kind of sound it is; in bounded memory."""

    def __init__(self, task: Task, pipeline: Pipeline, rate: int, channels: int) -> None:
        self._judge = task.served.judge
        self._picture = _Picture(pipeline, rate, channels) if task.spectrogram else None
        teller = task.served.teller if task.kind and not task.isolate else None
        self._kinds = teller.open(sample_rate=rate, channels=channels) if teller else None
        self.heard: Heard | None = None
        if self._kinds is not None:
            self._kinds.result_mb, self._kinds.name = _RESULT_MB, "body"

    def push(self, block: Any) -> None:
        if self._picture is not None:
            self._picture.push(block)
        if self._kinds is not None:
            self._kinds.feed(block)

    def finish(self) -> dict[str, Any]:
        told: dict[str, Any] = {}
        if self._kinds is not None and self._judge is not None:
            rows = self._kinds.finish()
            assert isinstance(rows, Tags)
            self.heard = Heard(self._judge, rows)
            told |= _plain(whole_of(self.heard))
        if self._picture is not None:
            told["spectrogram"] = self._picture.finish()
        return told


class _Picture:
    """A mel-spectrogram of what the model hears."""

    def __init__(self, pipeline: Pipeline, rate: int, channels: int) -> None:
        self._rate = pipeline.sample_rate
        mel = spectra.mel_for(self._rate)
        how: dict[str, Any] = {"channel": pipeline.channel, "quality": pipeline.quality}
        self._stream: Any = Pipeline(mel, **how).open(sample_rate=rate, channels=channels)
        self._bands = Highest(mel.n_mels, 2 * spectra.MOST_COLUMNS)

    def push(self, block: Any) -> None:
        self._bands.push(self._stream.push(block))

    def finish(self) -> dict[str, Any]:
        self._bands.push(self._stream.flush())
        return spectra.picture(self._bands.columns(), self._rate, self._bands.step)


def hear(task: Task) -> tuple[bytes, float]:
    """Return the answer, and the seconds of sound; see `refusal_of` for what it raises.

    The answer is made within the task's time too.
    """
    with limits("serve", task.timeout_s, task.cancel):
        with _pipeline(task) as pipeline:
            result, beside, warnings = (_of_samples if task.pcm else _of_file)(task, pipeline)
        more = beside.finish()
        found = result if isinstance(result, dict) else {TAGS: result}
        tags, events = found[TAGS], found.get(EVENTS)
        if events is not None and len(events) * _EVENT_BYTES > _RESULT_MB * 1e6:
            raise ResultTooLarge("body: too many events")
        if events is not None and task.min_score is not None:
            loud = tuple(event for event in events if event.peak >= task.min_score)
            events = replace(events, events=loud)
        if task.form == "json":
            lists = _lists(task, tags, events, beside.heard)
            text = json_of(_told(task, tags, events, warnings) | more, lists)
        else:
            assert isinstance(events, Events)
            text = _table(replace(marked(events, beside.heard), path=task.name), task.form)
        return text.encode("utf-8", "replace"), tags.duration_s


def _table(events: Events, form: str) -> str:
    """Return what `to_audacity` or `to_raven` gives, line by line."""
    if form == "audacity":
        return joined(map(audacity_line, events))
    high_hz = events.sample_rate / 2
    lines = (
        raven_row(event, i, high_hz=high_hz, path=events.path) for i, event in enumerate(events, start=1)
    )
    return raven_header() + joined(lines)


@contextmanager
def _pipeline(task: Task) -> Iterator[Pipeline]:
    """Give the pipeline that was asked for, or one in a process of its own, which ends afterwards."""
    pipeline, _ = task.served.for_request(task.asked)
    if not task.isolate:
        yield pipeline
        return
    with isolated(pipeline, limits=_LIMITS) as apart:
        yield apart


def _too_long(task: Task) -> Refused:
    return Refused(413, "too_long", f"body: expected at most {task.max_s:g} s of sound, got more")


def _of_file(task: Task, pipeline: Pipeline) -> tuple[Any, _Beside, list[str]]:
    with pipeline.opened(task.file) as (file, stream):
        if file.duration_s is not None and file.duration_s > task.max_s:
            raise _too_long(task)
        stream.result_mb = _RESULT_MB
        stream.name = "body"
        beside = _Beside(task, pipeline, file.sample_rate, file.channels)
        for block in file.blocks():
            with file.decode_errors():
                beside.push(block)
                _feed(task, stream, block)
        result = stream.finish(truncated=file.truncated)
        warnings = ["the file is cut short"] if file.truncated else []
    return result, beside, warnings


def _of_samples(task: Task, pipeline: Pipeline) -> tuple[Any, _Beside, list[str]]:
    pcm = task.pcm
    assert pcm is not None
    frame = pcm.channels * pcm.dtype.itemsize
    if task.size / frame > task.max_s * pcm.rate:
        raise _too_long(task)
    if task.size < frame:
        raise DecodeError("body", f"expected samples of {frame} bytes, got {task.size} bytes")
    native = np.dtype(np.float32 if pcm.dtype.kind == "f" else np.int16)
    with pipeline.open(sample_rate=pcm.rate, channels=pcm.channels) as stream:
        stream.result_mb = _RESULT_MB
        stream.name = "body"
        beside = _Beside(task, pipeline, pcm.rate, pcm.channels)
        while data := task.file.read(_SLICE * frame):
            whole = len(data) // frame * frame
            block = np.frombuffer(data[:whole], pcm.dtype).astype(native, copy=False)
            block = block.reshape(-1, pcm.channels) if pcm.channels > 1 else block
            try:
                beside.push(block)
                _feed(task, stream, block)
            except ValueError as error:
                raise DecodeError("body", str(error)) from error
        result = stream.finish()
    rest = task.size % frame
    warnings = [f"the last {rest} bytes are no whole sample of {frame} bytes"] if rest else []
    return result, beside, warnings


def _plain(kind: Kind | None) -> dict[str, Any]:
    return UNKNOWN if kind is None else kind.to_dict()


def _kind_of(event: Event, heard: Heard | None) -> dict[str, Any]:
    """Return what kind of sound an event is, if that is told."""
    return {} if heard is None else _plain(heard.at(event.start_s, float(event.end_s or event.start_s)))


def _feed(task: Task, stream: PipelineStream, block: Any) -> None:
    if task.cancel.cancelled:
        raise Cancelled("serve: expected a caller who waits, got none")
    stream.feed(block)
    if stream.duration_s > task.max_s:
        raise _too_long(task)


def _told(task: Task, tags: Tags, events: Events | None, warnings: list[str]) -> dict[str, Any]:
    finite = tags.finite
    if not finite:
        warnings = [*warnings, "not all scores are finite; these are null"]
    elif not tags.in_range:
        warnings = [*warnings, OUT_OF_RANGE]
    told: dict[str, Any] = {
        "model": task.served.name,
        "duration_s": round(tags.duration_s, 6),
        "truncated": tags.truncated,
        "silent": bool(len(tags.silent)) and bool(tags.silent.all()),
        "warnings": warnings,
        "tags": plain_tags(tags.top(task.top), task.min_score),
    }
    if events is not None:
        told["why_no_events"] = events.why_none()
    if task.windows:
        told["labels"] = list(tags.labels)
    return told


def _lists(task: Task, tags: Tags, events: Events | None, heard: Heard | None) -> dict[str, Iterable[Any]]:
    """Return what may be long, each item made when it is asked for."""
    lists: dict[str, Iterable[Any]] = {}
    if events is not None:
        lists["events"] = (event.to_dict() | _kind_of(event, heard) for event in events)
    if task.windows:
        if tags.scores.size * _SCORE_BYTES > _RESULT_MB * 1e6:
            raise ResultTooLarge("body: too many windows")
        lists["times_s"] = ([round(at, 6) for at in pair] for pair in tags.times.tolist())
        lists["silent_windows"] = tags.silent.tolist()
        lists["windows"] = plain_rows(tags.scores)
    return lists
