"""What a scan runs: a model's tags, or a layer of its network, for whole files or for each window."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fastaudio import cards
from fastaudio._core import Mean, __version__
from fastaudio.heads.identity import rows_sha256
from fastaudio.pipeline import Pipeline
from fastaudio.scanning.schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Chosen:
    """What to run, as it is chosen; a process of its own can load it again.

    Attributes:
        model: a model's name, or the path of a card or a packed model.
        layer: the layer to give, None for tags, or for the layer that the card chooses if it has none.
        hop_s: the step between windows, None for the model's own.
        windows: whether each window is a row, not each file; `hop_s` implies it.
        half: whether numbers are kept as float16.
        channel: the channel to take, None for the card's or the mean of all.
    """

    model: str = cards.DEFAULT_MODEL
    layer: str | None = None
    hop_s: float | None = None
    windows: bool = False
    half: bool = False
    channel: int | None = None

    @property
    def by_window(self) -> bool:
        """Whether each window is a row."""
        return self.windows or self.hop_s is not None

    def load(self, threads: int = 1) -> Pipeline:
        """Return the pipeline; a layer's rows for whole files are their mean over time.

        Raises:
            ModelError, ValueError: there is no such model or layer, or it has no such step.
        """
        pipeline = Pipeline.load(self.model, threads=threads, channel=self.channel)
        pipeline = with_layer(pipeline, self.layer, tags=True)
        if self.hop_s is not None:
            pipeline = pipeline.with_hop(self.hop_s)
        (spec,) = pipeline.output_specs.values()
        if spec.kind == "events":
            raise ValueError(
                f"scan: expected a model that gives tags or rows, got events of {self.model}; name a layer"
            )
        if not spec.labels and not self.by_window and spec.rate_hz > 0:
            pipeline = pipeline >> Mean()
        return pipeline

    def rows(self) -> Pipeline:
        """Return the pipeline that gives a row per window, also of a scan of whole files."""
        return replace(self, windows=True).load()

    def mean(self) -> Pipeline:
        """Return the pipeline that gives a layer's mean over time, also of a scan by windows."""
        return replace(self, windows=False, hop_s=None).load() if not self.hop_s else self.load() >> Mean()

    def about(self, pipeline: Pipeline, columns: Sequence[str]) -> dict[str, Any]:
        """Return what a scan's tables say of themselves.

        All but `columns` and `version` has to agree within a folder.
        """
        (spec,) = pipeline.output_specs.values()
        rows = pipeline if self.by_window or spec.labels else self.rows()
        card = json.dumps(cards.read_card(self.model).data, ensure_ascii=False, sort_keys=True)
        return {
            "schema": SCHEMA,
            "model": self.model,
            "card": card,
            "card_sha256": hashlib.sha256(card.encode()).hexdigest(),
            "rows_sha256": None if spec.labels else rows_sha256(rows),
            "layer": None if spec.labels else next(iter(rows.output_specs)),
            "labels": list(spec.labels),
            "width": len(spec.labels) or math.prod(spec.shape),
            "shape": list(spec.shape),
            "hop_s": self.hop_s,
            "windows": self.by_window,
            "half": self.half,
            "channel": self.channel,
            "columns": list(columns),
            "version": __version__,
        }


def with_layer(pipeline: Pipeline, layer: str | None, *, tags: bool = False) -> Pipeline:
    """Return the pipeline with one output of rows: a layer, or with `tags` its tags if it ends in some.

    Without a name, it is the layer that the card chooses; a model without tags gives its own rows.
    """
    specs = pipeline.output_specs
    has_labels = any(spec.labels for spec in specs.values())
    fits = len(specs) == 1 and (tags or not has_labels)
    return pipeline if layer is None and fits else pipeline.layer(layer)
