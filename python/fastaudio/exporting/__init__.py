"""Pipelines as one ONNX graph, from raw samples to scores: what `Pipeline.export_onnx` writes.

`writing` has `to_onnx`, `model` builds the whole, and `checking` compares it with the node on the sounds of
`sounds`. `graph` holds operators while they are added; `registry` has a function for each class of nodes.
`spectra`, `levels`, `bands`, `recurrent`, `loudness`, `gating`, `pooling`, `patches`, `unrolling`,
`resampling`, `networks` and `composites` are these functions; `cutting` cuts frames for them, `probing`
reads tables off the nodes, and `network_file` reads the file of a network. `sources` names the files that a
node was read from, and `refusing` says what a graph can't hold.

The core knows no ONNX files, so a node has no method for this: call `to_onnx(node, path)`.
"""

from __future__ import annotations

from fastaudio.exporting.refusing import ExportError
from fastaudio.exporting.registry import exportable
from fastaudio.exporting.writing import to_onnx

__all__ = ["ExportError", "exportable", "to_onnx"]
