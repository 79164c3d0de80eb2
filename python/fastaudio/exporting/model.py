"""The whole graph: its inputs, outputs, states and what it says of itself."""

from __future__ import annotations

import json
import math
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from fastaudio._core import __version__, check_interrupt
from fastaudio._system.text import printable
from fastaudio.exporting import (  # noqa: F401  # each registers its nodes
    bands,
    composites,
    gating,
    levels,
    loudness,
    patches,
    recurrent,
    resampling,
    spectra,
    unrolling,
)
from fastaudio.exporting.graph import OPSET, Graph, Rows, onnx
from fastaudio.exporting.network_file import LARGEST, read
from fastaudio.exporting.networks import networks, opset_of
from fastaudio.exporting.pooling import mean_of
from fastaudio.exporting.refusing import BlockError, refuse, refuse_stream
from fastaudio.exporting.registry import convert
from fastaudio.exporting.sources import licences_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastaudio._core import Node, StreamSpec

INPUT, SCORES, CLIP = "samples", "scores", "clip"
PREFIX = "fastaudio."
_KEPT = ("name", "authors", "source", "citation", "description", "task")
_LONGEST_S = 60


def build(
    node: Node, spec: StreamSpec, *, card: Mapping[str, Any] | None = None, block: int | None = None
) -> Any:
    """Return a node as an ONNX model, from rows of `spec` to all its outputs.

    Args:
        node: what to hold.
        spec: its input, samples [n] or rows [n, ...].
        card: metadata, of which the model keeps the name, the licence and others.
        block: how many rows each run takes, with state in and out; None for a whole signal.

    Raises:
        ExportError: ONNX operators can't compute a node of it, or not on blocks.
    """
    package = onnx()
    opset = max([OPSET, *(opset_of(read(net)) for net in networks(node))])
    graph = Graph(opset=opset, block=block)
    shape = tuple(spec.shape)
    specs = node.output_specs(spec)
    try:
        found = convert(graph, node, Rows(INPUT, spec, shape, n=block))
    except RecursionError:
        refuse("export_onnx", "a composition less deep", "one too deep", "take fewer nodes within nodes")
    check_interrupt()
    outputs, names = [], _output_names(specs)
    for name, rows in zip(names, found, strict=True):
        graph.nodes.append(package.helper.make_node("Identity", [rows.value], [name], name=f"{name}_out"))
        outputs.append(graph.info(name, [rows.n if block is not None else f"n_{name}", *rows.shape]))
    if block is None:
        for name, rows in zip(names, found, strict=True):
            if rows.spec.kind == "scores":
                clip = CLIP if len(names) == 1 else f"{CLIP}.{name}"
                graph.nodes.append(
                    package.helper.make_node("Squeeze", [mean_of(graph, rows), graph.ints(0)], [clip])
                )
                outputs.append(graph.info(clip, list(rows.shape)))
    inputs = [graph.info(INPUT, [block or "n_samples", *shape])]
    for state in graph.states:
        inputs.append(graph.info(state.name, list(state.shape)))
        after = f"next_{state.name}"
        graph.nodes.append(package.helper.make_node("Identity", [state.value], [after], name=f"{after}_out"))
        outputs.append(graph.info(after, list(state.shape)))
    domains = [
        package.helper.make_opsetid(one, version) for one, version in {"": opset, **graph.domains}.items()
    ]
    model = package.helper.make_model(
        graph.proto(inputs, outputs, "fastaudio"),
        opset_imports=domains,
        ir_version=graph.ir_version,
        producer_name="fastaudio",
        producer_version=__version__,
    )
    size = model.ByteSize()
    if size > LARGEST:
        refuse(
            "export_onnx",
            "a graph below 2 GiB, which protobuf can hold",
            f"{size:,} bytes",
            "export a smaller network",
        )
    try:
        package.checker.check_model(model)
    except package.checker.ValidationError as error:
        got = f"{str(error).strip():.300}"
        refuse("export_onnx", "a graph that onnx's checker takes", got, "export what comes before it")
    about = _metadata(dict(zip(names, found, strict=True)), spec, card or {}, block, licences_of(node))
    package.helper.set_model_props(model, about)
    return model


def _output_names(specs: Mapping[str, StreamSpec]) -> list[str]:
    if len(specs) == 1:
        (spec,) = specs.values()
        return [SCORES if spec.kind == "scores" else "rows"]
    for name in specs:
        if name == INPUT or re.match(rf"(next_)?state\d+$|{CLIP}(\.|$)", name):
            refuse(
                "export_onnx", "outputs with names of their own", repr(name), "give that branch another name"
            )
    return list(specs)


def _metadata(
    outputs: dict[str, Rows], spec: StreamSpec, card: Mapping[str, Any], block: int | None, licence: str
) -> dict[str, str]:
    """Return what a page needs to print tags with no other file; JSON wherever it isn't one text."""
    about: dict[str, Any] = {
        "sample_rate": round(spec.rate_hz),
        "channels": spec.shape[0] if len(spec.shape) else 1,
        "outputs": {
            name: {
                "labels": list(rows.spec.labels),
                "unit": rows.spec.unit,
                "shape": list(rows.shape),
                "hop_s": 1 / rows.spec.rate_hz if rows.spec.rate_hz else None,
                "span_s": rows.spec.span_s if math.isfinite(rows.spec.span_s) else None,
                "skip": rows.delay,
            }
            for name, rows in outputs.items()
        },
    }
    if block is not None:
        about["block"] = block
    labels = [rows.spec.labels for rows in outputs.values() if rows.spec.labels]
    words = {key: _words(card[key]) for key in _KEPT if card.get(key)}
    if card.get("licence"):
        words["licence_name"] = _words(card["licence"])
    if licence:
        words["licence"] = printable(licence, lines=True)
    flat = {
        "sample_rate": str(about["sample_rate"]),
        "labels": json.dumps(list(labels[0]) if labels else [], ensure_ascii=False),
        "export": json.dumps(about, ensure_ascii=False),
    }
    return {PREFIX + key: value for key, value in (flat | words).items()}


def _words(value: Any) -> str:
    """Return text as it is, and everything else as JSON."""
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def smallest_block(node: Node, spec: StreamSpec) -> int:
    """Return the fewest samples, of 10 ms or more, from which each run gives as many rows.

    Raises:
        ExportError: a node can't run on blocks, or no block up to a minute fits.
    """
    hops = []
    for name, one in node.output_specs(spec).items():
        if not one.rate_hz:
            refuse_stream("export_onnx", f"{name or 'rows'}: one row at the end of the clip")
        hops.append(Fraction(spec.rate_hz / one.rate_hz).limit_denominator(1 << 20).numerator)
    unit, least = math.lcm(*hops), math.ceil(spec.rate_hz / 100)
    block = unit * -(-least // unit)
    if block > _LONGEST_S * spec.rate_hz:
        expected = f"rows that a whole number of samples up to {_LONGEST_S} s makes"
        got = f"{block / spec.rate_hz:.1f} s"
        refuse("export_onnx", expected, got, "choose a sample rate in a simpler ratio")
    first = refused = _refused(node, spec, block)
    while refused is not None and first is not None:
        row = Fraction(block, refused.n)  # samples
        unit = math.lcm(unit, (row * refused.hop).numerator)
        least = max(block + 1, math.ceil(row * refused.least))
        block = unit * -(-least // unit)
        if block > _LONGEST_S * spec.rate_hz:
            raise first
        refused = _refused(node, spec, block)
    return block


def _refused(node: Node, spec: StreamSpec, block: int) -> BlockError | None:
    """Return why a block has the wrong length, None if it hasn't."""
    try:
        build(node, spec, block=block)
    except BlockError as error:
        return error
    return None
