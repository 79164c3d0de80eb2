"""A graph compared with its node: sounds made up for it, run through both."""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import check_interrupt
from fastaudio.exporting.model import CLIP, INPUT
from fastaudio.exporting.refusing import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fastaudio._core import Node, StreamSpec

BOUND = 1e-4
"""Largest difference that a graph may have: of the values, or of their part of the largest above 1."""

_LEAST_S, _MOST_S = 2.0, 30.0


def largest_difference(model: Any, node: Node, spec: StreamSpec, *, block: int | None = None) -> float:
    """Return the largest difference between a graph and its node, over sounds of several lengths.

    A difference of values above 1 counts by its part of the largest.

    Raises:
        ExportError: ONNX Runtime refuses the graph, or it gives other rows.
    """
    session = _session(model)
    worst = 0.0
    for rows in _sounds(node, spec, block):
        check_interrupt()
        wanted = _wanted(session, node, rows, spec, flush=block is None)
        found = _whole(session, rows) if block is None else _blocks(session, rows, block)
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
            worst = max(worst, _difference(got, want))
    return worst


def _difference(got: NDArray[np.float32], want: NDArray[Any]) -> float:
    """Return the largest difference; infinity where only one of both is a number."""
    other = ~((got == want) | (np.isnan(got) & np.isnan(want)))
    if not np.isfinite(got[other]).all() or not np.isfinite(want[other]).all():
        return math.inf
    scale = max(1.0, float(np.abs(want[np.isfinite(want)]).max(initial=0)))
    return float(np.abs(got[other] - want[other]).max(initial=0)) / scale


def _mean(wanted: dict[str, NDArray[np.float32]], name: str) -> NDArray[Any]:
    """Return what "clip" is, or "clip.NAME": the mean of the rows, zeros if there are none."""
    whose = name.removeprefix(CLIP).removeprefix(".")
    rows = wanted[whose] if whose else next(iter(wanted.values()))
    return np.asarray(rows.mean(axis=0, dtype=np.float64) if len(rows) else np.zeros(rows.shape[1:]))


def require_close(worst: float) -> None:
    """Raise ExportError above the bound."""
    if not worst <= BOUND:
        raise ExportError(
            f"export_onnx: expected a graph within {BOUND:g} of the pipeline, got {worst:.3g}; "
            "give check=False, or --no-check, to write it nevertheless"
        )


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


def _sounds(node: Node, spec: StreamSpec, block: int | None) -> Iterator[NDArray[np.float32]]:
    """Give tones that glide, noise, clicks and silence, of several lengths."""
    spans = [1 / one.rate_hz + one.span_s for one in node.output_specs(spec).values() if one.rate_hz]
    wanted_s = min(max([_LEAST_S, *(2 * span for span in spans)]), _MOST_S)
    n = math.ceil(wanted_s * spec.rate_hz)
    if block is not None:
        n = max(n, 3 * block)
    random = np.random.default_rng(2)
    shape = (n, *spec.shape)
    t = np.linspace(0, 1, n).reshape(-1, *[1] * len(spec.shape))
    sound = 0.1 * random.standard_normal(shape) * (np.sin(40 * t) > 0) + 0.3 * np.sin(n / 20 * t**2)
    sound[n // 3 : n // 2] = 0
    sound[:: max(n // 7, 1)] += 0.5
    rows = sound.astype(np.float32)
    if block is not None:
        yield rows
        return
    for length in (n, n // 2 + 1, 100, 1, 0):
        yield rows[:length]


def _wanted(
    session: Any, node: Node, rows: NDArray[np.float32], spec: StreamSpec, *, flush: bool
) -> dict[str, NDArray[np.float32]]:
    """Return the node's rows by the names of the graph's outputs, which are in its order."""
    stream = node.open(spec)
    parts: list[Any] = [stream.push(rows), *([stream.flush()] if flush else [])]
    names = [one.name for one in session.get_outputs()]
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
