"""Reads TensorFlow 1 checkpoints as data: their weights, and their own graph to compare an export with.

A folder holds `.index`, `.data-00000-of-00001` and `.meta`, all with an empty prefix.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The faster kernels round more coarsely, by 4e-6 in a score, too much to judge an export by.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import tensorflow as tf  # type: ignore[import-not-found,import-untyped,unused-ignore]

v1 = tf.compat.v1
PATCHES_RANK = 3  # [n, frames, bands]
OPTIMISER_MARKS = ("Adam", "beta1_power", "beta2_power")


def prefix(folder: Path) -> str:
    """Return the name TensorFlow knows the files by, which is the folder, because they begin with a dot."""
    return f"{folder}{os.sep}"


def read_weights(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Read every variable of a checkpoint by name, without the optimiser's."""
    reader = v1.train.NewCheckpointReader(prefix(folder))
    return {
        name: reader.get_tensor(name)
        for name in sorted(reader.get_variable_to_shape_map())
        if not any(mark in name for mark in OPTIMISER_MARKS)
    }


def read_meta(folder: Path) -> Any:
    """Read the stored graph, without the shapes that no longer hold."""
    meta = v1.MetaGraphDef()
    meta.ParseFromString((folder / ".meta").read_bytes())
    for node in meta.graph_def.node:
        # The shapes are stale: today's TensorFlow infers other ranks for some nodes and would refuse these.
        node.attr.pop("_output_shapes", None)
    return meta


def read_pools(folder: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Read size and stride, (frames, bands), of each max-pool in the stored graph, in its order."""
    pools = []
    for node in read_meta(folder).graph_def.node:
        if node.op == "MaxPool":
            size, stride = node.attr["ksize"].list.i, node.attr["strides"].list.i
            pools.append(((size[1], size[2]), (stride[1], stride[2])))
    return pools


class OriginalGraph:
    """The graph a checkpoint was trained with, restored and ready to run.

    `tensors` gives, for each output, the nodes that are joined along the last axis to make it.
    """

    def __init__(self, folder: Path, tensors: Mapping[str, tuple[str, ...]]) -> None:
        meta = read_meta(folder)
        placeholders = [n for n in meta.graph_def.node if n.op == "Placeholder"]
        self._input, self._training = _find_inputs(placeholders)
        graph = tf.Graph()
        with graph.as_default():
            saver = v1.train.import_meta_graph(meta)
            self._session = v1.Session()
            saver.restore(self._session, prefix(folder))
        self._tensors = {
            name: [graph.get_tensor_by_name(f"{node}:0") for node in nodes] for name, nodes in tensors.items()
        }

    def close(self) -> None:
        """Free the session."""
        self._session.close()

    def __call__(self, patches: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return the outputs by name for patches [n, frames, bands], as in inference."""
        feed = {self._input: patches, self._training: False}
        found = self._session.run(self._tensors, feed)
        return {name: np.concatenate(parts, axis=-1) for name, parts in found.items()}


def _find_inputs(placeholders: list[Any]) -> tuple[str, str]:
    """Find the names of the patches (rank 3) and of the training switch (Boolean)."""
    patches = switch = None
    for node in placeholders:
        shape = node.attr["shape"].shape.dim
        if len(shape) == PATCHES_RANK:
            patches = f"{node.name}:0"
            # Only the pools over all bands need a static size: frames may vary.
            shape[1].size = -1
        elif node.attr["dtype"].type == tf.bool.as_datatype_enum:
            switch = f"{node.name}:0"
    if patches is None or switch is None:
        names = ", ".join(node.name for node in placeholders)
        raise ValueError(
            "TensorFlow graph: expected a rank 3 and a Boolean placeholder, "
            f"got {names or 'none'}; use the checkpoints of musicnn 0.1.0."
        )
    return patches, switch
