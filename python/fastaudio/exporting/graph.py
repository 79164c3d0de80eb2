"""A graph of ONNX operators while it is built: names, constants, state, and graphs within it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._system.extras import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio._core import StreamSpec

OPSET, IR_VERSION = 17, 8
_AXES_ARE_INPUTS = 18  # the opset from which ReduceMean and ReduceMax take their axes as ReduceSum does
_SMALL = 64  # constants of so few values are shared


def onnx() -> Any:
    """Return the package onnx, with the parts that are used here."""
    for part in ("checker", "compose", "helper", "numpy_helper", "version_converter"):
        require(f"onnx.{part}", extra="onnx", what="export_onnx")
    return require("onnx", extra="onnx", what="export_onnx")


@dataclass(frozen=True)
class Rows:
    """Rows [n, *shape] as a tensor of the graph.

    A graph for a whole signal has any number of them. One for blocks has `n` in each, and its first `delay`
    rows of all come before the signal's row 0: they mean nothing. `extent` is how many rows a node cut to
    patches, and their rate: of what was padded, a later node may give nothing.
    """

    value: str
    spec: StreamSpec
    shape: tuple[int, ...]
    n: int | None = None
    delay: int = 0
    extent: tuple[str, float] | None = None

    @property
    def rank(self) -> int:
        """Axes of the tensor."""
        return 1 + len(self.shape)


@dataclass
class _State:
    """What a block leaves for the next: float32, zeros at first."""

    name: str
    shape: tuple[int, ...]
    value: str = ""


@dataclass
class Graph:
    """Operators in order. `block` is how many samples a run takes, None for a whole signal."""

    opset: int = OPSET
    block: int | None = None
    prefix: str = ""
    outer: Graph | None = None
    nodes: list[Any] = field(default_factory=list)
    initializers: list[Any] = field(default_factory=list)
    states: list[_State] = field(default_factory=list)
    domains: dict[str, int] = field(default_factory=dict)
    ir_version: int = IR_VERSION
    _count: int = 0
    _constants: dict[tuple[str, tuple[int, ...], bytes], str] = field(default_factory=dict)
    _blocks: str = ""

    def __post_init__(self) -> None:
        self._onnx = onnx()

    def within(self) -> Graph:
        """Return a graph for the body of a Scan; it sees what this one holds."""
        name = self.name("body")
        return Graph(opset=self.opset, prefix=f"{name}.", outer=self.root)

    @property
    def root(self) -> Graph:
        """The graph that holds all constants."""
        return self if self.outer is None else self.outer

    def name(self, hint: str) -> str:
        """Return a name that nothing has."""
        self._count += 1
        return f"{self.prefix}~{hint}_{self._count}"

    def ops(self, kind: str, inputs: list[str], n_outputs: int = 1, **attributes: Any) -> list[str]:
        """Add an operator and return the names of its outputs."""
        outputs = [self.name(kind) for _ in range(n_outputs)]
        self.nodes.append(self._onnx.helper.make_node(kind, inputs, outputs, name=outputs[0], **attributes))
        return outputs

    def op(self, kind: str, *inputs: str | float | list[float] | NDArray[Any], **attributes: Any) -> str:
        """Add an operator with one output and return its name; numbers are constants in float32."""
        names = [one if isinstance(one, str) else self.floats(one) for one in inputs]
        return self.ops(kind, names, **attributes)[0]

    def constant(self, values: NDArray[Any]) -> str:
        """Return the name of a constant; equal small ones are one."""
        root = self.root
        key = (str(values.dtype), values.shape, values.tobytes() if values.size <= _SMALL else b"")
        if values.size <= _SMALL and key in root._constants:  # noqa: SLF001  # of its own class
            return root._constants[key]  # noqa: SLF001
        name = root.name("constant")
        root.initializers.append(self._onnx.numpy_helper.from_array(np.array(values, order="C"), name))
        root._constants[key] = name  # noqa: SLF001
        return name

    def floats(self, values: float | list[float] | NDArray[Any]) -> str:
        """Return a constant in float32."""
        return self.constant(np.asarray(values, dtype=np.float32))

    def doubles(self, values: float | list[float] | NDArray[Any]) -> str:
        """Return a constant in float64."""
        return self.constant(np.asarray(values, dtype=np.float64))

    def ints(self, *values: int) -> str:
        """Return a constant [n_values] in int64, as sizes, axes and indices are."""
        return self.constant(np.asarray(values, dtype=np.int64))

    def length(self, value: str) -> str:
        """Return the number of rows as int64 [1]."""
        return self.op("Shape", value, start=0, end=1)

    def int_op(self, kind: str, *inputs: str | int, **attributes: Any) -> str:
        """Add an operator over int64 [n]; numbers are constants [1]."""
        return self.op(
            kind, *(one if isinstance(one, str) else self.ints(one) for one in inputs), **attributes
        )

    def arange(self, n: str) -> str:
        """Return 0, 1, ... as int64 [n], where n is int64 [1]."""
        zero, one = (self.constant(np.array(i, dtype=np.int64)) for i in (0, 1))
        return self.op("Range", zero, self.op("Squeeze", n, self.ints(0)), one)

    def slice(self, value: str, start: str | int, end: str | int, axis: int = 0) -> str:
        """Return the part from `start` to `end` along an axis."""
        bounds = (one if isinstance(one, str) else self.ints(one) for one in (start, end))
        return self.op("Slice", value, *bounds, self.ints(axis))

    def concat(self, *values: str, axis: int = 0) -> str:
        """Return tensors one after another."""
        return values[0] if len(values) == 1 else self.op("Concat", *values, axis=axis)

    def pad(self, value: str, rank: int, before: str | int, after: str | int, fill: float = 0.0) -> str:
        """Add rows of `fill` before and after."""
        both = [one if isinstance(one, str) else self.ints(one) for one in (before, after)]
        none = [self.ints(*[0] * (rank - 1))] if rank > 1 else []
        sizes = self.concat(both[0], *none, both[1], *none)
        return self.op("Pad", value, sizes, self.constant(np.asarray(fill, dtype=np.float32)))

    def reshape(self, value: str, *shape: int) -> str:
        """Return the same values with another shape; -1 is what is left."""
        return self.op("Reshape", value, self.ints(*shape))

    def cast(self, value: str, to: str) -> str:
        """Return the values as FLOAT, DOUBLE, INT64 or BOOL."""
        return self.op("Cast", value, to=getattr(self._onnx.TensorProto, to))

    def reduce(self, kind: str, value: str, axes: list[int], *, keep: bool = True) -> str:
        """Reduce axes by Sum, Mean, Max or Min."""
        if kind == "Sum" or self.opset >= _AXES_ARE_INPUTS:
            return self.op(f"Reduce{kind}", value, self.ints(*axes), keepdims=int(keep))
        return self.op(f"Reduce{kind}", value, axes=axes, keepdims=int(keep))

    def state(self, *shape: int) -> tuple[str, _State]:
        """Return the name of what the block before left, and where to put what this one leaves."""
        state = _State(f"state{len(self.states)}", shape)
        self.states.append(state)
        return state.name, state

    def blocks(self) -> str:
        """Return how many blocks came before this one, at most a million, as float32 [1]."""
        if not self._blocks:
            self._blocks, state = self.state(1)
            state.value = self.op("Min", self.op("Add", self._blocks, [1.0]), [1e6])
        return self._blocks

    def proto(self, inputs: list[Any], outputs: list[Any], name: str) -> Any:
        """Return it as ONNX holds it."""
        return self._onnx.helper.make_graph(self.nodes, name, inputs, outputs, self.initializers)

    def info(self, name: str, shape: list[int | str | None], kind: str = "FLOAT") -> Any:
        """Return what ONNX says of an input or an output."""
        return self._onnx.helper.make_tensor_value_info(name, getattr(self._onnx.TensorProto, kind), shape)
