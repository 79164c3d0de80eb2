"""The one network of a pipeline: its graph, made ready for quantizers, and another put in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastaudio._core import Node, OnnxModel, Sequential, build_node
from fastaudio.exporting.network_file import read_whole
from fastaudio.exporting.networks import outputs_of
from fastaudio.pipeline import Pipeline
from fastaudio.quantizing.refusing import QuantizeError, package

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KINDS = ("Conv", "MatMul", "Gemm")
"""Operators that can be quantized, if their weights are constants."""

_OPSET = 13  # the first whose numbers can be quantized per channel
_MODEL = OnnxModel


@dataclass(frozen=True)
class Network:
    """A pipeline's network.

    Attributes:
        pipeline: the pipeline.
        parts: its nodes in a row.
        at: which of them is the network.
    """

    pipeline: Pipeline
    parts: Sequence[Node]
    at: int

    @classmethod
    def of(cls, pipeline: Pipeline) -> Network:
        """Find the network of a pipeline.

        Raises:
            QuantizeError: there is none, or several, or one inside another node; a run takes a whole clip.
        """
        parts = pipeline.node.children() if isinstance(pipeline.node, Sequential) else [pipeline.node]
        at = [i for i, part in enumerate(parts) if isinstance(part, OnnxModel)]
        if len(at) != 1 or at[0] == 0:
            raise QuantizeError(
                f"quantize: expected a pipeline with one network in its row, behind other nodes, got "
                f"{len(at)}; quantize a pipeline with one"
            )
        node: Any = parts[at[0]]
        if node.clip_rows:
            raise QuantizeError(
                "quantize: expected a network that runs row by row, got one whose run is a whole clip; "
                "quantize one that takes windows, as Patches cuts them"
            )
        return cls(pipeline, parts, at[0])

    @property
    def node(self) -> OnnxModel:
        """The network."""
        node = self.parts[self.at]
        assert isinstance(node, OnnxModel)
        return node

    @property
    def front(self) -> Pipeline:
        """What comes before it."""
        before = self.pipeline
        return Pipeline(
            Sequential(list(self.parts[: self.at])), channel=before.channel, quality=before.quality
        )

    def model(self, folder: Path) -> Any:
        """Return its graph with the outputs that are used, simplified, and a name for each operator.

        Args:
            folder: where files may be written meanwhile.

        Raises:
            QuantizeError: it is older than opset 13, or ONNX Runtime's tools don't take it.
            ExportError: with its weights it is larger than a protobuf can be.
        """
        onnx = package("onnx")
        model = read_whole(self.node)
        version = max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=1)
        if version < _OPSET:
            raise QuantizeError(
                f"quantize: expected a network of opset {_OPSET} or later, got {version}; export it again"
            )
        _keep_outputs(onnx, model, [*outputs_of(self.node), *self.node.state.values()])
        source, target = folder / "kept.onnx", folder / "simplified.onnx"
        onnx.save(model, source)
        prepare = package("onnxruntime.quantization.shape_inference").quant_pre_process
        try:
            prepare(source, target, skip_symbolic_shape=True)
        except Exception as error:
            raise QuantizeError(
                f"quantize: expected a network that ONNX Runtime's tools take, got: {error!s:.300}"
            ) from error
        model = onnx.load(target)
        for number, node in enumerate(model.graph.node):
            node.name = node.name or f"{node.op_type}_{number}"
        return model

    def fed(self, file: Path, *, alone: bool = False) -> OnnxModel:
        """Return the node with another file for its network; `alone` makes each row a run."""
        options = {key: value for key, value in self.node.to_dict().items() if key != "node"}
        options |= {"path": str(file), "sha256": "", "external": {}}
        options |= {"batch": 1} if alone else {}
        node = build_node(_MODEL, options)
        assert isinstance(node, OnnxModel)
        return node

    def replaced(self, node: OnnxModel) -> Pipeline:
        """Return the pipeline with another network in its place."""
        parts = [*self.parts[: self.at], node, *self.parts[self.at + 1 :]]
        old = self.pipeline
        return Pipeline(
            Sequential(parts),
            channel=old.channel,
            quality=old.quality,
            card={key: value for key, value in old.card.items() if key not in ("input", "pipeline")},
            untrained=old.untrained,
            silence_db=old.silence_db,
        )


def _keep_outputs(onnx: Any, model: Any, names: list[str]) -> None:
    """Leave only these outputs; inner tensors become outputs."""
    there = {one.name: one for one in model.graph.output}
    wanted = list(dict.fromkeys(names))
    if any(name not in there for name in wanted):
        inner = onnx.shape_inference.infer_shapes(model).graph.value_info
        there |= {one.name: one for one in inner}
    kept = [there.get(name) or onnx.helper.make_empty_tensor_value_info(name) for name in wanted]
    kept = [onnx.ValueInfoProto.FromString(one.SerializeToString()) for one in kept]
    del model.graph.output[:]
    model.graph.output.extend(kept)


def layers(model: Any) -> list[str]:
    """Return the names of the operators with constant weights that can be quantized, in order."""
    constants = {one.name for one in model.graph.initializer}
    return [
        node.name
        for node in model.graph.node
        if node.op_type in KINDS and len(node.input) > 1 and node.input[1] in constants
    ]
