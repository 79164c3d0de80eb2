"""Gives an example of every node and rows that it takes, on which the laws over all nodes are tested."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from fastaudio import _core
from helpers import GUITAR, WEIGHTS, by_name, decode, in_chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

CLASSES: dict[str, type[fa.Node]] = {
    name: value
    for name, value in vars(_core).items()
    if isinstance(value, type) and issubclass(value, fa.Node) and value is not fa.Node
}

MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=32)
MEANS = MEL >> fa.Statistics(kinds=["mean"], window=7)

# Some nodes need positional arguments.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "Concat": (MEL >> fa.Statistics(window=8), MEL >> fa.Log()),
    "Each": (MEL >> fa.Log(), 1000),
    "Film": (MEL >> fa.Patches(length=1), MEANS >> {"gamma": fa.L2Normalize(), "beta": fa.Log()}),
    "MinMaxScale": ([-1.0, -0.5, 0.0], [1.0]),
    "OnnxModel": (str(WEIGHTS),),
    "PCAWhiten": ([1.0, -2.0, 0.5, 0.0, 1.0, 1.0], [0.1, -0.2, 0.0]),
    "Parallel": ({"mean": MEL >> fa.Mean(), "peak": MEL >> fa.Log() >> fa.Max()},),
    "Sequential": ([MEL, fa.Log(), fa.Patches(length=3, hop=2, last="pad")],),
    "Similarity": ([1.0, 2.0, -3.0, 0.0, 0.0, 0.0], ["guitar", "é♪"]),
    "Standardize": ([0.1, -0.2, 0.0], [0.5, 1.0, 2.0]),
    "Tags": (["guitar", "drums", "it's", 'a "quoted"\\ tag\n', "é♪"],),
}

# Composites take nodes in their first arguments, not options.
COMPOSITES = {name for name, value in CLASSES.items() if value.child_arguments()}

# Number of input rows and their shape, for a node that takes neither samples nor rows of any shape.
ROWS: dict[str, tuple[int, tuple[int, ...]]] = {
    "Loudness": (40_000, ()),
    "MFCC": (300, (20,)),
    "Mono": (500, (2,)),
    "OnnxModel": (3, (187, 96)),
    "Tags": (500, (5,)),
}
ANY_ROWS = (500, (3,))
SAMPLES = (12_000, ())

# Specs of the input, for a node that has to know more than the shape of its rows.
SPECTRUM = fa.StreamSpec(rate_hz=100, shape=[65], unit="", bin_hz=125.0)
SCORES = fa.Tags(list("abcde")).output_specs(fa.StreamSpec(rate_hz=100, shape=[5], unit=""))[""]
INPUTS: dict[str, fa.StreamSpec] = {
    "Chroma": SPECTRUM,
    "Events": SCORES,
    "Unroll": fa.StreamSpec(rate_hz=100, shape=[4, 3], unit=""),
    "SpectralBandwidth": SPECTRUM,
    "SpectralCentroid": SPECTRUM,
    "SpectralContrast": SPECTRUM,
    "SpectralRolloff": SPECTRUM,
}

# What makes real sound into rows that a node takes.
MADE_FIT: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "Events": lambda sound: np.clip(np.abs(4 * sound), 0, 1),
}


@cache
def node_of(name: str) -> fa.Node:
    """Return a node of the class with default options."""
    try:
        return CLASSES[name](*ARGUMENTS.get(name, ()))
    except TypeError as error:
        raise AssertionError(f"{name} needs arguments: add it to ARGUMENTS here") from error


@cache
def rows_of(name: str) -> NDArray[np.float32]:
    """Return real sound, cut to the rows that a node of the class takes."""
    samples = node_of(name).input_spec is not None
    usual = (500, INPUTS[name].shape) if name in INPUTS else ANY_ROWS
    n, shape = ROWS.get(name, SAMPLES if samples else usual)
    left = decode(GUITAR)[0][:, 0]
    size = n * math.prod(shape)
    rows = left[20_000 : 20_000 + size].reshape(n, *shape)
    return np.ascontiguousarray(MADE_FIT.get(name, np.asarray)(rows))


def spec_of(node: fa.Node) -> fa.StreamSpec | None:
    """Return the spec that a node of this class is opened with, if it needs one."""
    return INPUTS.get(type(node).__name__)


def whole(node: fa.Node, rows: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Return all rows of a signal by output name, by a call where a node needs only the rows."""
    spec = spec_of(node)
    return by_name(node(rows)) if spec is None else in_chunks(node, rows, (), spec)
