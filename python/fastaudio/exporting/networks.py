"""OnnxModel: the network's own graph, with its names prefixed, as a part of the whole."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import ModelError, build_node, network_tensors
from fastaudio.exporting.cutting import at_least_one, index_of
from fastaudio.exporting.graph import OPSET, onnx
from fastaudio.exporting.network_file import add_prefix, dense, read_whole
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


def outputs_of(node: OnnxModel) -> list[str]:
    """Return the names of the outputs that a network gives, in their order."""
    own = (name for name in node.available_outputs if name not in node.state.values())
    return list(node.outputs) or [next(own)]


def opset_of(model: Any) -> int:
    """Return the version of the standard operators that a model uses."""
    return max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=1)


@converts("OnnxModel")
def network(graph: Graph, node: OnnxModel, rows: Rows) -> list[Rows]:
    """Bring rows into the order of the model's axes, and give its outputs without their batch axis."""
    if getattr(node, "clip_rows", 0):
        got = "one that takes the whole clip in one run, as clip_rows asks for"
        remedy = "export what comes before it, and run the network on the rows that come out"
        refuse("OnnxModel", "a network that takes its rows one by one", got, remedy)
    model = _inlined(graph, node)
    data = _data_input(node, model)
    _take_floats(data)
    layout = _layout(node, data, rows)
    shape = [one.dim_value if one.HasField("dim_value") else None for one in data.type.tensor_type.shape.dim]
    fixed = "n" not in layout or (bool(shape) and shape[0] is not None)
    if "n" in layout and fixed and shape[0] != 1:
        remedy = "export the network again with a dynamic batch axis"
        refuse("OnnxModel", "a network with an open batch axis, or one row a run", f"{shape[0]}", remedy)
    net = _Network(node, model, data, layout, fixed, _tensors(node, model))
    large = math.prod(rows.shape) >= _LARGE
    if fixed or node.state or (rows.n != 1 and (large or not _run_together(net, rows))):
        found = _row_by_row(graph, net, rows)
    else:
        value, n = at_least_one(graph, rows) if rows.n is None else (rows.value, None)
        found = net.run(graph, net.in_layout(graph, value, rows), {}, rows, of_row=False)
        found = found if n is None else [graph.slice(one, 0, n) for one in found]
    specs = node.output_specs(rows.spec).values()
    return [
        replace(rows, value=value, shape=tuple(spec.shape)) for value, spec in zip(found, specs, strict=True)
    ]


def _tensors(node: OnnxModel, model: Any) -> dict[str, tuple[str, int]]:
    """Return the type and the number of axes of each output that is given."""
    infos = {_bare(one.name): one.type.tensor_type for one in model.graph.output}
    name_of = onnx().TensorProto.DataType.Name
    known = {
        name: (name_of(infos[name].elem_type), len(infos[name].shape.dim))
        for name in outputs_of(node)
        if name in infos and infos[name].HasField("shape")
    }
    if len(known) < len(outputs_of(node)):  # inner tensors, of which the file says nothing
        for _, name, kind, shape in network_tensors(node.path, node.sha256, node.external):
            if name in outputs_of(node):
                known.setdefault(name, (_KINDS.get(kind, kind.upper()), len(shape)))
    return known


_KINDS = {"float32": "FLOAT", "float64": "DOUBLE"}
_SAMPLES = {"INT8": 2.0**-7, "UINT8": 2.0**-7, "INT16": 2.0**-15, "INT32": 2.0**-31}
_MIDDLE = {"UINT8": 128.0}


def _run_together(net: _Network, rows: Rows) -> bool:
    """Tell whether several rows of one run get the numbers that they have alone."""
    specs = net.node.output_specs(rows.spec).values()
    if any(net.is_whole(name, spec) for name, spec in zip(outputs_of(net.node), specs, strict=True)):
        return False
    options = {key: value for key, value in net.node.to_dict().items() if key != "node"}
    try:
        build_node(type(net.node), options | {"batch": max(net.node.batch, 2)}).output_specs(rows.spec)
    except ModelError:
        return False
    return True


def _layout(node: OnnxModel, data: Any, rows: Rows) -> str:
    """Return the axes of the network's input; n is missing if it takes one row without a batch."""
    rank = len(data.type.tensor_type.shape.dim)
    axes = "tfc"[: len(rows.shape)]
    return node.layout or (axes if rank == len(axes) else "n" + axes)


def _take_floats(data: Any) -> None:
    """Refuse a network whose input is no number with a fraction."""
    kinds = onnx().TensorProto
    kind = data.type.tensor_type.elem_type
    if kind not in (kinds.FLOAT, kinds.FLOAT16, kinds.DOUBLE):
        got = kinds.DataType.Name(kind).lower()
        remedy = "export what comes before it"
        refuse("OnnxModel", "a network that takes float32, float16 or float64 rows", got, remedy)


_LARGE = 1024  # values of a row: all patches of a clip at once would take gigabytes


def _inlined(graph: Graph, node: OnnxModel) -> Any:
    """Return the model in the graph's opset, with names that nothing else has."""
    model, package = read_whole(node), onnx()
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
    model.graph.initializer.extend(map(dense, model.graph.sparse_initializer))
    del model.graph.sparse_initializer[:]
    add_prefix(model.graph, f"{root.name('network')}/")
    return model


def _data_input(node: OnnxModel, model: Any) -> Any:
    """Return the input that takes the rows; the others are states, or constant."""
    held = {one.name for one in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in held]
    others = {*node.state, *getattr(node, "inputs", {})}
    data = [one for one in inputs if _bare(one.name) not in others]
    if len(data) != 1:
        got = ", ".join(_bare(one.name) for one in data)
        refuse("OnnxModel", "a network with one input beside its state", got, "export it with one input")
    return data[0]


def _bare(name: str) -> str:
    return name.partition("/")[2]


def _shape_of(info: Any) -> list[int]:
    return [max(size.dim_value, 1) for size in info.type.tensor_type.shape.dim]


@dataclass(frozen=True)
class _Network:
    """A network whose names are prefixed, and how it takes rows."""

    node: OnnxModel
    model: Any
    data: Any
    layout: str
    one_row: bool
    tensors: dict[str, tuple[str, int]]

    @property
    def prefix(self) -> str:
        """What stands before its names."""
        name: str = self.data.name
        return name[: len(name) - len(_bare(name))]

    @property
    def states(self) -> dict[str, str]:
        """The inputs that are state, each with the output that it takes next."""
        return {self.prefix + name: self.prefix + after for name, after in self.node.state.items()}

    def is_whole(self, name: str, spec: Any) -> bool:
        """Tell whether an output has no batch axis: a row of it is all that a run gives."""
        return name in self.tensors and self.tensors[name][1] == len(spec.shape)

    def as_floats(self, graph: Graph, name: str, unit: str) -> str:
        """Return an output in float32; sound in whole numbers from their full scale."""
        kind = self.tensors.get(name, ("", 0))[0]
        value = self.prefix + name
        if kind == "FLOAT":
            return value
        value = graph.cast(value, "FLOAT")
        if unit != "samples" or kind not in _SAMPLES:
            return value
        value = graph.op("Sub", value, _MIDDLE[kind]) if kind in _MIDDLE else value
        return graph.op("Mul", value, _SAMPLES[kind])

    def in_layout(self, graph: Graph, value: str, rows: Rows) -> str:
        """Bring the axes of rows [n, *shape], or of one row if there is no n, into the network's order."""
        axes = ("n" if "n" in self.layout else "") + "tfc"[: len(rows.shape)]
        order = [axes.index(axis) for axis in self.layout if axis != "1"]
        if order != sorted(order):
            value = graph.op("Transpose", value, perm=order)
        ones = [place for place, axis in enumerate(self.layout) if axis == "1"]
        value = graph.op("Unsqueeze", value, graph.ints(*ones)) if ones else value
        kind = self.data.type.tensor_type.elem_type
        return value if kind == onnx().TensorProto.FLOAT else graph.op("Cast", value, to=kind)

    def run(self, graph: Graph, value: str, states: dict[str, str], rows: Rows, *, of_row: bool) -> list[str]:
        """Add the operators; return the outputs in float32, without the batch axis if they are of one row."""
        for name, given in {self.data.name: value, **states}.items():
            graph.nodes.append(onnx().helper.make_node("Identity", [given], [name], name=f"{name}_in"))
        infos = {one.name: one for one in self.model.graph.input}
        for name, number in getattr(self.node, "inputs", {}).items():
            info = infos[self.prefix + name]
            kind = onnx().helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
            constant = (
                np.asarray(number).astype(kind).reshape(_shape_of(info) if np.ndim(number) == 0 else -1)
            )
            constant = constant.reshape([len(constant)] if len(_shape_of(info)) == 1 else _shape_of(info))
            graph.initializers.append(onnx().numpy_helper.from_array(constant, info.name))
        graph.initializers.extend(
            self.model.graph.initializer
        )  # in a loop's body, so that operators fuse there
        graph.nodes.extend(self.model.graph.node)
        found = []
        specs = self.node.output_specs(rows.spec).values()
        for name, spec in zip(outputs_of(self.node), specs, strict=True):
            out = self.as_floats(graph, name, spec.unit)
            whole = self.is_whole(name, spec)
            found.append(graph.op("Squeeze", out, graph.ints(0)) if of_row and not whole else out)
        return found


def _row_by_row(graph: Graph, net: _Network, rows: Rows) -> list[str]:
    """Run one row after another, each with the state that the one before left."""
    value, n = at_least_one(graph, rows) if rows.n is None else (rows.value, None)
    infos = {one.name: one for one in net.model.graph.input}
    shapes = {name: _shape_of(infos[name]) for name in net.states}
    for name in shapes:
        if infos[name].type.tensor_type.elem_type != onnx().TensorProto.FLOAT:
            refuse("OnnxModel", "state in float32", _bare(name), "export the network with such a state")
    starts, kept = [], []
    for shape in shapes.values():
        if graph.block is None:
            starts.append(graph.floats(np.zeros(shape)))
        else:
            before, state = graph.state(*shape)
            starts.append(before)
            kept.append(state)
    late = bool(shapes) and rows.delay > 0  # rows before the signal leave the state alone
    batched = "n" in net.layout
    if rows.n == 1:  # a block of one row needs no loop
        row = value if batched else graph.op("Squeeze", value, graph.ints(0))
        given = dict(zip(shapes, starts, strict=True))
        found = net.run(graph, net.in_layout(graph, row, rows), given, rows, of_row=True)
        early = graph.op("Less", graph.reshape(index_of(graph, rows), 1), [-0.5]) if late else ""
        for state, start, after in zip(kept, starts, net.states.values(), strict=True):
            state.value = graph.op("Where", early, start, after) if late else after
        return [graph.op("Unsqueeze", one, graph.ints(0)) for one in found]
    body = graph.within()
    row, index = body.name("row"), body.name("index")
    one = body.op("Unsqueeze", row, body.ints(0)) if batched else row
    given = {name: body.name("state") for name in shapes}
    found = net.run(body, net.in_layout(body, one, rows), given, rows, of_row=True)
    early = body.op("Less", index, -0.5) if late else ""
    afters = [
        body.op("Where", early, given[name], after) if late else body.op("Identity", after)
        for name, after in net.states.items()
    ]
    specs = net.node.output_specs(rows.spec).values()
    infos_in = [body.info(given[name], list(shape)) for name, shape in shapes.items()]
    infos_in.append(body.info(row, list(rows.shape)))
    scanned = [value]
    if late:
        infos_in.append(body.info(index, [1]))
        scanned.append(index_of(graph, rows))
    infos_out = [body.info(name, list(shape)) for name, shape in zip(afters, shapes.values(), strict=True)]
    infos_out += [body.info(name, list(spec.shape)) for name, spec in zip(found, specs, strict=True)]
    proto = body.proto(infos_in, infos_out, "row by row")
    n_out = len(infos_out)
    outputs = graph.ops("Scan", [*starts, *scanned], n_out, body=proto, num_scan_inputs=len(scanned))
    for state, after in zip(kept, outputs[: len(kept)], strict=True):
        state.value = after
    rest = outputs[len(afters) :]
    return rest if n is None else [graph.slice(one, 0, n) for one in rest]
