"""Defines what a recipe is: network, front end, what comes out, and whose work it is."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from fastaudio import Node
from numpy.typing import NDArray
from torch import Tensor, nn

Rows = NDArray[np.float32]

SMALL = 16
"""The small scale divides a network's widths by this."""

_AXES = "ntfc"  # axes of rows in fastaudio: batch, then a row's first, second and third axis


@dataclass(frozen=True)
class Recipe:
    """One system of a paper. Its network takes a batch of patches and returns a tuple, one tensor per output.

    Attributes:
        name: of the recipe and of its model.
        task, description, citation: what the card says.
        parameters: trained numbers of the network at full size, to the last one.
        stated: what the paper says of that number.
        build: makes the network, its inner widths divided by the argument; outputs keep their labels.
        front: makes the node from samples to patches.
        outputs: purpose and unit of each, in the network's order; the first one ends the pipeline.
        labels: names of the first output's scores; none if it is an embedding.
        label_source: where the names are from, or that they are placeholders.
        layout: order of the network's axes, as `OnnxModel` takes it.
        free: axis of free length by name, of the input "patches" and of outputs.
        after: makes the node from the first output to scores, if one is needed.
        tolerance: largest difference from PyTorch that rounding explains, of values up to 1; else a share.
    """

    name: str
    task: str
    description: str
    citation: str
    parameters: int
    stated: str
    build: Callable[[int], nn.Module]
    front: Callable[[], Node]
    outputs: Mapping[str, tuple[str, str]]
    labels: Sequence[str] = ()
    label_source: str = ""
    layout: str = ""
    free: Mapping[str, int] = field(default_factory=dict)
    after: Callable[[], Node] | None = None
    tolerance: float = 1e-5

    def patches(self, samples: Rows) -> Rows:
        """Return the patches of samples at the front end's rate, their axes as the network takes them."""
        rows = self.front()(samples)
        assert isinstance(rows, np.ndarray)
        layout = self.layout or _AXES[: rows.ndim]
        order = [_AXES.index(axis) for axis in layout if axis != "1"]
        ones = tuple(index for index, axis in enumerate(layout) if axis == "1")
        return np.ascontiguousarray(np.expand_dims(rows.transpose(order), ones))

    def sound(self, seed: int = 0, patches: int = 1) -> Rows:
        """Return made-up sound at the front end's rate, as long as this number of patches."""
        front = self.front()
        spec = front.input_spec
        assert spec is not None
        out = next(iter(front.output_specs(spec).values()))
        # A patch chosen from a clip has no rate; four seconds are enough to choose from.
        duration_s = out.span_s + (patches - 1) / out.rate_hz if out.rate_hz else 4.0
        return notes(round(spec.rate_hz), duration_s, seed)


def count_parameters(net: nn.Module) -> int:
    """Count what training changes, which excludes the running statistics of normalisations."""
    return sum(weights.numel() for weights in net.parameters() if weights.requires_grad)


def full_size(recipe: Recipe) -> int:
    """Count the parameters of the whole network, without memory for them."""
    with torch.device("meta"):
        return count_parameters(recipe.build(1))


def start(recipe: Recipe, divisor: int = 1) -> nn.Module:
    """Return the network untrained: random weights, the same each time, settled on made-up sound.

    Every layer is scaled so that its output has a deviation of 1 (Mishkin & Matas, ICLR 2016), and every
    normalisation takes the sound's statistics. Otherwise the scores of many networks would all be 0 or 1.
    """
    torch.manual_seed(0)
    net = recipe.build(divisor)
    for layer in _layers(net):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    for norm in net.modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm):  # noqa: SLF001
            norm.momentum = None  # running statistics are the mean of all batches, here of one
    hooks = [layer.register_forward_hook(_scale) for layer in _layers(net)]
    batch = np.concatenate([recipe.patches(recipe.sound(seed)) for seed in range(4)])
    with torch.no_grad():
        net.train()(torch.from_numpy(batch))
    for hook in hooks:
        hook.remove()
    return net.eval()


def _scale(layer: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
    scale = 1 / output.std()
    for weights in layer.parameters():
        weights.mul_(scale)
    return output * scale


def run(net: nn.Module, patches: Rows) -> tuple[Rows, ...]:
    """Run a network over patches, one at a time as fastaudio does; return each output's rows.

    It computes in float64, so that fastaudio alone causes the difference: PyTorch in float32 rounds as much.
    """
    wide = copy.deepcopy(net).double()
    with torch.no_grad():
        batches = [torch.from_numpy(patch).double() for patch in np.split(patches, len(patches))]
        parts: list[tuple[Tensor, ...]] = [wide(batch) for batch in batches]
    return tuple(torch.cat(rows).float().numpy() for rows in zip(*parts, strict=True))


def notes(rate_hz: int, duration_s: float, seed: int = 0) -> Rows:
    """Return decaying notes with overtones over faint noise."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(0, 1e-3, round(rate_hz * duration_s))
    t = np.arange(rate_hz // 2) / rate_hz
    for onset in range(0, len(samples), round(rate_hz * rng.uniform(0.15, 0.4))):
        pitch_hz = 55 * 2 ** rng.uniform(0, 5)
        overtones = [k for k in range(1, 9) if k * pitch_hz < rate_hz / 2]
        tone = np.sum([np.sin(2 * np.pi * k * pitch_hz * t) / k for k in overtones], axis=0)
        note = rng.uniform(0.05, 0.3) * np.exp(-t / rng.uniform(0.05, 0.5)) * tone
        samples[onset : onset + len(t)] += note[: len(samples) - onset]
    return (samples / max(1.0, float(np.abs(samples).max()))).astype(np.float32)


def _layers(net: nn.Module) -> Iterator[nn.Conv1d | nn.Conv2d | nn.Linear]:
    return (layer for layer in net.modules() if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Linear))
