"""The head of a trained model by itself: it takes rows that the embedder gave earlier."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._core import OnnxModel, Tags
from fastaudio.cards.packed_file import read_network
from fastaudio.exporting.networks import outputs_of
from fastaudio.heads.extras import require

if TYPE_CHECKING:
    from fastaudio.pipeline import Pipeline

_BATCH = 256  # rows that the network takes at once


@dataclass(frozen=True)
class Alone:
    """A head without its embedder.

    Attributes:
        node: takes rows [n, n_values] and gives scores [n, n_labels].
        n_values: how many numbers a row has.
        average: whether it takes the mean row of each clip, not the row of each window.
        rows_sha256: what the embedder's rows depend on, see `heads.identity`.
    """

    node: OnnxModel
    n_values: int
    average: bool
    rows_sha256: str


def head_of(pipeline: Pipeline) -> Alone:
    """Take the head out of a model that `heads.fit` has trained.

    Raises:
        ValueError: it is no such model, or one that an older version trained, which didn't note its embedder.
        MissingExtra: onnx isn't installed, which takes the network apart.
    """
    about = pipeline.card.get("head")
    about = about if isinstance(about, dict) else {}
    parts = pipeline.node.parts()
    if not about or len(parts) < 2 or not isinstance(parts[-1], Tags) or not isinstance(parts[-2], OnnxModel):  # noqa: PLR2004
        raise ValueError(
            f"{pipeline.name}: expected a model that fastaudio train has made, got another; "
            "scan the sound itself with it, without --from"
        )
    if "rows_sha256" not in about:
        raise ValueError(
            f"{pipeline.name}: expected a head that says which embedder it learnt from, got one of an older "
            "version; train it again"
        )
    net = parts[-2]
    with tempfile.TemporaryDirectory(prefix="fastaudio-head-") as folder:
        path = Path(folder) / "head.onnx"
        network = read_network(net.path, net.sha256)
        path.write_bytes(_cut(network, str(about["layer"]), int(about["values"]), outputs_of(net)[0]))
        node = OnnxModel(str(path), batch=_BATCH)
    return Alone(node, int(about["values"]), bool(about["average"]), str(about["rows_sha256"]))


def _cut(network: bytes, layer: str, n_values: int, output: str) -> bytes:
    """Return the part of a network from a layer to an output; all of it if it is a head already."""
    onnx = require("onnx", extra="train", what="a head alone")
    model = onnx.load_model_from_string(network)
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    kept = {one.name: one for one in graph.initializer}
    if layer not in makers:
        return network
    wanted, nodes, used = [output], {}, set()
    while wanted:
        name = wanted.pop()
        if name in kept:
            used.add(name)
        elif name and name != layer:
            node = _maker(makers, name, layer)
            if id(node) not in nodes:
                nodes[id(node)] = node
                wanted += node.input
    order = [node for node in graph.node if id(node) in nodes]
    (last,) = [one for one in graph.output if one.name == output]
    tensor = onnx.helper.make_tensor_value_info
    rows = tensor(layer, onnx.TensorProto.FLOAT, ["n", n_values])
    made = onnx.helper.make_graph(order, "head", [rows], [last], [kept[name] for name in sorted(used)])
    how: dict[str, Any] = {"opset_imports": model.opset_import, "ir_version": model.ir_version}
    content: bytes = onnx.helper.make_model(made, **how).SerializeToString()
    return content


def _maker(makers: dict[str, Any], name: str, layer: str) -> Any:
    if name not in makers:
        raise ValueError(
            f"expected a head that takes {layer!r:.80} only, got one that takes {name!r:.80}; train it again"
        )
    return makers[name]
