"""What nodes state of their rows: when they come, and which inputs they depend on. New nodes are found."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import events
from helpers import by_name
from node_cases import ARGUMENTS, CLASSES, COMPOSITES, node_of, rows_of, spec_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Options that change what a row depends on, beside the defaults, which every node is tried with.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "Delta": [{"width": 5, "mode": mode} for mode in ("interp", "nearest", "htk")],
    "Events": [{"min_off_s": [0.05]}, {"onset": [0.05], "min_on_s": [0.03]}],
    "LinearSoftmaxPooling": [{"window": 7, "hop": 3}, {"window": 3, "hop": 5}],
    "MelSpectrogram": [{"pad_mode": "reflect"}, {"pad_mode": "kaldi"}, {"center": False}],
    "Normalize": [{"over": "clip"}],
    "Patches": [{"length": 9, "hop": 2}, {"length": 4, "hop": 11}, {"length": 5, "context": 3}],
    "RMS": [{"pad_mode": "reflect"}, {"center": False}],
    "Resample": [{"input_rate": 8000, "output_rate": 48_000}, {"input_rate": 11_127, "output_rate": 16_000}],
    "Statistics": [{"window": 7, "hop": 3}, {"kinds": ["p25"], "window": 4}],
    "TopDb": [{"over": "clip"}],
    "Unroll": [{"overlap": "mean"}, {"rate_hz": 260.0}, {"rate_hz": 260.0, "overlap": "hamming"}],
    "ZeroCrossingRate": [{"center": False}],
}


class Case(NamedTuple):
    """A node, with rows for it and what they are."""

    name: str
    node: fa.Node
    rows: NDArray[np.float32]
    spec: fa.StreamSpec


def case_of(name: str, options: dict[str, Any]) -> Case:
    node = CLASSES[name](*ARGUMENTS.get(name, ()), **options) if options else node_of(name)
    rows = rows_of(name)
    spec = spec_of(node) or node.input_spec
    return Case(name, node, rows, spec or fa.StreamSpec(rate_hz=100, shape=list(rows.shape[1:]), unit=""))


CASES = {
    f"{name}({options or ''})": (name, options)
    for name in CLASSES
    for options in [{}, *VARIANTS.get(name, [])]
}
every_case = pytest.mark.parametrize("case", CASES)


@cache
def arrivals_of(case: str) -> list[tuple[list[int], NDArray[np.float32]]]:
    """For each output: how many inputs were there when each row came out before the end, and these rows."""
    _, node, rows, spec = case_of(*CASES[case])
    stream = node.open(spec)
    pushes = [list(by_name(stream.push(rows[i : i + 1])).values()) for i in range(len(rows))]
    return [
        ([i + 1 for i, out in enumerate(output) for _ in out], np.concatenate(output))
        for output in zip(*pushes, strict=True)
    ]


def due_of(case: Case, spec: fa.StreamSpec, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Inputs that have to be there for each row, as stated, in fractions of them."""
    starts = np.arange(len(rows)) / spec.rate_hz
    if spec.kind == "events":  # a row tells of the event's last window
        ends = [event.end_s or 0 for event in events.decode(rows, spec)]
        starts = np.array(ends) - spec.span_s
    return (starts + spec.latency_s) * case.spec.rate_hz


@every_case
def test_rows_come_out_when_stated(case: str) -> None:
    tried = case_of(*CASES[case])
    specs = tried.node.output_specs(tried.spec).values()
    for spec, (counts, rows) in zip(specs, arrivals_of(case), strict=True):
        if spec.once or math.isinf(spec.latency_s):
            assert counts == [], "a row that waits for the end came before it"
            continue
        assert counts, "the example is too short to see a row"
        spare = due_of(tried, spec, rows) - np.array(counts)
        assert spare.min() > -1 + 1e-6, f"row {spare.argmin()} is late"
        if tried.name not in COMPOSITES:  # theirs is the latest of their parts'
            step = max(1.0, tried.spec.rate_hz / spec.rate_hz) if tried.name == "Resample" else 1.0
            assert spare.min() < step, "every row comes before it has to"


@every_case
def test_a_row_depends_on_what_is_stated_and_on_nothing_else(case: str) -> None:
    name, node, rows, spec = case_of(*CASES[case])
    reach_s = node.receptive_field_s(spec)
    if math.isinf(reach_s):
        return  # such a row may depend on all before it: nothing to prove
    reach = round(reach_s * spec.rate_hz)
    rng = np.random.default_rng(5)
    for o, (counts, out) in enumerate(arrivals_of(case)):
        inside = [k for k, end in enumerate(counts) if reach + reach // 20 < end <= len(rows) - 1]
        assert inside, "the example is too short: its rows all lie at an edge"
        k = inside[len(inside) // 2]
        end = counts[k]
        first, margin = end - reach, max(reach // 20, 1)  # towards its ends a window tapers to nothing

        def changes(place: int, o: int = o, want: bytes = out[k].tobytes(), k: int = k) -> bool:
            changed = rows.copy()
            changed[place] = 1000 * np.abs(rng.standard_normal(rows.shape[1:]))
            got = list(by_name(node.open(spec).push(changed)).values())[o]
            return bool(got[k].tobytes() != want)

        outside = {max(first - 1 - margin, 0), first - 1, end, min(end + margin, len(rows) - 1)}
        assert not any(changes(place) for place in outside)
        if name not in COMPOSITES:
            left, right = range(first, first + margin + 1), range(end - 1 - margin, end)
            assert all(
                any(changes(place) for place in edge if first <= place < end) for edge in (left, right)
            )
