"""OnnxModel: the network's own graph, with its names prefixed, as a part of the whole."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastaudio.cards.packed_file import read_network
from fastaudio.exporting.cutting import at_least_one, index_of
from fastaudio.exporting.graph import OPSET, onnx
from fastaudio.exporting.refusing import refuse
from fastaudio.exporting.registry import converts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastaudio._core import Node, OnnxModel
    from fastaudio.exporting.graph import Graph, Rows


def networks(node: Node) -> Iterator[OnnxModel]:
    """Find the networks in a node."""
    if type(node).__name__ == "OnnxModel":
        yield node  # type: ignore[misc]
    for child in node.children():
        yield from networks(child)


def read(node: OnnxModel) -> Any:
    """Return a network's model, as it was when the node was made."""
    return onnx().load_model_from_string(read_network(node.path, node.sha256))


def opset_of(model: Any) -> int:
    """Return the version of the standard operators that a model uses."""
    return max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=1)


@converts("OnnxModel")
def network(graph: Graph, node: OnnxModel, rows: Rows) -> list[Rows]:
    """Bring rows into the order of the model's axes, and give its outputs without their batch axis."""
    model = _inlined(graph, node)
    data = _data_input(node, model)
    shape = [one.dim_value if one.HasField("dim_value") else None for one in data.type.tensor_type.shape.dim]
    fixed = bool(shape) and shape[0] is not None
    if fixed and shape[0] != 1:
        refuse(
            "OnnxModel", "a network with an open batch axis, or one row in each run", f"{shape[0]}", _REMEDY
        )
    large = rows.n != 1 and math.prod(rows.shape) >= _LARGE
    if fixed or node.state or large:
        found = _row_by_row(graph, node, model, data, rows)
    else:
        value, n = at_least_one(graph, rows) if rows.n is None else (rows.value, None)
        whole = _run(graph, model, {data.name: _in_layout(graph, node, value, rows)})
        found = [whole[name] if n is None else graph.slice(whole[name], 0, n) for name in _names(node)]
    specs = node.output_specs(rows.spec).values()
    return [
        replace(rows, value=value, shape=tuple(spec.shape)) for value, spec in zip(found, specs, strict=True)
    ]


_LARGE = 1024  # values of a row: all patches of a clip at once would take gigabytes
_REMEDY = "export the network again with a dynamic batch axis"


def _names(node: OnnxModel) -> list[str]:
    return list(node.outputs) or [node.available_outputs[0]]


def _inlined(graph: Graph, node: OnnxModel) -> Any:
    """Return the model in the graph's opset, with names that nothing else has."""
    model, package = read(node), onnx()
    if opset_of(model) < graph.opset:
        try:
            model = package.version_converter.convert_version(model, graph.opset)
        except Exception as error:  # noqa: BLE001  # the converter raises what it likes
            got = f"opset {opset_of(model)}: {str(error)[:200]}"
            refuse(
                "OnnxModel", f"a network that onnx converts to opset {graph.opset}", got, "export it again"
            )
    if model.functions:
        model = package.inliner.inline_local_functions(model)
    root = graph.root
    root.ir_version = max(root.ir_version, model.ir_version if opset_of(model) > OPSET else 0)
    root.domains |= {
        one.domain: one.version for one in model.opset_import if one.domain not in ("", "ai.onnx")
    }
    prefix = f"{root.name('network')}/"
    return package.compose.add_prefix(model, prefix=prefix)


def _data_input(node: OnnxModel, model: Any) -> Any:
    """Return the input that takes the rows; the others are states."""
    held = {one.name for one in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in held]
    data = [one for one in inputs if _bare(one.name) not in node.state]
    if len(data) != 1:
        got = ", ".join(_bare(one.name) for one in data)
        refuse("OnnxModel", "a network with one input beside its state", got, _REMEDY)
    return data[0]


def _bare(name: str) -> str:
    return name.partition("/")[2]


def _run(graph: Graph, model: Any, inputs: dict[str, str]) -> dict[str, str]:
    """Add the network's operators and return its outputs by their own names."""
    for name, value in inputs.items():
        graph.nodes.append(onnx().helper.make_node("Identity", [value], [name], name=f"{name}_in"))
    graph.initializers.extend(model.graph.initializer)  # in a loop's body, so that operators fuse there too
    graph.nodes.extend(model.graph.node)
    return {_bare(one.name): one.name for one in model.graph.output}


def _in_layout(graph: Graph, node: OnnxModel, value: str, rows: Rows) -> str:
    """Bring the axes of rows [n, *shape] into the network's order."""
    layout = node.layout or "n" + "tfc"[: len(rows.shape)]
    axes = "ntfc"[: rows.rank]
    order = [axes.index(axis) for axis in layout if axis != "1"]
    if order != sorted(order):
        value = graph.op("Transpose", value, perm=order)
    ones = [place for place, axis in enumerate(layout) if axis == "1"]
    return graph.op("Unsqueeze", value, graph.ints(*ones)) if ones else value


def _row_by_row(graph: Graph, node: OnnxModel, model: Any, data: Any, rows: Rows) -> list[str]:
    """Run one row after another, each with the state that the one before left."""
    value, n = at_least_one(graph, rows) if rows.n is None else (rows.value, None)
    prefix = data.name[: len(data.name) - len(_bare(data.name))]
    shapes = {one.name: [d.dim_value for d in one.type.tensor_type.shape.dim] for one in model.graph.input}
    states = {prefix + name: prefix + after for name, after in node.state.items()}
    starts, kept = [], []
    for name in states:
        shape = [max(size, 1) for size in shapes[name]]
        if graph.block is None:
            zeros = onnx().helper.make_tensor("zero", onnx().TensorProto.FLOAT, [1], [0.0])
            starts.append(graph.op("ConstantOfShape", graph.ints(*shape), value=zeros))
        else:
            before, state = graph.state(*shape)
            starts.append(before)
            kept.append(state)
    late = bool(states) and rows.delay > 0  # rows before the signal leave the state alone
    if rows.n == 1:  # a block of one row needs no loop
        outputs = _run(
            graph,
            model,
            {data.name: _in_layout(graph, node, value, rows)} | dict(zip(states, starts, strict=True)),
        )
        early = graph.op("Less", graph.reshape(index_of(graph, rows), 1), [-0.5]) if late else ""
        for state, start, after in zip(kept, starts, states.values(), strict=True):
            state.value = graph.op("Where", early, start, after) if late else after
        return [outputs[name] for name in _names(node)]
    body = graph.within()
    row = body.name("row")
    one = body.op("Unsqueeze", row, body.ints(0))
    inputs = [body.info(name, [max(size, 1) for size in shapes[name]]) for name in states]
    outputs = _run(body, model, {data.name: _in_layout(body, node, one, rows)})
    index = body.name("index")
    early = body.op("Less", index, -0.5) if late else ""
    afters = [
        body.op("Where", early, name, after) if late else body.op("Identity", after)
        for name, after in states.items()
    ]
    found = [body.op("Squeeze", outputs[name], body.ints(0)) for name in _names(node)]
    specs = node.output_specs(rows.spec).values()
    ends = [
        body.info(name, list(info.shape_of)) for name, info in zip(afters, map(_Shape, inputs), strict=True)
    ]
    ends += [body.info(name, list(spec.shape)) for name, spec in zip(found, specs, strict=True)]
    scanned = [value, *([index_of(graph, rows)] if late else [])]
    infos = [*inputs, body.info(row, list(rows.shape)), *([body.info(index, [1])] if late else [])]
    proto = body.proto(infos, ends, "row by row")
    n_outputs, n_inputs = len(afters) + len(found), len(scanned)
    all_outputs = graph.ops("Scan", [*starts, *scanned], n_outputs, body=proto, num_scan_inputs=n_inputs)
    for state, after in zip(kept, all_outputs, strict=False):
        state.value = after
    rest = all_outputs[len(afters) :]
    return rest if n is None else [graph.slice(one, 0, n) for one in rest]


class _Shape:
    """The shape of what ONNX says of an input."""

    def __init__(self, info: Any) -> None:
        self.shape_of = [size.dim_value for size in info.type.tensor_type.shape.dim]
