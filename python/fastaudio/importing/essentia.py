"""Essentia's models: an embedding network and a head, or a network alone, with the JSON beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio import cards
from fastaudio._core import ModelError, OnnxModel, Tags
from fastaudio.importing.fronts import fits, front_of, layouts, rows_of, told, windowed
from fastaudio.importing.inputs import input_of
from fastaudio.importing.metadata import EssentiaModel, card_of, read_essentia
from fastaudio.importing.network_file import read_network
from fastaudio.importing.outputs import output_for, require_output, shape_of, spelled_alike, with_output
from fastaudio.importing.plain import about_output, activation_of, behind, require_labels
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    from fastaudio._core import Node, StreamSpec

FRONTS = {
    "TensorflowPredictMusiCNN": "musicnn_essentia",
    "TensorflowPredictVGGish": "vggish_essentia",
    "TensorflowPredictEffnetDiscogs": "effnet_discogs",
    "TensorflowPredictMAEST": "maest",
    "TensorflowPredictTempoCNN": "tempocnn",
    "TempoCNN": "tempocnn",
    "TensorflowPredictFSDSINet": "fsd_sinet",
    "TensorflowPredictCREPE": "crepe",
    "PitchCREPE": "crepe",
}
"""The preset that is the input of each algorithm."""

_EMBEDDINGS = {
    "TensorflowPredictMusiCNN": ("model/dense/BiasAdd", "dense"),
    "TensorflowPredictVGGish": ("model/vggish/embeddings", "embeddings"),
    "TensorflowPredictEffnetDiscogs": ("PartitionedCall:1", "embeddings"),
    "TensorflowPredictMAEST": ("embeddings",),
    "TensorflowPredictFSDSINet": ("model/global_max_pooling1d/Max",),
}
_BEFORE_RELU = "TensorflowPredictMusiCNN"
_SHIPPED = {"msd-musicnn-1": "musicnn-msd", "mtt-musicnn-1": "musicnn-mtt"}
EMBEDDERS = tuple(_SHIPPED.values())
"""Models of the package whose networks may come before a head."""

_OTHER = {
    False: "name the front end itself (--preset, from_onnx)",
    True: "put both networks into one .onnx file, and name its front end (--preset, from_onnx)",
}
_ORDER = "name the embedding network first and the head last, or another embedding network"
_PROBABILITIES = ("sigmoid", "softmax")


def from_essentia(
    *networks: str | os.PathLike[str],
    metadata: str | os.PathLike[str],
    embedding_metadata: str | os.PathLike[str] | None = None,
    output: str | None = None,
    embedding: str | None = None,
    activation: str = "none",
    hop_s: float | None = None,
) -> Pipeline:
    """Return a model of Essentia as a pipeline: its front end, the networks, and its classes as labels.

    What the JSON calls a regression gives values, such as valence and arousal from 1 to 9, and no scores: the
    pipeline gives rows of them, in the order of the classes, which the card names.

    Args:
        networks: a network that takes patches; or an embedding network and a head, in this order. For a head
            on MusiCNN, "musicnn-msd" or "musicnn-mtt" names the network that comes with the package, and is
            taken if the head comes alone and its JSON says that it needs it.
        metadata: the JSON of the last network.
        embedding_metadata: the JSON of the embedding network, if its output has an unusual name.
        output: name of the last network's output; None takes the one that the JSON calls predictions.
        embedding: name of the embedding network's output; None takes Essentia's. For MusiCNN that is
            `model/dense/BiasAdd`, before the ReLU: a head on what comes after it runs, and is wrong.
        activation: "sigmoid" or "softmax" if the last network gives logits; "none" if it gives scores, or
            the values of a regression.
        hop_s: step between windows in seconds; None for Essentia's.

    Raises:
        ModelError: a file can't be read, no front end is known, or the parts don't fit.
        ValueError: another number of networks, no such activation, or a step outside its range.
    """
    activate = activation_of(activation)
    model = read_essentia(metadata)
    algorithm = model.embedder if model.is_head else model.algorithm
    if algorithm not in FRONTS:
        known = ", ".join(sorted({*FRONTS, "TensorflowPredict2D"}))
        raise ModelError(
            f"{model.path}: expected an algorithm with a known front end ({known}), got "
            f"{algorithm or 'none for the embedding'!r:.80}; {_OTHER[model.is_head]}"
        )
    files = _files(model, [os.fspath(network) for network in networks])
    preset, first = FRONTS[algorithm], read_network(files[0])
    shape = input_of(first, files[0])
    options = {}
    if preset == "maest" and len(shape) > 1 and isinstance(length := shape[-2], int) and length > 0:
        options = {"length": length, "hop": max(1, length - 1)}
    front = windowed(preset, front_of(preset, options), shape)
    rate_hz = front.input_spec.rate_hz if front.input_spec else None
    if model.sample_rate not in (None, rate_hz):
        raise ModelError(
            f"{model.path}: expected a sample_rate of {rate_hz:g} Hz, which {algorithm} takes, got "
            f"{model.sample_rate:g}; {_OTHER[model.is_head]}"
        )
    remedy = _ORDER if model.is_head else _OTHER[False]
    network, spec = behind(front, files[0], preset, shape, remedy=remedy)
    if model.is_head:
        about = None if embedding_metadata is None else read_essentia(embedding_metadata)
        width = _width(files[1])
        chosen = _embedding(network, spec, model, width=width, about=about, chosen=embedding)
        front = front >> chosen
        network, spec = _head(front, files[1])
    last = _predictions(network, spec, model, output)
    (name,) = last.outputs
    row = shape_of(last, spec)
    unit = _unit(model, name)
    if unit:
        last = OnnxModel(last.path, outputs=[name], units=[unit], layout=last.layout)
    node: Node = front >> last
    if activate is not None:
        node = node >> activate()
    purpose, plain_unit = "embedding", "embedding"
    if model.classes:
        require_labels(model.classes, model.path, name, row)
        purpose, plain_unit = "score of each label", ""
    if model.is_regression and activate is None:
        purpose = f"values of {', '.join(model.classes) or 'a regression'}, in this order"
    elif model.classes:
        node = node >> Tags(list(model.classes))
    outputs = about_output(name, row, purpose, unit or plain_unit)
    pipeline = Pipeline(node, card=card_of(model) | {"outputs": outputs})
    return pipeline if hop_s is None else pipeline.with_hop(hop_s)


def _files(model: EssentiaModel, networks: list[str]) -> list[str]:
    """Return the files of the networks, those that come with the package by their names."""
    wanted = 2 if model.is_head else 1
    shipped = _SHIPPED.get(model.embedder_name)
    if model.is_head and len(networks) == 1 and shipped:
        networks = [shipped, *networks]
    if len(networks) != wanted:
        what = (
            f"the embedding network {model.embedder_name or model.embedder} and the head"
            if wanted > 1
            else "one"
        )
        got = f"{len(networks)} .onnx files" if len(networks) != 1 else "one .onnx file"
        raise ValueError(f"{model.path}: expected {what}, got {got}; name each file once, the head last")
    named = [name for name in networks if name in cards.models() and not Path(name).is_file()]
    for name in named:
        if not model.is_head or name != networks[0] or name not in EMBEDDERS:
            raise ModelError(
                f"{model.path}: expected networks as .onnx files, before a head also "
                f"{' or '.join(EMBEDDERS)}, got {name!r:.80}; name the network's file"
            )
    if named:
        if shipped and networks[0] != shipped:
            raise ModelError(
                f"{model.path}: expected an embedding of {model.embedder_name}, got {networks[0]}; "
                f"name {shipped}"
            )
        networks = [str(cards.MODELS / networks[0] / "model.onnx"), networks[1]]
    return networks


def _width(path: str) -> int | None:
    """Return how many numbers a head takes, if its file states it."""
    size = input_of(read_network(path), path)[-1]
    return size if isinstance(size, int) else None


def _embedding(
    network: OnnxModel,
    spec: StreamSpec,
    model: EssentiaModel,
    *,
    width: int | None,
    about: EssentiaModel | None,
    chosen: str | None,
) -> OnnxModel:
    """Return the embedding network with the output that the head takes."""
    path = network.path
    if chosen is not None:
        return require_output(network, [chosen], path)
    stated = [output.name for output in about.named("embeddings")] if about else []
    names = [*stated, *_EMBEDDINGS.get(model.embedder, ())]
    for name in names:
        found = with_output(network, name)
        if found is not None:
            return found
    have = ", ".join(network.available_outputs[:12])
    if model.embedder == _BEFORE_RELU:
        raise ModelError(
            f"{path}: expected the output model/dense/BiasAdd, which is before the ReLU, got {have}; "
            "Essentia's heads on MusiCNN give wrong scores on what comes after it: export that tensor too, "
            "or name the output that holds it (--embedding)"
        )
    if width is None:
        raise ModelError(
            f"{path}: expected an output named {' or '.join(names)}, got {have}; choose one (--embedding)"
        )
    name = output_for(
        network, spec, width, subject=path, labels=f"what {Path(model.path).name} takes", option="--embedding"
    )
    return network[name]


def _head(front: Node, path: str) -> tuple[OnnxModel, StreamSpec]:
    """Return a head that takes what comes before it, and the spec of that."""
    spec = rows_of(front)
    shape, row = input_of(read_network(path), path), tuple(spec.shape)
    fitting = [order for order in layouts("", len(shape), len(row)) if fits(order, row, shape)]
    if not fitting:
        raise ModelError(
            f"{path}: expected a head that takes {told(row)} numbers, as the embedding network gives them, "
            f"got one for {told(shape)}; name the network that this head was trained on, or its output "
            "(--embedding)"
        )
    network = OnnxModel(path, layout=fitting[0])
    network.output_specs(spec)
    return network, spec


def _predictions(network: OnnxModel, spec: StreamSpec, model: EssentiaModel, chosen: str | None) -> OnnxModel:
    """Return the last network with the output that the JSON means."""
    if chosen is not None:
        return require_output(network, [chosen], network.path)
    purposes = ("predictions",) if model.classes else ("embeddings", "predictions")
    for output in (output for purpose in purposes for output in model.named(purpose)):
        found = with_output(network, output.name)
        if found is not None:
            return found
    n = len(model.classes) or None
    return network[output_for(network, spec, n, subject=network.path, labels=f"the classes in {model.path}")]


def _unit(model: EssentiaModel, name: str) -> str:
    """Return "probability" if the JSON says that an output ends in a sigmoid or softmax."""
    known = [output for output in model.outputs if spelled_alike(output.name, [name])]
    for output in known or (model.named("predictions") if model.classes else []):  # converters rename outputs
        ends: Any = f"{output.op} {output.name.rpartition('/')[2]}".lower()
        return "probability" if any(kind in ends for kind in _PROBABILITIES) else ""
    return ""
