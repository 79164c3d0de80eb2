"""Options of all nodes, in chains that fit: a signal gives the same bits whole, in pieces, and on threads.

What comes out is finite, a node equals the one that its card builds, and one that is refused says why.
"""

from __future__ import annotations

import json
import math
import pickle
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from drawn_nodes import PLAIN, build, options, tree
from harness import Fuzzer
from helpers import assert_same_bits, by_name, in_chunks

if TYPE_CHECKING:
    import random
    from pathlib import Path

SAMPLES = ["MelSpectrogram", "Spectrogram", "HarmonicSpectrogram", "RMS", "ZeroCrossingRate", "Resample"]
SPECTRAL = [
    "Chroma",
    "SpectralBandwidth",
    "SpectralCentroid",
    "SpectralContrast",
    "SpectralRolloff",
    "SpectralFlatness",
]
MOST_VALUES = 3e6
BUDGET = fa.Budget()
MOST_LABELS = 10_000
SIGNALS = ["noise", "noise", "noise", "loud", "quiet", "zeros", "constant", "positive", "impulse"]


def signal(kind: str, n: int, shape: list[int], seed: int) -> np.ndarray:
    """Return rows of a drawn kind."""
    rows = np.random.default_rng(seed).uniform(-1, 1, (n, *shape)).astype(np.float32)
    if kind == "impulse":
        return np.where(rows > 0.98, rows, 0).astype(np.float32)
    factor = {"loud": 30_000, "quiet": 1e-30, "zeros": 0}.get(kind, 1)
    if kind == "constant":
        return np.full_like(rows, 0.25)
    return np.abs(rows) if kind == "positive" else (rows * np.float32(factor))


class Options(Fuzzer):
    """Options come from cards and from users: the laws over all nodes hold for all of them."""

    name = "options"
    gate_runs = 1600

    def draw(self, rng: random.Random) -> bytes:
        most = rng.choice([64, 600, 3000])
        nodes: list[dict[str, Any]] = []
        if rng.random() < 0.6:
            shape: list[int] = []
            spec = {"rate_hz": rng.choice([8000, 16_000, 22_050]), "shape": shape}
            name = rng.choice(SAMPLES)
            nodes.append({"node": name, **options(name, rng, most=most)})
        else:
            shape = rng.choice([[1], [3], [20], [65], [65], [65], [4, 3]])
            spec = {"rate_hz": rng.choice([100, 31.25, 44_100 / 1024]), "shape": shape, "unit": ""}
            spec["bin_hz"] = 125.0 if shape == [65] else 0.0
        n = rng.choice([0, 1, 17, 400, 400, 6000 if not shape else 900])
        for _ in range(rng.choice([0, 1, 1, 2, 3])):
            behind = _shape(nodes, spec)  # once: what is there already may take a while to build
            for _ in range(6):  # most nodes don't fit behind most others, and to build them all takes a while
                part = _part(rng, nodes, spec, behind, most)
                if _fits([*nodes, part], spec, n):
                    nodes.append(part)
                    break
        cuts = sorted(rng.randint(0, n) for _ in range(rng.choice([1, 3, 20])))
        run = {"n": n, "signal": rng.choice(SIGNALS), "seed": rng.randrange(1 << 30), "cuts": cuts}
        return json.dumps({"nodes": nodes, "spec": spec, **run, "threads": rng.choice([2, 3, 5])}).encode()

    def check(self, content: bytes, folder: Path) -> None:
        data = json.loads(content)
        try:
            node, spec = _open(data["nodes"], data["spec"])
        except (ValueError, TypeError, fa.BudgetError) as error:
            assert "expected" in str(error), f"expected an error that says what was expected, got {error}"
            return
        if not _affordable(node, spec, data["n"]):
            return
        rows = signal(data["signal"], data["n"], data["spec"]["shape"], data["seed"])
        try:
            whole = in_chunks(node, rows, (), spec)
        except ValueError as error:
            assert "expected" in str(error), f"expected an error that says what was expected, got {error}"
            return
        assert_same_bits(in_chunks(node, rows, data["cuts"], spec), whole)
        if node.input_spec is not None:
            assert_same_bits(by_name(node(rows, threads=data["threads"])), whole)
        for stated, one in zip(node.output_specs(spec).values(), whole.values(), strict=True):
            assert _may_overflow(data) or np.isfinite(one).all(), "expected finite rows, got others"
            assert one.shape[1:] == stated.shape
        assert build(node.to_dict()) == node
        assert pickle.loads(pickle.dumps(node)) == node  # noqa: S301
        repr(node)
        node.diagram(spec)
        assert node.receptive_field_s(spec) >= 0 or math.isinf(node.receptive_field_s(spec))


def _may_overflow(data: dict[str, Any]) -> bool:
    """Whether powers of far too loud sound are asked for, which float32 doesn't hold."""
    text = json.dumps(data["nodes"])
    return data["signal"] == "loud" or '"power": 10' in text or '"sample_scale": 1000000' in text


def _shape(nodes: list[dict[str, Any]], spec: dict[str, Any]) -> tuple[int, ...]:
    """Return the shape of the rows that nodes give; the input's if they aren't built."""
    try:
        node, given = _open(nodes, spec)
        return tuple(list(node.output_specs(given).values())[-1].shape)
    except (ValueError, TypeError, fa.BudgetError):
        return tuple(spec["shape"])


def _part(
    rng: random.Random, nodes: list[dict[str, Any]], spec: dict[str, Any], shape: tuple[int, ...], most: float
) -> dict[str, Any]:
    """Return a node that may come next; what has to fit rows of that shape does."""
    if rng.random() < 0.15:
        return tree(rng, 1, most=most)
    name = rng.choice([*PLAIN, "Tags", "Similarity"])
    if nodes and nodes[-1]["node"] == "Tags" and rng.random() < 0.7:
        name = "Events"
    elif not nodes and spec.get("bin_hz") and rng.random() < 0.5:
        name = rng.choice(SPECTRAL)
    part = {"node": name, **options(name, rng, most=most, share=rng.choice([0.0, 0.2, 0.5]))}
    if name == "Tags":
        n = math.prod(shape)
        part["labels"] = [f"tag {i}" for i in range(n if n < MOST_LABELS else 1)]
    elif name == "Similarity":
        n = len(part["labels"]) * math.prod(shape)
        part["bank"] = [rng.uniform(-1, 1) for _ in range(n)] if n < 500 else [1.0]
    elif name == "Mono":
        part["channels"] = shape[-1] if shape else 2
    return part


def _open(nodes: list[dict[str, Any]], spec: dict[str, Any]) -> tuple[fa.Node, fa.StreamSpec]:
    """Return a node and its input; BudgetError if it holds more than a card may ask for."""

    def opened() -> tuple[fa.Node, fa.StreamSpec]:
        node = build({"node": "Sequential", "nodes": nodes})
        given = node.input_spec or fa.StreamSpec(**spec)
        node.open(given)
        return node, given

    return BUDGET.within(opened)


def _affordable(node: fa.Node, spec: fa.StreamSpec, n: int) -> bool:
    """Whether no part of a chain gives more values than are soon computed."""
    n = max(n, 1)  # padding makes a patch of nothing
    for part in [node] if not hasattr(node, "nodes") else node.nodes:
        outputs = part.output_specs(spec)
        values = sum(
            n * max(one.rate_hz / max(spec.rate_hz, 1e-9), 1 / n) * math.prod(one.shape)
            for one in outputs.values()
        )
        if not values < MOST_VALUES:
            return False
        n = round(n * max(1.0, max(one.rate_hz for one in outputs.values()) / max(spec.rate_hz, 1e-9)))
        if len(outputs) == 1:
            spec = next(iter(outputs.values()))
    return True


def _fits(nodes: list[dict[str, Any]], spec: dict[str, Any], n: int) -> bool:
    try:
        node, given = _open(nodes, spec)
    except (ValueError, TypeError, fa.BudgetError):
        return False
    return _affordable(node, given, n)
