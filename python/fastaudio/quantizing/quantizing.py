"""Quantizing a pipeline: search in all ways, take the fastest within the bound, and write its card."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._core import check_interrupt
from fastaudio.cards.licences import licence_of
from fastaudio.exporting.sources import files_of
from fastaudio.importing.saving import check_place, save
from fastaudio.pipeline import Pipeline
from fastaudio.quantizing.network import Network, layers
from fastaudio.quantizing.processor import processor_name
from fastaudio.quantizing.refusing import NothingWon, QuantizeError, package
from fastaudio.quantizing.rows import feeds, first_rows
from fastaudio.quantizing.searching import Measured, Trial, search
from fastaudio.quantizing.sounds import Sounds, split
from fastaudio.quantizing.timing import Timing, compare
from fastaudio.quantizing.ways import WAYS, Way, quantized, ranges

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from fastaudio._core import Node, OnnxModel

    Compare = Callable[..., Timing]
    Progress = Callable[[str, int, int], None]

_SEARCHING_S, _DECIDING_S = 1.0, 5.0  # how long each timing takes


@dataclass(frozen=True)
class Quantized:
    """What was written.

    Attributes:
        path: the model's card or packed file.
        about: what the card says of it under "quantized".
        failed: why sounds were left out, by path.
    """

    path: Path
    about: dict[str, Any]
    failed: dict[str, str] = field(default_factory=dict)


def quantize(
    pipeline: Pipeline,
    calibrate: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    bound: float = 0.01,
    force: bool = True,
    progress: Progress | None = None,
    compare: Compare = compare,
) -> Quantized:
    """Write a pipeline with 8-bit layers, if that is within a bound and faster on this processor.

    Every second sound of a folder calibrates; over the others, the largest difference of a clip's scores must
    stay within the bound. The layers are searched in each way that ONNX Runtime has, and the fastest choice
    is taken; it must be faster by 5 % or more, and in three of four rounds.

    Args:
        pipeline: one that ends in Tags.
        calibrate: a folder of sounds like those that the model is for.
        path: as for `Pipeline.save`: a folder for the card and its network, or a file .json or .onnx.
        bound: largest difference of a clip's scores that is accepted.
        force: whether to replace a model that is there, as `Pipeline.save` does; no other file is.
        progress: called with the stage, the count and the total of its steps.
        compare: what times two runs; see `timing.compare`.

    Raises:
        NothingWon: nothing is both within the bound and faster; nothing was written.
        QuantizeError: the pipeline or the sounds can't be used.
        OutputError: it can't be written there, or is a file that the pipeline was read from.
        MissingExtra: onnx or onnxruntime's tools aren't installed.
        TypeError, ValueError: an argument of a wrong type, or outside its range.
    """
    if not isinstance(pipeline, Pipeline):
        raise TypeError(f"quantize: expected a Pipeline, got {type(pipeline).__name__}")
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        raise TypeError(f"quantize: expected bound as a float, got {bound!r:.80}")
    if not 0 < bound <= 1:
        raise ValueError(f"quantize: expected bound in (0, 1], got {bound}")
    check_place(path, force=force, inputs=files_of(pipeline.node))
    network = Network.of(pipeline)
    tell = progress or (lambda *_: None)
    with tempfile.TemporaryDirectory(prefix="fastaudio-") as work:
        model = network.model(Path(work))
        if not layers(model):
            raise QuantizeError(
                "quantize: expected a network with Conv, MatMul or Gemm that have constant weights, got none"
            )
        count = iter(range(1 << 62))
        sounds = split(pipeline, calibrate, lambda total: tell("sounds", next(count), total))
        search_ = _Search(network, sounds, Path(work), bound, compare, tell)
        way, found = search_.best(model)
        about = _about(pipeline, way, found, bound, sounds)
        result = network.replaced(search_.node_of(way, found.layers))
        result.card["quantized"] = about
        written = save(result, path, force=force, licence=licence_of(pipeline.node))
    return Quantized(written, about, sounds.failed)


@dataclass
class _Search:
    """Searches in all ways; `compare` times, `tell` takes progress."""

    network: Network
    sounds: Sounds
    work: Path
    bound: float
    compare: Compare
    tell: Progress
    tried: list[Measured] = field(default_factory=list)
    decided: list[Timing] = field(default_factory=list)
    timings: dict[tuple[tuple[str, str], frozenset[str]], Timing] = field(default_factory=dict)

    def best(self, model: Any) -> tuple[Way, Trial]:
        """Return the fastest choice of all ways.

        Raises:
            NothingWon: there is none.
        """
        front = self.network.front
        rows = {file: first_rows(front, file) for file in self.sounds.calibrating}
        (self._spec,) = front.output_specs.values()
        self._row = next(iter(rows.values()))[:1]
        self._model = model
        self._ranges = {
            method: ranges(model, method, self.work, self._fed(model, rows.values()))
            for method in dict.fromkeys(way.calibration for way in WAYS if way.activations)
        }
        kinds = {node.name: node.op_type for node in model.graph.node}
        chances = [(way, [name for name in layers(model) if kinds[name] in way.kinds]) for way in WAYS]
        won: list[tuple[Way, Trial]] = []
        for way, names in chances:
            if not names:
                continue
            measured = Measured(self._timer(way, len(names)), partial(self._differ, way))
            found = search(names, measured, self.bound)
            self.tried.append(measured)
            if found is not None:
                won.append((way, found))
        for way, found in sorted(won, key=lambda each: each[1].timing.ratio):
            timing = self._time(way, found.layers, _DECIDING_S)
            if timing.faster:
                return way, replace(found, timing=timing)
            self.decided.append(timing)
        raise NothingWon(_lost(self.tried, self.decided, self.bound), self.sounds.failed)

    def _fed(self, model: Any, all_rows: Any) -> Iterator[dict[str, Any]]:
        runtime = package("onnxruntime")
        options = runtime.SessionOptions()
        options.log_severity_level = 3
        session = runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        for rows in all_rows:
            check_interrupt()
            yield from feeds(self.network.node, model, rows, session)

    def _timer(self, way: Way, n: int) -> Callable[[frozenset[str]], Timing]:
        count = iter(range(1 << 62))

        def time(chosen: frozenset[str]) -> Timing:
            self.tell(way.name, next(count), n + 1)
            if (way.types, chosen) not in self.timings:
                self.timings[way.types, chosen] = self._time(way, chosen, _SEARCHING_S)
            return self.timings[way.types, chosen]

        return time

    def _time(self, way: Way, chosen: frozenset[str], seconds: float) -> Timing:
        check_interrupt()
        return self.compare(
            self._run(self.node_of(way, chosen)), self._run(self.network.node), seconds=seconds
        )

    def _differ(self, way: Way, chosen: frozenset[str]) -> float:
        check_interrupt()
        return self.sounds.difference(self.network.replaced(self.node_of(way, chosen)))

    def node_of(self, way: Way, chosen: frozenset[str]) -> OnnxModel:
        """Return the network with these layers quantized."""
        name = hashlib.sha256(repr((way, sorted(chosen))).encode()).hexdigest()[:16]
        target = self.work / name / "model-int8.onnx"
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            quantized(self._model, way, chosen, self._ranges[way.calibration], target)
        # Ranges that each run finds are those of all its rows together.
        return self.network.fed(target, alone=not way.activations)

    def _run(self, node: Node) -> Callable[[], NDArray[np.float32] | dict[str, NDArray[np.float32]]]:
        return partial(node.open(self._spec).push, self._row)


def _lost(tried: list[Measured], decided: list[Timing], bound: float) -> str:
    """Say what came nearest, and which condition it missed."""
    pairs = [(timing, one.differences.get(key)) for one in tried for key, timing in one.timings.items()]
    faster = [difference for timing, difference in pairs if timing.faster and difference is not None]
    if decided:
        got = f"{min(decided, key=_nearness).missed} when the fastest choice was timed for longer"
    elif faster:
        got = f"{min(faster):.2g} at best from those that are faster"
    else:
        slow = [timing for timing, _ in pairs if not timing.faster]
        got = min(slow, key=_nearness).missed if slow else "no layer that can be timed"
    return (
        f"quantize: expected 8-bit layers that are faster than float32 on this processor and move a clip's "
        f"scores by {bound:g} at most, got {got}; nothing was written, so keep float32, or measure on "
        "another processor"
    )


def _nearness(timing: Timing) -> tuple[float, float]:
    return timing.ratio, timing.upper


def _about(pipeline: Pipeline, way: Way, found: Trial, bound: float, sounds: Sounds) -> dict[str, Any]:
    """Return what the card says."""
    return {
        "of": pipeline.name,
        "method": way.name,
        "layers": sorted(found.layers),
        "bound": bound,
        "largest_difference": round(found.difference, 6),
        "time_ratio": round(found.timing.ratio, 3),
        "processor": processor_name(),
        "onnxruntime": package("onnxruntime").__version__,
        "sounds": {"calibrating": len(sounds.calibrating), "held_out": len(sounds.scores)},
    }
