"""A network behind a preset, with labels from a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError, Node, OnnxModel, Sigmoid, Softmax, Tags, did_you_mean
from fastaudio.importing.fronts import front_of, require_layout, rows_of, windowed
from fastaudio.importing.labels import checked, labels_of_metadata, read_labels
from fastaudio.importing.network_file import NetworkFile, read_network
from fastaudio.importing.outputs import output_for, require_output, shapes_of, told
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastaudio._core import StreamSpec
    from fastaudio.importing.network_file import Shape

ACTIVATIONS: dict[str, type[Node] | None] = {"none": None, "sigmoid": Sigmoid, "softmax": Softmax}
"""What turns a network's numbers into scores: nothing, or a node."""


def from_onnx(
    path: str | os.PathLike[str],
    preset: str,
    *,
    labels: str | os.PathLike[str] | Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    activation: str = "none",
    output: str | None = None,
    layout: str | None = None,
    window_s: float | None = None,
    hop_s: float | None = None,
) -> Pipeline:
    """Return a network behind the front end that it was trained with, as a pipeline.

    Args:
        path: the .onnx file.
        preset: name of the front end in `fastaudio.presets`; "samples" if the network takes sound itself,
            with the option `sample_rate`.
        labels: names of the scores, or a file with them, see `read_labels`. None takes those in the file's
            metadata; without any, the pipeline gives rows.
        options: of the preset.
        activation: "sigmoid" or "softmax" if the network gives logits; "none" if it gives scores.
        output: name of the network's output; None takes the one with a number for each label.
        layout: order of the network's axes, see `OnnxModel`; None finds it by the sizes.
        window_s: length of a window in seconds, for presets that give frames and for "samples"; None takes
            the network's own, or 10 s.
        hop_s: step between windows in seconds; None for the preset's own, or the window's length.

    Raises:
        ModelError: the network can't be run, doesn't fit the preset, or has no output that fits the labels.
        ValueError: no such preset, option or activation, or a value outside its range.
    """
    text = os.fspath(path)
    activate = activation_of(activation)
    front = front_of(preset, options or {})
    file = read_network(path)
    names, whose = _labels(labels, file, text)
    front = windowed(preset, front, input_of(file, text), window_s)
    network, spec = behind(front, text, preset, input_of(file, text), layout)
    if output is None:
        output = output_for(network, spec, None if names is None else len(names), subject=text, labels=whose)
    network = require_output(network, [output], text)
    (output,) = network.outputs
    shape = shapes_of(network, spec).get(output, ())
    node = front >> network
    if activate is not None:
        node = node >> activate()
    if names is not None:
        require_labels(names, whose, output, shape)
        node = node >> Tags(names)
    purpose = "score of each label" if names is not None else "what the network gives"
    about = {
        "description": f"A network behind the front end {preset}.",
        "outputs": about_output(output, shape, purpose),
    }
    pipeline = Pipeline(node, card=about)
    return pipeline if hop_s is None else pipeline.with_hop(hop_s)


def activation_of(name: str) -> type[Node] | None:
    """Return the node that turns numbers into scores, or None.

    Raises:
        ValueError: there is no such activation.
    """
    if name not in ACTIVATIONS:
        guess = did_you_mean(str(name), list(ACTIVATIONS))
        raise ValueError(f"activation: expected one of {', '.join(ACTIVATIONS)}, got {name!r:.80}{guess}")
    return ACTIVATIONS[name]


def about_output(name: str, shape: Sequence[int], purpose: str, unit: str = "") -> dict[str, Any]:
    """Return what a card says of an output."""
    return {name: {"purpose": purpose, "unit": unit, "shape": list(shape)}}


def input_of(file: NetworkFile, path: str) -> Shape:
    """Return the shape of the input that takes the rows: the one with most axes, the first of several.

    Raises:
        ModelError: it is a single number, or its shape isn't stated.
    """
    shape = max(file.inputs.values(), key=len)
    if not shape:
        raise ModelError(
            f"{path}: expected an input of rows, got {next(iter(file.inputs))!r} without axes; export the "
            "network with a batch axis"
        )
    return shape


def behind(
    front: Node, path: str, preset: str, shape: Shape, layout: str | None = None
) -> tuple[OnnxModel, StreamSpec]:
    """Return a network that takes a front end's patches, and the spec of these.

    Raises:
        ModelError: it can't be run, or doesn't take them.
    """
    spec = rows_of(front)
    if layout is None:
        layout = require_layout(preset, path, tuple(spec.shape), shape)
    network = OnnxModel(path, layout=layout)
    network.output_specs(spec)
    return network, spec


def require_labels(names: Sequence[str], whose: str, output: str, shape: Sequence[int]) -> None:
    """Raise a ModelError unless there is a label for each number of an output."""
    if tuple(shape) == (len(names),):
        return
    raise ModelError(
        f"{whose}: expected a label for each number of the output {told({output: tuple(shape)})}, got "
        f"{len(names)}; give the labels that belong to this network, or another output"
    )


def _labels(
    labels: str | os.PathLike[str] | Sequence[str] | None, file: NetworkFile, path: str
) -> tuple[list[str] | None, str]:
    """Return labels, and where they are from."""
    if labels is None:
        return labels_of_metadata(file.metadata, path), f"the metadata of {Path(path).name}"
    if isinstance(labels, str | os.PathLike):
        return read_labels(labels), os.fspath(labels)
    return checked(list(labels), "labels"), "the labels"
