"""A graph compared with its node, on sounds that were made up for it and on recordings."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import check_interrupt
from fastaudio._system.text import printable
from fastaudio.exporting.model import CLIP, INPUT
from fastaudio.exporting.refusing import ExportError
from fastaudio.exporting.sounds import Kind, Sound, made_up, recorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from fastaudio._core import Node, StreamSpec

TOLERANCE = 1e-4
"""Largest difference that a graph may have: of the values, or of their part of the largest above 1."""

_MARGIN = 1.1  # of the tolerance that a message names, because another run may round otherwise


@dataclass(frozen=True)
class Farthest:
    """Where a graph is farthest from its node, among sounds of one kind.

    Attributes:
        kind: of the sounds.
        n_sounds: how many of them were compared.
        difference: how far; of values above 1 their part of the largest.
        output: the name of the output.
        from_s: when the row begins, None for an output that isn't over time.
        to_s: when it ends.
        sound: the name of the sound.
    """

    kind: Kind
    n_sounds: int
    difference: float
    output: str
    from_s: float | None
    to_s: float | None
    sound: str

    def __str__(self) -> str:
        many = "s" if self.n_sounds > 1 else ""
        on = "made-up sound" if self.kind == "made-up" else f"{self.n_sounds} recording{many}"
        at = "" if self.from_s is None else f", {self.from_s:.2f} to {self.to_s:.2f} s"
        return (
            f"{self.difference:.2g} on {on} (output {printable(self.output)}{at} of {printable(self.sound)})"
        )


def compare(
    model: Any,
    node: Node,
    spec: StreamSpec,
    *,
    block: int | None = None,
    sounds: Iterable[tuple[str, Any]] = (),
) -> list[Farthest]:
    """Run a graph beside its node; return where it is farthest, on made-up sounds and on recordings.

    Raises:
        ExportError: ONNX Runtime refuses the graph, or it gives other rows.
        DecodeError: a recording can't be read.
    """
    session = _session(model)
    heard = [made_up(node, spec, block), recorded(sounds, spec, block)]
    found = [_farthest(session, node, spec, block, some) for some in heard]
    return [one for one in found if one is not None]


def _farthest(
    session: Any, node: Node, spec: StreamSpec, block: int | None, sounds: Iterable[Sound]
) -> Farthest | None:
    names = [one.name for one in session.get_outputs()]
    specs = dict(zip(names, node.output_specs(spec).values(), strict=False))
    worst: Farthest | None = None
    n_sounds = 0
    for sound in sounds:
        check_interrupt()
        n_sounds += 1
        wanted = _wanted(names, node, sound.rows, spec, flush=block is None)
        found = _whole(session, sound.rows) if block is None else _blocks(session, sound.rows, block)
        for name, got in found.items():
            want = _mean(wanted, name) if name not in wanted else wanted[name]
            if block is not None:
                want = want[: len(got)]  # the stream may be ahead
                got = got[: len(want)]  # noqa: PLW2901
            if got.shape != want.shape:
                raise ExportError(
                    f"export_onnx: expected rows {want.shape} from output {name}, got {got.shape}; "
                    "report this pipeline to fastaudio"
                )
            difference, row = _difference(got, want)
            if worst is None or difference > worst.difference:
                from_s, to_s = _span(specs.get(name), row)
                worst = Farthest(sound.kind, 0, difference, name, from_s, to_s, sound.name)
    return None if worst is None else replace(worst, n_sounds=n_sounds)


def _span(spec: StreamSpec | None, row: int) -> tuple[float, float] | tuple[None, None]:
    """Return the seconds that a row is about; None for an output that has one for the clip."""
    if spec is None or not spec.rate_hz:
        return None, None
    return row / spec.rate_hz, row / spec.rate_hz + (spec.span_s or 1 / spec.rate_hz)


def _difference(got: NDArray[np.float32], want: NDArray[Any]) -> tuple[float, int]:
    """Return the largest difference and its row; infinity where only one of both is a number."""
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    if not want.size or same.all():
        return 0.0, 0
    scale = max(1.0, float(np.abs(want[np.isfinite(want)]).max(initial=0)))
    with np.errstate(invalid="ignore", over="ignore"):
        far = np.where(same, 0.0, np.abs(got.astype(np.float64) - want) / scale)
    far[~same & ~(np.isfinite(got) & np.isfinite(want))] = math.inf
    place = int(far.argmax())
    return float(far.flat[place]), place // (far.size // len(far))


def _mean(wanted: dict[str, NDArray[np.float32]], name: str) -> NDArray[Any]:
    """Return what "clip" is, or "clip.NAME": the mean of the rows, zeros if there are none."""
    whose = name.removeprefix(CLIP).removeprefix(".")
    rows = wanted[whose] if whose else next(iter(wanted.values()))
    return np.asarray(rows.mean(axis=0, dtype=np.float64) if len(rows) else np.zeros(rows.shape[1:]))


def largest(found: Sequence[Farthest]) -> float:
    """Return the largest difference of all kinds of sound."""
    return max(one.difference for one in found)


def require_close(found: Sequence[Farthest], tolerance: float = TOLERANCE) -> None:
    """Raise ExportError if a difference is above `tolerance`, and say where each kind's is."""
    worst = largest(found)
    if worst <= tolerance:
        return
    if worst < math.inf:
        enough = _rounded_up(worst * _MARGIN)
        remedy = f"if that is rounding, give tolerance={enough}, or --tolerance {enough}, to write it"
    else:
        remedy = "give check=False, or --no-check, to write it nevertheless"
    got = " and ".join(map(str, found))
    raise ExportError(
        f"export_onnx: expected a graph within {tolerance:g} of the pipeline, got {got}; {remedy}"
    )


def _rounded_up(value: float) -> str:
    """Return a number of two digits that isn't below."""
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return f"{math.ceil(value / step) * step:.2g}"


def _session(model: Any) -> Any:
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it is read when the package starts
    import onnxruntime  # noqa: PLC0415  # a second copy beside the core's, for this check alone

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        got = str(error)[:300]
        raise ExportError(
            f"export_onnx: expected a graph that ONNX Runtime takes, got {got!r}; export a part"
        ) from error


def _wanted(
    names: list[str], node: Node, rows: NDArray[np.float32], spec: StreamSpec, *, flush: bool
) -> dict[str, NDArray[np.float32]]:
    """Return the node's rows by `names` of the graph's outputs, which are in its order."""
    stream = node.open(spec)
    parts: list[Any] = [stream.push(rows), *([stream.flush()] if flush else [])]
    if isinstance(parts[0], dict):
        found = [np.concatenate([part[name] for part in parts]) for name in parts[0]]
    else:
        found = [np.concatenate(parts)]
    return dict(zip(names, found, strict=False))


def _whole(session: Any, rows: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, {INPUT: rows}), strict=True))


def _blocks(session: Any, rows: NDArray[np.float32], block: int) -> dict[str, NDArray[np.float32]]:
    """Run whole blocks, and leave out the rows that come before the signal's first."""
    about = json.loads(session.get_modelmeta().custom_metadata_map["fastaudio.export"])["outputs"]
    inputs = [one for one in session.get_inputs() if one.name != INPUT]
    states = {one.name: np.zeros(one.shape, dtype=np.float32) for one in inputs}
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in about}
    names = [*about, *(f"next_{name}" for name in states)]
    for start in range(0, len(rows) - block + 1, block):
        values = dict(
            zip(names, session.run(names, {INPUT: rows[start : start + block], **states}), strict=True)
        )
        states = {name: values[f"next_{name}"] for name in states}
        for name, parts in found.items():
            parts.append(values[name])
    return {name: np.concatenate(parts)[about[name]["skip"] :] for name, parts in found.items()}
