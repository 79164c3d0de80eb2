"""What kind of sound it is, said before the tags of a model that hears one kind only.

A card's `hears` names the kind, and a shipped card's `kinds` says how its labels tell kinds.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio import cards
from fastaudio._core import Each, Mean, Parallel, Patches, Resample, Sequential, Unroll
from fastaudio._core import Tags as TagsNode
from fastaudio.pipeline import Pipeline, isolated

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from fastaudio._core import Node, StreamSpec
    from fastaudio.decoding.audio_file import FileLike
    from fastaudio.events import Events
    from fastaudio.running.whole import Progress
    from fastaudio.tags import Tags

KIND = "kind"
"""Name of the output that tells kinds, beside that of the model's own results."""

_RESULTS = "results"
_LONGEST_S = 30.0  # of a window whose kind is told as a whole, and of the step to the next
_OWN_S = 3.0  # what longer ones are cut into
_SHORTEST_S = 0.1  # shorter windows have the kind of the sound around them
_ENOUGH_S = 1.0  # of sound, from which on its kind is as sure as that of more
_STEP_S = 1.0  # from one such stretch of sound to the next
NEAR_S = 1e-3
"""Times that lie closer are the same."""


@dataclass(frozen=True)
class Kind:
    """What kind a stretch of sound is.

    Attributes:
        scores: of each kind, from 0 to 1.
        reached: the kinds that it is, by their cards' thresholds.
        wanted: the kind that the model hears.
    """

    scores: Mapping[str, float]
    reached: tuple[str, ...]
    wanted: str

    @property
    def fits(self) -> bool:
        """Whether it is sound of the kind that the model hears."""
        return self.wanted in self.reached

    def __str__(self) -> str:
        told = [f"{name} {self.scores[name]:.2f}" for name in self.reached]
        return ", ".join(told if self.fits else [*told, f"not {self.wanted}"])

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {"kind": {name: round(score, 6) for name, score in self.scores.items()}, "fits": self.fits}


UNKNOWN: dict[str, Any] = {"kind": None, "fits": None}
"""What JSON says of silence, which is of no kind."""


@dataclass(frozen=True)
class Judge:
    """Tells kinds beside a pipeline's results.

    Attributes:
        pipeline: gives the results of the model, and rows that tell kinds, as two outputs of a pipeline, or
            as a dict of the same names from a file.
        wanted: the kind that the model hears.
        model: the model's name.
        window_s: length of the pipeline's windows if each is heard by itself, in a row that begins as it
            does; else 0.
        around: whether windows are too short to be heard by themselves, and have the kind of the 3 s around
            them; live, of the last 3 s.
    """

    pipeline: Any
    wanted: str
    model: str
    _kinds: Mapping[str, tuple[list[int], float]]
    window_s: float = 0.0
    around: bool = False

    @property
    def heard_s(self) -> float:
        """How much sound each row tells the kind of."""
        return self.window_s or _OWN_S

    def beside(self) -> Pipeline:
        """Return what gives the rows that tell kinds, alone, for the sound that the model takes."""
        how = {key: getattr(self.pipeline, key) for key in ("channel", "quality", "silence_db")}
        return Pipeline(self.pipeline.node.branches[KIND], **how)

    def is_window(self, start_s: float, end_s: float) -> bool:
        """Whether a stretch is as long as a window that is heard by itself."""
        return abs(end_s - start_s - self.window_s) < NEAR_S

    def kind(self, scores: NDArray[np.float32]) -> Kind:
        """Return what kind sound is, by its scores [n_labels]."""
        highest = {name: float(scores[at].max()) for name, (at, _) in self._kinds.items()}
        reached = [name for name, (_, least) in self._kinds.items() if highest[name] >= least]
        return Kind(highest, tuple(sorted(reached, key=lambda name: -highest[name])), self.wanted)


@dataclass(frozen=True)
class Heard:
    """What a judge heard: rows of scores, of which each has a start and an end.

    `audible` says that the model's own results aren't all of silence.
    """

    judge: Judge
    rows: Tags
    audible: bool = False

    def whole(self) -> Kind | None:
        """Return the kind of all of it that isn't silent."""
        sounding = np.flatnonzero(~self._silent)
        if not len(sounding) and self.audible and len(self.rows):
            sounding = np.array([len(self.rows) - 1])  # what sounds comes after the last row's own step
        return self._mean(sounding)

    def at(self, start_s: float, end_s: float) -> Kind | None:
        """Return the kind of a sounding window's own row, or of the 3 s around it if it is too short for one.

        Another stretch has that of the rows within it, or of the nearest; None if these are silent.
        """
        if not len(self.rows):
            return None
        starts_s, ends_s = self.rows.times.T
        if self.judge.around and end_s - start_s < _OWN_S:
            begins_s = (start_s + end_s - _OWN_S) / 2  # what lies around it
            at = int(np.searchsorted(starts_s, begins_s))
            two = range(max(at - 1, 0), min(at + 1, len(self.rows)))
            nearest = min(two, key=lambda i: abs(starts_s[i] - begins_s))
            return self._mean(np.array([nearest]))
        # Starts rise: only rows near the stretch are looked at, for a day of windows.
        first = max(int(np.searchsorted(starts_s, start_s - NEAR_S)) - 1, 0)
        after_last = int(np.searchsorted(starts_s, max(start_s, end_s) + NEAR_S)) + 1
        near = np.arange(first, min(after_last, len(self.rows)))
        after, before = starts_s[near] - start_s, ends_s[near] - end_s
        if self.judge.is_window(start_s, end_s) and (own := np.abs(after) < NEAR_S).any():
            return self._mean(near[own])
        chosen = (after > -NEAR_S) & (before < NEAR_S)
        if not chosen.any():
            chosen = np.arange(len(near)) == np.abs(after).argmin()
        return self._mean(near[chosen & ~self._silent[near]])

    @cached_property
    def _silent(self) -> NDArray[np.bool_]:
        """Whether each row heard nothing but silence; a row's own mark is of the step to the next alone."""
        starts_s = self.rows.times.T[0]
        after = np.searchsorted(starts_s, starts_s + self.judge.heard_s - NEAR_S)
        sounding = np.concatenate([[0], np.cumsum(~self.rows.silent)])
        silent: NDArray[np.bool_] = sounding[after] == sounding[:-1]
        return silent

    def _mean(self, chosen: NDArray[np.int_]) -> Kind | None:
        """Return the kind of some rows, by their places; one that heard under a second counts for less."""
        if not len(chosen):
            return None
        starts_s, ends_s = self.rows.times[chosen].T
        weights = np.clip((ends_s - starts_s) / _ENOUGH_S, NEAR_S, 1.0)
        mean = np.average(self.rows.scores[chosen], axis=0, weights=weights)
        return self.judge.kind(mean.astype(np.float32))


def whole_of(heard: Heard | None) -> Kind | None:
    """Return the kind of all that was heard, if anything was."""
    return None if heard is None else heard.whole()


def kind_at(heard: Heard | None, start_s: float, end_s: float) -> Kind | None:
    """Return the kind of a stretch of what was heard, if anything was."""
    return None if heard is None else heard.at(start_s, end_s)


MARK = "?"
"""Stands before labels of sound that the model doesn't hear."""


def marked(events: Events, heard: Heard | None) -> Events:
    """Return events with `MARK` before the labels of those of other sound, for tables of labels alone."""
    if heard is None:
        return events
    kinds = (heard.at(event.start_s, float(event.end_s or event.start_s)) for event in events)
    named = (
        event if kind is None or kind.fits else replace(event, label=f"{MARK} {event.label}")
        for event, kind in zip(events, kinds, strict=True)
    )
    return replace(events, events=tuple(named))


@dataclass(frozen=True)
class Judged:
    """A result of a file, and what was heard beside it."""

    result: Any
    heard: Heard

    @property
    def path(self) -> str | None:
        """The file's path."""
        path: str | None = self.result.path
        return path


def split(judge: Judge | None, result: Any) -> tuple[list[Any], Heard | None]:
    """Return the results of a run with a judge or without, and what was heard beside them."""
    if not isinstance(result, dict):
        return [result], None
    if judge is None:
        return list(result.values()), None
    parts = [part for name, part in result.items() if name != KIND]
    audible = any(not np.all(part.silent) for part in parts)
    return parts, Heard(judge, result[KIND], audible)


def apart(result: Any) -> tuple[Any, Heard | None]:
    """Return a result without what was heard beside it, and that."""
    return (result.result, result.heard) if isinstance(result, Judged) else (result, None)


class Ahead:
    """Loads what tells kinds for a model in a thread, while another loads the model itself."""

    def __init__(self, model: str | os.PathLike[str]) -> None:
        """Begin; what is wrong with the model is said by who loads it."""
        self._wanted: str | None = None
        self._teller: Pipeline | None = None
        self._thread = threading.Thread(target=self._load, args=(model,), name="fastaudio-kinds")
        self._thread.start()

    def _load(self, model: str | os.PathLike[str]) -> None:
        with suppress(BaseException):  # whatever it is, who needs this does it again and says it
            wanted = cards.read_card(model, cards.Budget()).data.get("hears")
            self._teller = _teller(wanted) if isinstance(wanted, str) else None
            self._wanted = wanted

    def teller(self, wanted: str) -> Pipeline | None:
        """Return what tells a kind, or None if no shipped model does."""
        self._thread.join()
        return self._teller if self._wanted == wanted else _teller(wanted)


class Tellers:
    """What tells kinds, each loaded once."""

    def __init__(self, held: Mapping[str, Pipeline | None] | None = None) -> None:
        """Begin with those that are there, or without any."""
        self._held: dict[str, Pipeline | None] = dict(held or {})

    def teller(self, wanted: str) -> Pipeline | None:
        """Return what tells a kind, or None if no shipped model does."""
        if wanted not in self._held:
            self._held[wanted] = _teller(wanted)
        return self._held[wanted]


def judge_of(
    pipeline: Pipeline, *, apart: bool = False, ahead: Ahead | Tellers | None = None
) -> Judge | None:
    """Return what tells kinds beside a pipeline's results, if its card says that it hears one kind only.

    There is none for several outputs or channels, or if no shipped model tells that kind. With `apart`, the
    pipeline is isolated, and so is what tells kinds. `ahead` has begun to load that, or has it.
    """
    wanted = pipeline.card.get("hears")
    if not isinstance(wanted, str):
        return None
    specs = list(pipeline.output_specs.values())
    if len(specs) != 1 or pipeline.input_spec.shape:
        return None
    teller = ahead.teller(wanted) if ahead else _teller(wanted)
    if teller is None:
        return None
    node, window_s, around = _beside(teller, pipeline, specs[0])
    labels = next(iter(teller.output_specs.values())).labels
    kinds = {
        kind: ([labels.index(label) for label in rule["labels"]], float(rule["least"]))
        for kind, rule in teller.card["kinds"].items()
    }
    node >>= TagsNode(labels)
    how: dict[str, Any] = {key: getattr(pipeline, key) for key in ("channel", "quality", "silence_db")}
    both: Any
    if apart:
        both = _OneByOne(pipeline, isolated(Pipeline(node, **how)))
    else:
        how |= {"card": pipeline.card, "untrained": pipeline.untrained}
        both = Pipeline(Parallel({_RESULTS: pipeline.node, KIND: node}), **how)
    return Judge(both, wanted, pipeline.name or "the model", kinds, window_s, around)


@dataclass(frozen=True)
class _OneByOne:
    """Runs a pipeline and one that tells kinds over a file, each in processes of its own."""

    pipeline: Pipeline
    kinds: Pipeline

    def __call__(self, source: FileLike, *, progress: Progress | None = None) -> dict[str, Any]:
        result = self.pipeline(source, progress=progress)
        return {_RESULTS: result, KIND: self.kinds(source)}


def _teller(wanted: str) -> Pipeline | None:
    """Load the first shipped model that tells a kind."""
    card = cards.card_that_tells(wanted)
    return None if card is None else Pipeline.load(card.path)


def _beside(teller: Pipeline, pipeline: Pipeline, spec: StreamSpec) -> tuple[Node, float, bool]:
    """Return a node with a row of mean scores for each of a pipeline's windows.

    With it comes the length of these windows, or 0 if they are too long to be heard as a whole, or too short:
    then it has rows for 3 s; and whether they are too short.

    Each window is heard by itself, so that its kind is known as soon as its tags are.
    """
    own = spec.rate_hz * _LONGEST_S < 1 or spec.span_s > _LONGEST_S
    around = not own and spec.span_s < _SHORTEST_S
    span_s, hop_s = (_OWN_S, _OWN_S) if own else (spec.span_s, 1 / spec.rate_hz)
    if around:
        span_s, hop_s = _OWN_S, _STEP_S
    rate = teller.sample_rate
    length, hop = round(span_s * rate), max(round(hop_s * rate), 1)
    inner: list[Node] = []
    for part in teller.node.parts():
        if isinstance(part, Patches):
            n_rows = len(Sequential(inner)(np.zeros(length, np.float32)))
            inner.append(Patches(length=n_rows, last="pad"))
        else:
            inner.append(Unroll(rate_hz=part.rate_hz) if isinstance(part, Unroll) else part)
    each = Each(Sequential([*inner, Mean()]), clip_length=length, hop=hop, last="repeat") >> Unroll(
        rate_hz=rate / hop
    )
    window_s = 0.0 if own or around else span_s
    if rate == pipeline.sample_rate:
        return each, window_s, around
    return Resample(input_rate=pipeline.sample_rate, output_rate=rate) >> each, window_s, around
