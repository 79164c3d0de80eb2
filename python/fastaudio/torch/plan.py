"""What is to be exported: the module with its front end, labels and outputs, and what it gives for sounds."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fastaudio._core import ModelError, Node, Tags
from fastaudio._system.text import listed
from fastaudio.cards.trained import check_weights
from fastaudio.composition import Composition
from fastaudio.pipeline import Pipeline
from fastaudio.tags import IN_RANGE
from fastaudio.torch import graph
from fastaudio.torch.module import arranged, check_layout, near, run, takes_batches
from fastaudio.torch.outputs import activated, names_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fastaudio.torch.checking import Sound

    Outputs = Mapping[str, NDArray[np.float32]]

_EXAMPLE_ROWS = 2
_REPEATED_ROWS = 8  # few numbers may be drawn the same twice
_IMAGES = ("ntf", "n1tf", "n1ft", "nft")  # what networks take of frames and bands
_WAVES = ("nt", "n1t", "nt1")  # and of samples
_ACTIVATIONS = ("sigmoid", "softmax")
_LEAST_OPSET, _LARGEST_OPSET = 9, 25


@dataclass(frozen=True)
class Plan:
    """A module, and all that its model needs.

    Attributes:
        net: the module, at rest.
        front: the pipeline from sound to its rows.
        sounds: what it is compared on.
        rows: of each sound.
        wanted: what the module gives for each sound, by output.
        names: of the outputs, in the module's order.
        last: index of the output that ends the pipeline.
        labels: of that output; None if it has none.
        activation: what is added to that output.
        layout: order of the module's axes, as `OnnxModel` takes it.
        batches: whether the module takes several rows at once.
    """

    net: torch.nn.Module
    front: Pipeline
    sounds: list[Sound]
    rows: list[NDArray[np.float32]]
    wanted: list[Outputs]
    names: list[str]
    last: int
    labels: list[str] | None
    activation: str | None
    layout: str
    batches: bool

    @property
    def example(self) -> torch.Tensor:
        """Rows as the module takes them."""
        rows = np.concatenate(self.rows)[:_EXAMPLE_ROWS]
        return arranged(rows, check_layout(self.layout, rows.shape[1:]))

    @property
    def unit(self) -> str:
        """What the numbers of the last output are."""
        scores = self.labels is not None or self.activation is not None
        return "probability" if scores else "embedding"

    def about(self) -> dict[str, Any]:
        """Return what a card says of the module."""
        kind = type(self.net).__name__
        first = self.wanted[0]
        described: dict[str, Any] = {name: {"shape": list(first[name].shape[1:])} for name in self.names}
        purpose = "score of each label" if self.labels is not None else "what the module gives"
        described[self.names[self.last]] |= {"purpose": purpose, "unit": self.unit}
        return {
            "description": f"{kind}, a module of PyTorch.",
            "outputs": described,
            "parameters": sum(weights.numel() for weights in self.net.parameters()),
        }


def check_arguments(*, tolerance: Any, opset: Any, exporter: Any, activation: Any, card: Any) -> None:
    """Raise TypeError, ValueError or ModelError for arguments that don't depend on the module."""
    try:
        json.dumps(dict(card))
    except (TypeError, ValueError) as error:
        raise TypeError(f"export: expected card as a dict of what JSON holds, got {card!r:.80}") from error
    check_weights(card, "export: card")
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float):
        raise TypeError(f"export: expected tolerance as a float, got {tolerance!r:.80}")
    if not 0 <= tolerance < np.inf:
        raise ValueError(f"export: expected tolerance of 0 or above, got {tolerance}")
    if isinstance(opset, bool) or not isinstance(opset, int):
        raise TypeError(f"export: expected opset as an int, got {opset!r:.80}")
    if not _LEAST_OPSET <= opset <= _LARGEST_OPSET:
        raise ValueError(f"export: expected opset in [{_LEAST_OPSET}, {_LARGEST_OPSET}], got {opset}")
    for name, value, known in (
        ("exporter", exporter, graph.EXPORTERS),
        ("activation", activation, _ACTIVATIONS),
    ):
        if value is not None and value not in known:
            raise ValueError(
                f"export: expected {name} as {known[0]!r}, {known[1]!r} or None, got {value!r:.80}"
            )


def front_pipeline(front: Any) -> Pipeline:
    """Return the pipeline from sound to a front end's rows.

    Raises:
        TypeError: it isn't a node.
        ValueError: it states no sample rate, or gives several outputs.
    """
    if not isinstance(front, Node):
        remedy = (
            "front.node"
            if isinstance(front, Composition)
            else (
                "Resample(input_rate=16_000, output_rate=16_000) >> Patches(length=16_000) gives windows of "
                "the waveform at 16 kHz"
            )
        )
        raise TypeError(f"export: expected front as a node, got {type(front).__name__}; {remedy}")
    if front.input_spec is None:
        raise ValueError(
            f"export: expected a front end whose first node states its sample rate, got {front!r:.80}; start "
            "with Resample(input_rate=16_000, output_rate=16_000), at the rate that the module is for"
        )
    pipeline = Pipeline(front, silence_db=None)
    if len(pipeline.output_specs) != 1:
        names = ", ".join(pipeline.output_specs)
        raise ValueError(f"export: expected a front end with one output, got {names}; join them by Concat")
    return pipeline


def make_plan(
    net: torch.nn.Module,
    front: Pipeline,
    sounds: list[Sound],
    *,
    labels: Sequence[str] | None,
    activation: str | None,
    layout: str,
    outputs: Sequence[str] | None,
    output: str | None,
) -> Plan:
    """Run the module over the sounds, and find what its model needs.

    Raises:
        ModelError: the module doesn't fit.
        TypeError, ValueError: an argument of a wrong type, or outside its range.
    """
    if labels is not None:
        if isinstance(labels, str):
            raise TypeError(f"export: expected labels as a list of names, got the str {labels!r:.80}")
        labels = Tags(list(labels)).labels  # which refuses what are none
    (spec,) = front.output_specs.values()
    axes = check_layout(layout, spec.shape)
    rows = [sound.rows(front) for sound in sounds]
    try:
        given = [run(net, some, axes) for some in rows]
    except ModelError as error:
        raise ModelError(f"{error}{_other_layouts(net, rows[0], layout)}") from error
    _require_repeatable(net, np.concatenate(rows)[:_REPEATED_ROWS], axes)
    names = names_of(list(given[0]), outputs, labelled=labels is not None)
    if output is not None and output not in names:
        raise ValueError(f"export: expected output as one of {listed(names)}, got {output!r:.80}")
    last = 0 if output is None else names.index(output)
    kept = [not sound.optional or _finite(one) for sound, one in zip(sounds, given, strict=True)]
    sounds = [*itertools.compress(sounds, kept)]
    rows = [*itertools.compress(rows, kept)]
    given = [*itertools.compress(given, kept)]
    wanted = [dict(zip(names, one.values(), strict=True)) for one in given if one]
    _require_finite(wanted)
    _require_labels(names[last], wanted[0][names[last]], labels)
    for one in wanted:
        one[names[last]] = activated(torch.from_numpy(one[names[last]]), activation).numpy()
    if labels is not None:
        _require_scores(names[last], [one[names[last]] for one in wanted])
    heard = [sound for sound, one in zip(sounds, given, strict=True) if one]
    filled = [some for some in rows if len(some)]
    batches = takes_batches(net, np.concatenate(filled)[:_EXAMPLE_ROWS], axes)
    return Plan(net, front, heard, filled, list(wanted), names, last, labels, activation, layout, batches)


def _other_layouts(net: torch.nn.Module, rows: NDArray[np.float32], layout: str) -> str:
    """Return a remedy that names the orders of axes in which the module runs."""
    tried = {2: _WAVES, 3: _IMAGES}.get(rows.ndim, ())
    fit = []
    for other in tried:
        try:
            run(net, rows[:1], other)
        except ModelError:
            continue
        fit.append(repr(other))
    if not fit or layout in tried:
        return "" if not fit else f"; it takes layout={' or '.join(fit)}"
    return f"; it takes layout={' or '.join(fit)}: choose the one that it was trained with"


def _require_repeatable(net: torch.nn.Module, rows: NDArray[np.float32], axes: str) -> None:
    once, again = run(net, rows, axes), run(net, rows, axes)
    for name in once:
        if not near(again[name], once[name], 1e-6) and np.isfinite(once[name]).all():
            raise ModelError(
                "export: expected the same numbers from one row each time, got others in eval mode; make "
                "what is drawn at random depend on the mode: functional.dropout(x, training=self.training)"
            )


def _finite(one: Outputs) -> bool:
    return all(bool(np.isfinite(values).all()) for values in one.values())


def _require_finite(wanted: Sequence[Outputs]) -> None:
    for name, values in itertools.chain.from_iterable(one.items() for one in wanted):
        if not np.isfinite(values).all():
            raise ModelError(
                f"export: expected finite numbers from the module, got others in output {name!r}"
            )


def _require_labels(name: str, values: NDArray[np.float32], labels: Sequence[str] | None) -> None:
    if labels is not None and values.shape[1:] != (len(labels),):
        remedy = "name another output by output=, or let the module pool over time"
        if values.ndim == 2:  # noqa: PLR2004
            remedy = "give one label for each"
        elif values.ndim == 3 and values.shape[2] == len(labels):  # noqa: PLR2004
            remedy = (
                "for scores of frames leave out labels, and give them to the frames: "
                "Pipeline(made.pipeline.node >> Unroll() >> Tags(labels)).save(...)"
            )
        raise ValueError(
            f"export: expected output {name!r} of [n, {len(labels)}] for {len(labels)} labels, got "
            f"{['n', *values.shape[1:]]}; {remedy}".replace("'n'", "n")
        )


def _require_scores(name: str, values: Sequence[NDArray[np.float32]]) -> None:
    low, high = min(float(one.min()) for one in values), max(float(one.max()) for one in values)
    if low < IN_RANGE[0] or high > IN_RANGE[1]:
        raise ModelError(
            f"export: expected scores in [0, 1] for labels, got {low:.3g} to {high:.3g} in output {name!r}, "
            "as of logits; add activation='sigmoid' if each label is judged by itself, or 'softmax' if one "
            "of them is right"
        )
