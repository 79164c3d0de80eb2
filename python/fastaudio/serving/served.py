"""The models that a server has, each with what requests may ask of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastaudio._core import Events, Parallel, Tags
from fastaudio.cards.thresholds import card_onsets
from fastaudio.kinds import KIND, Tellers, judge_of
from fastaudio.pipeline import Pipeline
from fastaudio.serving.refusing import Refused
from fastaudio.serving.spectra import mel_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fastaudio._core import Node
    from fastaudio.kinds import Judge

TAGS, EVENTS, RESULTS, MEL = "tags", "events", "results", "mel"
"""Names of a pipeline's outputs here."""

_KEPT = 32
_MOST_OVERLAP = 50  # windows that hear the same sound


@dataclass(frozen=True)
class Asked:
    """What a request asks of a model.

    Attributes:
        events: whether it wants events too, which begin at the score `onset`.
        onset: that score; None for the card's thresholds, or 0.5.
        hop_s: step between windows; None for the model's.
        live: whether events are wanted when they begin, too, and spectra beside them.
        mel: whether spectra are wanted.
        kind: whether live sound's kind is wanted, if the model hears one kind only.
    """

    events: bool = False
    onset: float | None = None
    hop_s: float | None = None
    live: bool = False
    mel: bool = False
    kind: bool = False


class Served:
    """A model that a server has.

    Attributes:
        name: the name by which requests choose it.
        pipeline: the model.
        judge, teller: what tells kinds of sound by rows, and what gives these; None if the model hears all.
    """

    def __init__(self, pipeline: Pipeline, name: str) -> None:
        """Take a pipeline that gives tags, and the name by which requests choose it.

        Raises:
            ValueError: it doesn't give tags, or has several outputs.
        """
        specs = pipeline.output_specs
        spec = next(iter(specs.values()))
        if len(specs) > 1 or spec.kind != "scores" or not spec.labels or not spec.rate_hz:
            raise ValueError(
                f"serve: expected a model that gives tags over time, got {name!r:.80}; leave it out"
            )
        self.name = name
        self.pipeline = pipeline
        self._spec = spec
        self._tellers = Tellers()
        judge = judge_of(pipeline, ahead=self._tellers)
        self.judge, self.teller = judge, judge.beside() if judge else None
        self._made: OrderedDict[Asked, tuple[Pipeline, Judge | None]] = OrderedDict()
        self._making = threading.Lock()

    @property
    def labels(self) -> list[str]:
        """Names of its scores."""
        return list(self._spec.labels)

    def about(self) -> dict[str, Any]:
        """Return what `GET /v1/models` says of it."""
        card = self.pipeline.card
        return {
            "name": self.name,
            "title": str(card.get("description", "")),
            "labels": len(self._spec.labels),
            "sample_rate": self.pipeline.sample_rate,
            "window_s": round(self._spec.span_s, 6),
            "hop_s": round(1 / self._spec.rate_hz, 6),
            "latency_s": round(self.pipeline.latency_s, 6),
            "hears": card.get("hears"),
            "licence": card.get("licence"),
        }

    def for_request(self, asked: Asked) -> tuple[Pipeline, Judge | None]:
        """Return the pipeline that gives what is asked, and what judges its output `KIND` if it has that.

        Its outputs are `TAGS` and `EVENTS`, or one without a name; with spectra or kinds, `RESULTS.NAME`,
        `MEL` and `KIND`. The latest ones are kept, and all share the weights.

        Raises:
            Refused: the model can't have that hop.
        """
        with self._making:
            if (made := self._made.get(asked)) is not None:
                self._made.move_to_end(asked)
                return made
            made = self._made[asked] = self._make(asked)
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
            return made

    def _make(self, asked: Asked) -> tuple[Pipeline, Judge | None]:
        pipeline, judge = self.pipeline, self.judge
        if asked.hop_s is not None:
            least_s = min(self._spec.span_s / _MOST_OVERLAP, 1 / self._spec.rate_hz)
            if asked.hop_s < least_s:
                got = f"{asked.hop_s:g}"
                raise Refused(400, "bad_parameter", f"hop_s: expected at least {least_s:.3g} s, got {got}")
            try:
                pipeline = pipeline.with_hop(asked.hop_s)
            except ValueError as error:
                raise Refused(400, "bad_parameter", str(error)) from error
            judge = judge_of(pipeline, ahead=self._tellers) if judge and asked.kind else None
        if asked.events:
            onsets = card_onsets(pipeline) if asked.onset is None else [asked.onset]
            found = Events(onset=onsets, summary=not asked.live, onsets=asked.live)
            pipeline = pipeline >> {TAGS: Tags(self._spec.labels), EVENTS: found}
        beside: dict[str, Node] = {}
        if asked.mel:
            beside[MEL] = mel_for(pipeline.sample_rate)
        if asked.kind and judge is not None:
            beside[KIND] = judge.beside().node
        if beside:
            both = Parallel({RESULTS: pipeline.node} | beside)
            how = {
                key: getattr(pipeline, key)
                for key in ("channel", "quality", "silence_db", "card", "untrained")
            }
            pipeline = Pipeline(both, **how)
        return pipeline, judge if KIND in beside else None


class Models:
    """The models of a server, by name; the first is the default."""

    def __init__(self, pipelines: Iterable[Pipeline]) -> None:
        """Take pipelines that give tags.

        Raises:
            ValueError: there is none, two have the same name, or one doesn't give tags.
        """
        self.all: dict[str, Served] = {}
        for i, pipeline in enumerate(pipelines):
            name = pipeline.name or f"model{i + 1}"
            if name in self.all:
                raise ValueError(f"serve: expected models of different names, got {name!r:.80} twice")
            self.all[name] = Served(pipeline, name)
        if not self.all:
            raise ValueError("serve: expected a model, got none; name one")

    @property
    def names(self) -> Sequence[str]:
        """All names, the default first."""
        return list(self.all)

    def get(self, name: str | None) -> Served:
        """Return a model by its name, or the default.

        Raises:
            Refused: there is no such model.
        """
        chosen = self.all.get(self.names[0] if name is None else name)
        if chosen is None:
            known = ", ".join(self.names)
            raise Refused(404, "no_model", f"model: expected one of {known:.200}, got {name!r:.60}")
        return chosen
