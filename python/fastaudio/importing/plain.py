"""A network behind a preset, with labels from a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import ModelError, Node, OnnxModel, Patches, Sigmoid, Softmax, Tags, Unroll, did_you_mean
from fastaudio.importing.fronts import (
    check_order,
    flattened,
    front_of,
    orders,
    require_orders,
    rows_of,
    windowed,
)
from fastaudio.importing.fronts import told as shape_told
from fastaudio.importing.inputs import input_of
from fastaudio.importing.labels import checked, labels_of_metadata, read_labels
from fastaudio.importing.network_file import NetworkFile, read_network
from fastaudio.importing.outputs import output_for, require_output, shape_of, told
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
    inputs: Mapping[str, Any] | None = None,
    state: Mapping[str, str] | None = None,
    window_s: float | None = None,
    hop_s: float | None = None,
    frame_rate_hz: float | None = None,
) -> Pipeline:
    """Return a network behind the front end that it was trained with, as a pipeline.

    If the network gives a row of scores for each frame of a window, so does the pipeline, at their own rate,
    each at its time, and up to the end of the sound, see `Unroll`. If it leaves the length of its windows
    open, these overlap by half, and each frame is from the one in which it lies farther from the edge.

    Rows of several axes become vectors if the network takes as many numbers along one axis.

    Args:
        path: the .onnx file.
        preset: name of the front end in `fastaudio.presets`; "samples" if the network takes sound itself,
            with the option `sample_rate` (and `context` and `last`, see `Patches`).
        labels: names of the scores, or a file with them, see `read_labels`. None takes those in the file's
            metadata; without any, the pipeline gives rows.
        options: of the preset.
        activation: "sigmoid" or "softmax" if the network gives logits; "none" if it gives scores.
        output: name of the network's output; None takes the one with a number for each label.
        layout: order of the network's axes, see `OnnxModel`; None finds it by the sizes.
        inputs: the network's further inputs, each with what it always is: a number, or lists of numbers.
        state: its recurrent inputs, each with the output whose values it takes after a run.
        window_s: length of a window in seconds, for presets that give frames and for "samples"; None takes
            the network's own, or 10 s.
        hop_s: step between windows in seconds; None for the preset's own, or the window's length, or half of
            it for scores of frames.
        frame_rate_hz: rate of the frames that the network scores, if it does; None spreads them evenly.

    Raises:
        ModelError: the network can't be run, doesn't fit the preset, or has no output that fits the labels.
        TypeError: a further input is something else than numbers.
        ValueError: no such preset, option or activation, or a value outside its range.
    """
    text = os.fspath(path)
    activate = activation_of(activation)
    made = front_of(preset, options or {})
    file = read_network(path)
    names, whose = _labels(labels, file, text)
    further: dict[str, Any] = {"inputs": dict(inputs or {}), "state": dict(state or {})}
    rate_hz = made.input_spec.rate_hz if made.input_spec else None
    shape = input_of(file, text, **further, rate_hz=rate_hz)
    front = windowed(preset, made, shape, window_s)
    front = flattened(front, shape, layout)
    network, spec = behind(front, text, preset, shape, layout=layout, **further)
    if output is None:
        n = None if names is None else len(names)
        output = output_for(network, spec, n, subject=text, labels=whose, frames=True)
    network = require_output(network, [output], text)
    (output,) = network.outputs
    scores = shape_of(network, spec)
    frames = names is not None and len(scores) > 1
    if frames:
        last = None if "last" in (options or {}) else "repeat"
        front = windowed(preset, made, shape, window_s, last, overlap=hop_s is None and not state)
    node: Node = front >> network
    if hop_s is not None:
        node = Pipeline(node).with_hop(hop_s).node
    if names is not None and len(names) == 1 and not scores:
        node, scores = node >> Patches(length=1, hop=1), (1,)  # a number as a row of one
    if names is not None:
        require_labels(names, whose, output, scores)
    if frames:
        node = _unrolled(node, front, scores[0], frame_rate_hz)
    elif frame_rate_hz is not None:
        raise ValueError(
            f"{text}: expected a rate of frames (--frame-rate) with labels and an output that has a row for "
            f"each frame, got {told({output: tuple(scores)})}; leave it out"
        )
    if activate is not None:
        node = node >> activate()
    if names is not None:
        node = node >> Tags(names)
    purpose = "score of each label" if names is not None else "what the network gives"
    about = {
        "description": f"A network behind the front end {preset}.",
        "outputs": about_output(output, scores, purpose),
    }
    return Pipeline(node, card=about)


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


def behind(
    front: Node,
    path: str,
    preset: str,
    shape: Shape,
    *,
    layout: str | None = None,
    remedy: str | None = None,
    **further: Any,
) -> tuple[OnnxModel, StreamSpec]:
    """Return a network that takes a front end's patches, and the spec of these; `further` are its options.

    `remedy` is what an error says to do if they don't fit.

    Raises:
        ModelError: it can't be run, or doesn't take them.
    """
    spec = rows_of(front)
    row = tuple(spec.shape)
    if layout is None:
        layout = require_orders(preset, path, row, shape, remedy)[0]
    else:
        check_order(layout, preset, path, row, shape)
    network = OnnxModel(path, layout=layout, **further)
    network.output_specs(spec)
    others = [each for each in orders(preset, row, shape) if each != layout]
    if others:  # it leaves sizes open, so only a run says whether they fit
        try:
            _try(network, row)
        except ModelError as error:
            remedy = remedy or f"name the preset that it was trained with, or another ({_options(others)})"
            raise ModelError(f"{error}; its axes were taken in the order {layout}: {remedy}") from error
    return network, spec


def _try(network: OnnxModel, row: tuple[int, ...]) -> None:
    """Run a network over a row of zeros."""
    network(np.zeros((1, *row), np.float32))


def other_orders(pipeline: Pipeline, preset: str) -> str:
    """Return a sentence if an imported network takes its rows in other orders of axes too; else ""."""
    parts = pipeline.node.parts()
    at = next(i for i, part in enumerate(parts) if isinstance(part, OnnxModel))
    network, spec = parts[at], pipeline.node.input_spec
    assert isinstance(network, OnnxModel)
    assert spec is not None
    for part in parts[:at]:
        (spec,) = part.output_specs(spec).values()
    further: dict[str, Any] = {"inputs": network.inputs, "state": network.state}
    shape = input_of(read_network(network.path), network.path, **further)
    found = []
    for layout in orders(preset, tuple(spec.shape), shape):
        try:
            _try(OnnxModel(network.path, layout=layout, **further), tuple(spec.shape))
        except ModelError:
            continue
        found.append(layout)
    others = [layout for layout in found if layout != network.layout]
    if not others:
        return ""
    return (
        f"the network's input, {shape_told(shape)}, fits in several orders of axes: this is --layout "
        f"{network.layout}, the others are {_options(others)}; compare with the authors' own scores"
    )


def _options(layouts: Sequence[str]) -> str:
    return " or ".join(f"--layout {layout}" for layout in layouts)


def _unrolled(node: Node, front: Node, n_frames: int, rate_hz: float | None) -> Node:
    """Return a network with its rows laid out, those of a window's context left out."""
    last = front.parts()[-1]
    context = 0
    if isinstance(last, Patches) and last.context:
        context = round(n_frames * last.context / (last.context + last.length))
    rows = Unroll(context=context) if rate_hz is None else Unroll(rate_hz=rate_hz, context=context)
    try:
        return node >> rows
    except ValueError as error:
        raise ValueError(f"{error} (--hop, --frame-rate)") from error


def require_labels(names: Sequence[str], whose: str, output: str, shape: Sequence[int]) -> None:
    """Raise a ModelError unless there is a label for each number of an output, or of each of its rows."""
    if tuple(shape[-1:]) == (len(names),) and len(shape) <= 2:  # noqa: PLR2004
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
