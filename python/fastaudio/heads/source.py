"""A head's labels beside the classes of the network that it learnt from.

Source: Kumar, Wang, Ithapu and Fuegen, Do sound event representations generalize to other audio tasks?
    Interspeech 2021, section 5.2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import OnnxModel
from fastaudio.cards.packed_file import read_network
from fastaudio.heads.extras import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from fastaudio.heads.classifier import Classifier
    from fastaudio.pipeline import Pipeline

_SAME = ("Identity", "Dropout")
_SCORES = ("Sigmoid", "Softmax", *_SAME)


def class_weights(source: Pipeline, layer: str) -> NDArray[np.float64]:
    """Return the weights [n_classes, n_values] of the dense layer from an output of a network to its scores.

    Raises:
        ValueError: the pipeline doesn't end with a network that has labels, or more than a dense layer lies
            between that output and the scores.
    """
    nets = [node for node in source.node.parts() if isinstance(node, OnnxModel)]
    labels = [spec.labels for spec in source.output_specs.values()]
    if len(nets) != 1 or len(labels) != 1 or not labels[0]:
        raise ValueError(
            f"source_similarity: expected a model of one network with labels, got {source!r:.80}"
        )
    (net,) = nets
    onnx = require("onnx", extra="train", what="source_similarity")
    graph = onnx.load_model_from_string(read_network(net.path, net.sha256)).graph
    makers = {output: node for node in graph.node for output in node.output}
    kept = {one.name: one for one in graph.initializer}
    kept |= {node.output[0]: node.attribute[0].t for node in graph.node if node.op_type == "Constant"}

    node = _above(makers, (net.outputs or net.available_outputs)[0], _SCORES)
    if node is not None and node.op_type == "Add":  # a bias
        (other,) = [name for name in node.input if name not in kept] or [""]
        node = _above(makers, other, _SAME)
    if (
        node is None
        or node.op_type not in ("Gemm", "MatMul")
        or not _comes_from(makers, node.input[0], layer)
    ):
        raise ValueError(
            f"source_similarity: expected one dense layer between {layer!r:.80} and the scores of "
            f"{source.name}, got other nodes; train the head on the layer right before the scores"
        )
    weights = kept.get(node.input[1])
    if weights is None or weights.data_location == weights.EXTERNAL:
        raise ValueError(
            f"source_similarity: expected the weights within {source.name}'s file, got none there"
        )
    matrix = np.asarray(onnx.numpy_helper.to_array(weights), dtype=np.float64)
    turned = any(one.name == "transB" and one.i for one in node.attribute)
    return matrix if turned else matrix.T


def cosines(classifier: Classifier, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cosines [n_classes, n_labels] between the network's classes and the head's labels.

    Each value of the vectors is standardised first: over the classes, and over the labels.
    """
    vectors = classifier.layers[-1][0].T
    if vectors.shape[1] != weights.shape[1]:
        raise ValueError(
            f"source_similarity: expected a head of one dense layer, on {weights.shape[1]} values, got one "
            f"whose last layer has {vectors.shape[1]}; train it with kind='linear'"
        )
    cosines: NDArray[np.float64] = _unit(weights) @ _unit(vectors).T
    return cosines


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    std = vectors.std(axis=0)
    centred = (vectors - vectors.mean(axis=0)) / np.where(std > 0, std, 1)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    unit: NDArray[np.float64] = centred / np.where(lengths > 0, lengths, 1)
    return unit


def _above(makers: Mapping[str, Any], name: str, passed: tuple[str, ...]) -> Any:
    """Return the node that a value comes from, through nodes of the kinds that are `passed`; None if none."""
    node = makers.get(name)
    while node is not None and node.op_type in passed:
        node = makers.get(node.input[0])
    return node


def _comes_from(makers: Mapping[str, Any], name: str, layer: str) -> bool:
    """Tell whether a value is an output of the network, or a copy of it."""
    while name != layer:
        node = makers.get(name)
        if node is None or node.op_type not in _SAME:
            # The output may itself be a copy of the value.
            copy = makers.get(layer)
            return copy is not None and copy.op_type in _SAME and copy.input[0] == name
        name = node.input[0]
    return True
