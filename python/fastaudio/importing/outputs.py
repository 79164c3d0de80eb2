"""Which output of a network is meant: the scores, or an embedding that a head takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio._core import ModelError, OnnxModel, StreamSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SCORES = (
    *("predictions", "activations", "probabilities", "probs", "prob", "scores", "clipwise_output", "taggram"),
    *("output", "logits"),
)
_SHOWN = 12


def spelled_alike(name: str, known: Iterable[str]) -> str | None:
    """Return the name in `known` that is `name`, as converters from TensorFlow spell it, or None.

    `model/Softmax` may have become `model/Softmax:0`, and `PartitionedCall` is `PartitionedCall:0`.
    """
    known = list(known)
    for spelling in (name, f"{name}:0", name.removesuffix(":0")):
        if spelling in known:
            return spelling
    return None


def with_output(network: OnnxModel, name: str) -> OnnxModel | None:
    """Return the network with an output, or None if it has none of that name."""
    known = spelled_alike(name, network.available_outputs)
    try:
        return network[known or name]
    except ModelError:
        return None


def shapes_of(network: OnnxModel, spec: StreamSpec) -> dict[str, tuple[int, ...]]:
    """Return the shape of the rows of each output that can be run."""
    found = {}
    for name in network.available_outputs:
        try:
            (output,) = network[name].output_specs(spec).values()
        except ModelError:  # of a type that isn't taken, or without a batch
            continue
        found[name] = tuple(output.shape)
    return found


def shape_of(network: OnnxModel, spec: StreamSpec) -> tuple[int, ...]:
    """Return the shape of the rows of a network's one output, which may be any tensor of its graph."""
    (output,) = network.output_specs(spec).values()
    return tuple(output.shape)


def output_for(
    network: OnnxModel,
    spec: StreamSpec,
    n: int | None,
    *,
    subject: str,
    labels: str,
    option: str = "--output-name",
    frames: bool = False,
) -> str:
    """Return the output whose rows are `n` numbers; of several the one whose name says that it has scores.

    If there is none and `frames` is True, it is a single number where `n` is 1, or one with `n` numbers for
    each frame of a window.

    Args:
        network: the network.
        spec: of the rows that it takes.
        n: how many numbers; None takes the network's first output.
        subject: what errors are about.
        labels: what has `n` entries, for errors.
        option: how another output is chosen on the command line, for errors.
        frames: whether an output of frames, or a single number, will do.

    Raises:
        ModelError: none fits, or several do.
    """
    shapes = shapes_of(network, spec)
    if not shapes:
        raise ModelError(f"{subject}: expected an output of numbers, got none that can be run")
    if n is None:
        return next(iter(shapes))
    fitting = [name for name, shape in shapes.items() if shape == (n,)]
    if frames and n == 1 and not fitting:  # of a network without a batch
        fitting = [name for name, shape in shapes.items() if shape == ()]
    if frames and not fitting:
        fitting = [name for name, shape in shapes.items() if len(shape) == 2 and shape[1] == n]  # noqa: PLR2004
    if len(fitting) == 1:
        return fitting[0]
    for known in _SCORES if option == "--output-name" else ():
        for name in fitting:
            if name.lower().partition(":")[0].rpartition("/")[2] == known:
                return name
    if fitting:
        raise ModelError(
            f"{subject}: expected one output of {n} numbers, got {', '.join(fitting[:_SHOWN])}; choose one "
            f"({option})"
        )
    raise ModelError(
        f"{subject}: expected an output with {n} scores, one for each of {labels}, got {told(shapes)}; give "
        "the labels that belong to this network"
    )


def told(shapes: dict[str, tuple[int, ...]]) -> str:
    """Return names with their shapes, for errors."""
    texts = [f"{name} [{', '.join(map(str, shape))}]" for name, shape in shapes.items()]
    more = [f"{len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
    return ", ".join([*texts[:_SHOWN], *more])


def require_output(network: OnnxModel, names: Sequence[str], subject: str) -> OnnxModel:
    """Return the network with the first of these outputs that it has.

    Raises:
        ModelError: it has none of them.
    """
    for name in names:
        found = with_output(network, name)
        if found is not None:
            return found
    have = ", ".join(network.available_outputs[:_SHOWN])
    raise ModelError(f"{subject}: expected an output {' or '.join(names)}, got {have}; choose one of these")
