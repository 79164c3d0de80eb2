"""Embedders: pipelines that give a head its rows, and the tagger made of an embedder and a head."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._core import Mean, OnnxModel, Sequential, StateError, Tags
from fastaudio.cards.packed_file import read_network
from fastaudio.exporting.networks import outputs_of
from fastaudio.heads.export import write_head, write_joined
from fastaudio.pipeline import IsolatedPipeline, Pipeline

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from fastaudio._core import Node
    from fastaudio.heads.classifier import Classifier


def embedder_of(model: str | os.PathLike[str] | Pipeline, layer: str | None) -> Pipeline:
    """Return the pipeline that gives rows for a head.

    Raises:
        ModelError: no such model.
        StateError: the pipeline is isolated.
        ValueError: no such layer, or rows that aren't vectors.
    """
    if isinstance(model, IsolatedPipeline):
        raise StateError(
            "heads.fit: expected a pipeline of this process, got an isolated one; "
            "pass the model's name, or the pipeline that it was made of, and isolate what was trained"
        )
    pipeline = model if isinstance(model, Pipeline) else Pipeline.load(model)
    specs = list(pipeline.output_specs.values())
    if layer is not None or len(specs) != 1 or specs[0].labels:  # a pipeline that gives rows stays as it is
        pipeline = pipeline.layer(layer)
    (spec,) = pipeline.output_specs.values()
    if len(spec.shape) != 1:
        shape = " x ".join(map(str, spec.shape)) or "samples"
        outputs = pipeline.card.get("outputs", {})
        units = {name: outputs.get(name, {}).get("unit") for name in pipeline.layers}
        good = ", ".join(name for name, unit in units.items() if unit == "embedding")
        remedy = f"choose one of {good}" if good else "fa.Concat(node) makes a vector of each row"
        raise ValueError(
            f"heads.fit: expected rows that are vectors, got [{shape}] from {layer_of(pipeline)!r:.80}; "
            f"{remedy}"
        )
    return pipeline


def averaged(embedder: Pipeline) -> Pipeline:
    """Return an embedder that gives one row per clip, the mean over time."""
    (spec,) = embedder.output_specs.values()
    return embedder >> Mean() if spec.rate_hz else embedder


def rows_within(embedder: Pipeline, duration_s: float) -> int:
    """Return the number of rows in a row whose windows lie within that time; at least 1."""
    (spec,) = embedder.output_specs.values()
    if not spec.rate_hz:
        return 1
    return 1 + max(0, int((duration_s - spec.span_s) * spec.rate_hz + 1e-6))


def layer_of(embedder: Pipeline) -> str:
    """Return the name of an embedder's output."""
    return next(iter(embedder.output_specs)) or "rows"


def tagger_of(
    embedder: Pipeline, classifier: Classifier, labels: Sequence[str], card: dict[str, Any]
) -> Pipeline:
    """Return the embedder with the head behind it, giving tags.

    If the embedder ends with a network, the head is joined to it in one file; else the head is a separate
    network. The files lie in a temporary folder until the process ends; `Pipeline.save` copies them.
    """
    folder = Path(tempfile.mkdtemp(prefix="fastaudio-head-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    parts = embedder.node.parts()
    net = parts[-1]
    if isinstance(net, OnnxModel):
        path = folder / "model.onnx"
        layer = outputs_of(net)[0]
        content = read_network(net.path, net.sha256)
        for name, sha256 in net.external.items():
            beside = folder / name
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(read_network(net.path, sha256, name))
        output = write_joined(content, layer, classifier, path)
        anew = ("node", "sha256", "external")  # the joined file's own
        kept = {key: value for key, value in net.to_dict().items() if key not in anew}
        del parts[-1]
    else:
        path, kept = folder / "head.onnx", {}
        output = write_head(classifier, path)
    head = OnnxModel(**(kept | {"path": str(path), "outputs": [output], "units": ["probability"]}))
    node = Sequential([*parts, head, Tags(list(labels))])
    return Pipeline(
        node, channel=embedder.channel, quality=embedder.quality, silence_db=embedder.silence_db, card=card
    )


def head_alone(classifier: Classifier) -> OnnxModel:
    """Return the head as a node that takes rows."""
    with tempfile.TemporaryDirectory(prefix="fastaudio-head-") as folder:
        path = Path(folder) / "head.onnx"
        return OnnxModel(str(path), outputs=[write_head(classifier, path)])


def _networks(node: Node) -> Iterator[OnnxModel]:
    if isinstance(node, OnnxModel):
        yield node
    for child in node.children():
        yield from _networks(child)


def licence_of(embedder: Pipeline) -> Path | None:
    """Return the licence that lies beside one of the embedder's networks, if any; no link to elsewhere."""
    beside = [Path(net.path).parent / "LICENSE" for net in _networks(embedder.node)]
    inside = [path for path in beside if path.resolve().is_relative_to(path.parent.resolve())]
    return next((path for path in inside if path.is_file()), None)
