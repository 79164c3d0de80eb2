"""The models of a live run, which hear the same sound, and what each of them says."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio.cards import DEFAULT_MODEL
from fastaudio.cli.events import gives_events, with_events
from fastaudio.cli.kinds import KIND, judge_for
from fastaudio.cli.together import together
from fastaudio.live_kinds import LiveKinds
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fastaudio.cli.kinds import Judge, Kind
    from fastaudio.events import Event
    from fastaudio.tags import Window


@dataclass(frozen=True, eq=False)
class Ear:
    """One model of a live run.

    Attributes:
        name: what its lines call it: its card's name, or its file's; no other model of the run has it.
        pipeline: gives its results.
        judge: what tells kinds beside them, if anything does.
    """

    name: str | None
    pipeline: Pipeline
    judge: Judge | None = None

    @property
    def events(self) -> bool:
        """Whether it gives events, not tags."""
        return gives_events(self.pipeline)

    @property
    def labels(self) -> list[str]:
        """All labels that it may give, each once."""
        specs = self.pipeline.output_specs.values()
        return list(dict.fromkeys(label for spec in specs for label in spec.labels))


def named(pipelines: Mapping[str, Pipeline]) -> list[str | None]:
    """Return a name for each pipeline, by what its model was called on the command line."""
    if len(pipelines) == 1:
        return [pipeline.name for pipeline in pipelines.values()]
    names: list[str | None] = []
    for path, pipeline in pipelines.items():
        name = pipeline.name or Path(path).stem
        number = 2
        while name in names:
            name = f"{pipeline.name or Path(path).stem} {number}"
            number += 1
        names.append(name)
    return names


def ears_of(args: argparse.Namespace, *, onsets: bool) -> list[Ear]:
    """Return the models that the options name, each with what they ask of it.

    Raises:
        ModelError: one isn't there, or its weights are untrained, and --untrained isn't given.
        ValueError: the same one twice, or one that doesn't give what the options ask for.
    """
    paths = args.model or [DEFAULT_MODEL]
    if len(set(paths)) < len(paths):
        raise ValueError(f"listen: expected each --model once, got {' and '.join(paths)}; leave one out")
    loaded = {path: Pipeline.load(path, untrained=args.untrained) for path in paths}
    ears = []
    for (path, pipeline), name in zip(loaded.items(), named(loaded), strict=True):
        own = argparse.Namespace(**vars(args) | {"model": path})
        heard = with_events(pipeline, own, onsets=onsets)
        if args.hop is not None:
            heard = heard.with_hop(args.hop)
        ears.append(Ear(name, heard, judge_for(heard, own)))
    return ears


class Ears:
    """Runs several models as one, and says which of them a result comes from.

    Attributes:
        pipeline: all models in one, and what tells kinds.
    """

    pipeline: Any

    def __init__(self, ears: Sequence[Ear], sample_rate: int) -> None:
        """Take at least one model, and the rate of the sound in Hz.

        Raises:
            ValueError: they don't go together.
        """
        self._ears = ears
        self._kinds = [LiveKinds(ear.judge) if ear.judge else None for ear in ears]
        self._takers: dict[str, list[tuple[int, str]]] = {}  # of an output: whose it is, and its name there
        if len(ears) == 1:
            (ear,) = ears
            self.pipeline = ear.judge.pipeline if ear.judge else ear.pipeline
            return
        parts: dict[str, Pipeline] = {}
        for i, ear in enumerate(ears):
            parts[f"{i}"] = ear.pipeline
            if ear.judge is not None:
                parts[f"{i} {KIND}"] = ear.judge.beside()
        self.pipeline, outputs = together(parts, sample_rate)
        for part, output in outputs.items():
            number, _, kind = part.partition(" ")
            for own in [""] if kind else ears[int(number)].pipeline.output_specs:
                path = ".".join(filter(None, (output, own)))
                self._takers.setdefault(path, []).append((int(number), kind or own))

    def take(self, item: Any) -> Iterator[tuple[Ear, Window | Event, Kind | None]]:
        """Take what the stream gave; yield what is due, with the model that it comes from, and its kind."""
        if len(self._ears) == 1:
            yield from self._told(0, item)
            return
        for i, output in self._takers[item.output]:
            ear = self._ears[i]
            whose = {"model": ear.name} if hasattr(item, "model") else {}
            yield from self._told(i, replace(item, output=output, **whose))

    def _told(self, i: int, item: Any) -> Iterator[tuple[Ear, Any, Kind | None]]:
        kinds = self._kinds[i]
        if kinds is None:
            yield self._ears[i], item, None
            return
        for one, kind in kinds.take(item):
            yield self._ears[i], one, kind

    def rest(self) -> Iterator[tuple[Ear, Window | Event, Kind | None]]:
        """Yield what still waits for its kind, once no more sound comes."""
        for ear, kinds in zip(self._ears, self._kinds, strict=True):
            for one, kind in kinds.rest() if kinds else ():
                yield ear, one, kind
