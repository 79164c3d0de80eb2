"""The file of a network as an ONNX model: with its weights inside, and with names that nothing else has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.cards.packed_file import read_hashed, read_network
from fastaudio.exporting.graph import onnx
from fastaudio.exporting.refusing import refuse

if TYPE_CHECKING:
    from fastaudio._core import OnnxModel

LARGEST = (1 << 31) - 1
"""Bytes that a protobuf can hold."""


def read(node: OnnxModel) -> Any:
    """Return a network's model, as it was when the node was made; weights may lie in files beside it."""
    return onnx().load_model_from_string(read_network(node.path, node.sha256))


def read_whole(node: OnnxModel) -> Any:
    """Return a network's model with all weights inside.

    Raises:
        ExportError: they would take more than a protobuf can hold.
        ModelError: a file can't be read, or was changed.
    """
    model = read(node)
    external = onnx().TensorProto.EXTERNAL
    outside = [one for one in model.graph.initializer if one.data_location == external]
    size = model.ByteSize() + sum(map(_n_bytes, outside))
    if size > LARGEST:
        expected = "a network below 2 GiB with its weights, which protobuf can hold"
        refuse("OnnxModel", expected, f"{size:,} bytes", "take a smaller network")
    content: dict[str, bytes] = {}
    for one in outside:
        about = {entry.key: entry.value for entry in one.external_data}
        name, start = about["location"], int(about.get("offset", 0))
        if name not in content:
            content[name] = read_hashed(node.path, node.external[name], name)[0]
        one.raw_data = content[name][start : start + int(about.get("length", 0) or _n_bytes(one))]
        del one.external_data[:]
        one.data_location = onnx().TensorProto.DEFAULT
    return model


def _n_bytes(tensor: Any) -> int:
    """Return how many bytes a tensor's raw data has."""
    kinds = onnx().TensorProto
    n: int = math.prod(tensor.dims)
    if tensor.data_type in (getattr(kinds, "INT4", -1), getattr(kinds, "UINT4", -1)):
        return (n + 1) // 2
    kind: Any = onnx().helper.tensor_dtype_to_np_dtype(tensor.data_type)
    return n * int(np.dtype(kind).itemsize)


def add_prefix(graph: Any, prefix: str) -> None:
    """Put a text before every name of a graph and of the graphs within it, so that each means what it did."""
    for info in (*graph.input, *graph.output, *graph.value_info):
        info.name = prefix + info.name
        for size in (one for one in info.type.tensor_type.shape.dim if one.dim_param):
            size.dim_param = prefix + size.dim_param
    for tensor in graph.initializer:
        tensor.name = prefix + tensor.name
    for sparse in graph.sparse_initializer:
        sparse.values.name = prefix + sparse.values.name
    for node in graph.node:
        node.name = prefix + node.name if node.name else ""
        for names in (node.input, node.output):
            names[:] = [prefix + name if name else "" for name in names]  # one that is left out has no name
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                add_prefix(inner, prefix)
    del graph.quantization_annotation[:]  # notes for tools, which name tensors too


def dense(sparse: Any) -> Any:
    """Return a sparse tensor as one that holds all its values."""
    package = onnx()
    values = package.numpy_helper.to_array(sparse.values)
    places = package.numpy_helper.to_array(sparse.indices)
    shape = tuple(sparse.dims)
    if math.prod(shape) * values.itemsize > LARGEST:
        refuse("OnnxModel", "weights below 2 GiB", f"a tensor {list(shape)}", "take a smaller network")
    whole = np.zeros(shape, values.dtype)
    whole[np.unravel_index(places, shape) if places.ndim == 1 else tuple(places.T)] = values
    return package.numpy_helper.from_array(whole, sparse.values.name)
