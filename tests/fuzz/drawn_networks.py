"""Draws ONNX networks over rows [n, 4, 3], odd ones among them; written without ONNX' own library."""

from __future__ import annotations

import random
import struct
from typing import Any

from protobuf import Field, One, Writer

FLOAT, INT64, BOOL, DOUBLE, FLOAT16 = 1, 7, 9, 11, 10
UNARY = ["Relu", "Neg", "Abs", "Sigmoid", "Tanh", "Identity", "Sin", "Softmax", "Erf", "Floor"]
ODD = [
    "Log",
    "Sqrt",
    "Reciprocal",
    "Exp",
    "Shape",
    "NonZero",
    "Size",
    "IsNaN",
    "Nonsense",
    "Flatten",
    "Unique",
]
LOCATIONS = [
    *("../outside/canary", "beside.bin", "./beside.bin", "/proc/self/environ", "/etc/hostname", "/dev/zero"),
    *(
        "*/_ORT_MEM_ADDR_/*",
        "",
        ".",
        "link.bin",
        "file:beside.bin",
        "sub/../../outside/canary",
        "beside.bin\0x",
    ),
]
FOREVER = "forever"
"""In the name of a loop that never ends."""


def tensor(name: str, values: list[float], dims: list[int] | None = None, kind: int = FLOAT) -> One:
    """A tensor with its values inside."""
    form = {FLOAT: "f", INT64: "q", BOOL: "?", DOUBLE: "d"}[kind]
    raw = struct.pack(f"<{len(values)}{form}", *values)
    shape = [len(values)] if dims is None else dims
    return One([*((1, n) for n in shape), (2, kind), (8, name), (9, raw)])


def external(name: str, rng: random.Random) -> One:
    """A tensor whose values lie elsewhere."""
    pairs = [("location", rng.choice(LOCATIONS))]
    if rng.random() < 0.6:
        pairs.append(("offset", str(rng.choice([0, 4, 1 << 20, 1 << 40, -1, 139_000_000_000_000, "x"]))))
    if rng.random() < 0.6:
        pairs.append(("length", str(rng.choice([12, 0, 1 << 40, -1, "x"]))))
    if rng.random() < 0.3:
        pairs.append(rng.choice([("location", "beside.bin"), ("checksum", "0"), ("", "")]))
    rng.shuffle(pairs)
    entries: list[Field] = [(13, [(1, key), (2, value)]) for key, value in pairs]
    place: list[Field] = [(14, 1)] if rng.random() < 0.9 else []
    values: list[Field] = [(9, struct.pack("<3f", 0, 0, 0))] if rng.random() < 0.1 else []
    return One([(1, 3), (2, FLOAT), (8, name), *entries, *place, *values])


def value(name: str, dims: list[Any], kind: int = FLOAT) -> list[Field]:
    """A named input or output; a dimension is a number, a name or None."""
    shape = One([(1, [] if n is None else [(2 if isinstance(n, str) else 1, n)]) for n in dims])
    return [(1, name), (2, One([(1, One([(1, kind), (2, shape)]))]))]


def node(
    op: str, inputs: list[str], outputs: list[str], *attributes: list[Field], domain: str = ""
) -> list[Field]:
    """One node of a graph."""
    named: list[Field] = [*((1, name) for name in inputs), *((2, name) for name in outputs), (4, op)]
    return [*named, *((5, attribute) for attribute in attributes), *([(7, domain)] if domain else [])]


def attribute(name: str, field: int, content: Any, kind: int) -> list[Field]:
    """An attribute: its field says where the value stands, its kind what it is."""
    return [(1, name), (field, content), (20, kind)]


class Network:
    """Draws one network, step by step: what a step gives is the next one's input."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._n = 0
        self._outside = rng.random() < 0.5
        self._odd = rng.random() < 0.3
        self._constants: list[Field] = []
        self._functions: list[Field] = []

    def name(self, base: str = "v") -> str:
        """Return a name that is new."""
        self._n += 1
        return f"{base}{self._n}"

    def weights(self, name: str) -> One:
        """Three values, in another file at times."""
        rng = self._rng
        if self._outside and rng.random() < 0.6:
            return external(name, rng)
        return tensor(name, [rng.uniform(-1, 1) for _ in range(3)])

    def steps(self, start: str, n: int, depth: int = 0) -> tuple[list[Field], str]:
        """Return the nodes of some steps, and the name of the last one's result."""
        nodes: list[Field] = []
        for _ in range(n):
            end = self.name()
            kinds = [self._unary, self._unary, self._weighted, self._constant, self._sparse]
            kinds += [self._branch, self._loop, self._scan, self._function] if depth < 2 else []
            nodes += [(1, part) for part in self._rng.choice(kinds)(start, end, depth)]
            start = end
        return nodes, start

    def _unary(self, start: str, end: str, _: int) -> list[Any]:
        return [node(self._rng.choice(UNARY + (ODD if self._odd else [])), [start], [end])]

    def _weighted(self, start: str, end: str, _: int) -> list[Any]:
        name = self.name("w")
        self._constants.append((5, self.weights(name)))
        return [node(self._rng.choice(["Add", "Mul", "Sub"]), [start, name], [end])]

    def _constant(self, start: str, end: str, _: int) -> list[Any]:
        name = self.name("c")
        value_of = attribute("value", 5, self.weights(""), 4)
        return [node("Constant", [], [name], value_of), node("Add", [start, name], [end])]

    def _sparse(self, start: str, end: str, _: int) -> list[Any]:
        name = self.name("s")
        indices = tensor("", [0, 1, 2], kind=INT64)
        inside = self._rng.random() < 0.5
        content = One([(1, self.weights("" if inside else name)), (2, indices), (3, 3)])
        if inside:
            sparse = attribute("sparse_value", 22, content, 11)
            return [node("Constant", [], [name], sparse), node("Add", [start, name], [end])]
        self._constants.append((15, content))
        return [node("Add", [start, name], [end])]

    def _graph(
        self, start: str, depth: int, inputs: list[Any], first: list[Field], outputs: list[Any]
    ) -> One:
        """A graph in an attribute: it reads `start` from outside, and gives `outputs` and its last value."""
        nodes, end = self.steps(start, self._rng.randint(0, 2), depth + 1)
        last = self.name()
        weights: list[Field] = [(5, self.weights(self.name("w")))] if self._rng.random() < 0.4 else []
        return One(
            [*first, *nodes, (1, node("Identity", [end], [last])), (2, "inner"), *weights]
            + [(11, one) for one in inputs]
            + [(12, one) for one in [*outputs, value(last, ["n", 4, 3])]]
        )

    def _branch(self, start: str, end: str, depth: int) -> list[Any]:
        flag = self.name("b")
        self._constants.append((5, tensor(flag, [self._rng.random() < 0.5], [], BOOL)))
        graphs = [self._graph(start, depth, [], [], []) for _ in range(2)]
        then, other = (
            attribute(name, 6, graph, 5)
            for name, graph in zip(("then_branch", "else_branch"), graphs, strict=True)
        )
        return [node("If", [flag], [end], then, other)]

    def _loop(self, start: str, end: str, depth: int) -> list[Any]:
        forever = self._rng.random() < 0.1
        count, go, i, more, kept, so = (self.name(FOREVER if forever else "l") for _ in range(6))
        trips = (1 << 62) if forever else self._rng.choice([0, 1, 3, 50])
        self._constants.append((5, tensor(count, [trips], [], INT64)))
        self._constants.append((5, tensor(go, [True], [], BOOL)))
        inputs = [value(i, [], INT64), value(more, [], BOOL), value(kept, ["n", 4, 3])]
        first: list[Field] = [(1, node("Identity", [more], [so]))]
        body = self._graph(kept, depth, inputs, first, [value(so, [], BOOL)])
        return [node("Loop", [count, go, start], [end], attribute("body", 6, body, 5))]

    def _scan(self, start: str, end: str, depth: int) -> list[Any]:
        row = self.name("r")
        body = self._graph(row, depth, [value(row, [4, 3])], [], [])
        one = attribute("num_scan_inputs", 3, 1, 2)
        return [node("Scan", [start], [end], attribute("body", 6, body, 5), one)]

    def _function(self, start: str, end: str, depth: int) -> list[Any]:
        name = self.name("F")
        constants, self._constants = self._constants, []
        nodes, last = self.steps("given", self._rng.randint(1, 2), depth + 1)
        lost, self._constants = self._constants, constants + self._constants
        body: list[Field] = [(1, name), (4, "given"), (5, "out"), *((7, part) for _, part in nodes)]
        body += [(7, node("Identity", [last], ["out"])), (9, [(1, ""), (2, 17)]), (9, [(1, "own"), (2, 1)])]
        self._functions.append((25, [*body, (10, "own")]))
        assert len(lost) <= len(
            self._constants
        )  # weights of a function lie outside it, and aren't seen from there
        return [node(name, [start], [end], domain="own")]

    def model(self) -> list[Field]:
        """Return the whole model."""
        rng = self._rng
        nodes, end = self.steps("x", rng.choice([0, 1, 2, 4]))
        batch = rng.choice(["n", "n", "n", None, 1, 4])
        shape: list[Any] = [batch, 4, 3]
        kind = FLOAT
        if self._odd:
            shape = rng.choice(
                [shape, [batch], [], [0, 4, 3], [batch, -1, 3], [batch, 1 << 40, 3], [batch, "t", "f"]]
            )
            kind = rng.choice([FLOAT, FLOAT, INT64, DOUBLE, FLOAT16, 99])
        outputs = [value(end, rng.choice([[batch, 4, 3], [batch, None, None], []]), FLOAT)]
        if rng.random() < 0.2:
            outputs.append(value(rng.choice(["x", "v1", end, "absent"]), shape))
        if self._odd and rng.random() < 0.2:
            outputs = []
        graph = One([*nodes, (2, "drawn"), *self._constants, (11, value("x", shape, kind))])
        graph += [(12, output) for output in outputs]
        if rng.random() < 0.1:
            graph.append((11, value("y", shape)))
        rest: list[Field] = []
        if rng.random() < 0.1:
            rest.append((20, [(1, One([(5, self.weights("t")), (2, "training")]))]))
        if rng.random() < 0.1:
            rest.append((14, [(1, "location"), (2, "beside.bin")]))  # a text that isn't external data
        opsets: list[Field] = [
            (8, [(1, ""), (2, rng.choice([17] * 20 + [13, 21, 999, 0]))]),
            (8, [(1, "own"), (2, 1)]),
        ]
        return [(1, rng.choice([8] * 20 + [10, 3, 999])), *opsets, (7, graph), *self._functions, *rest]


def network(rng: random.Random) -> bytes:
    """Return a network as a file."""
    return Writer(rng, rng.choice([0.0, 0.0, 0.1, 0.5])).message(Network(rng).model())


def looping(trips: int) -> bytes:
    """Return a network that takes its time: so many turns of a loop for each run."""
    count, go = tensor("count", [trips], [], INT64), tensor("go", [True], [], BOOL)
    body = One(
        [(1, node("Identity", ["more"], ["so"])), (1, node("Sin", ["kept"], ["last"])), (2, "body")]
        + [(11, one) for one in (value("i", [], INT64), value("more", [], BOOL), value("kept", ["n", 4, 3]))]
        + [(12, one) for one in (value("so", [], BOOL), value("last", ["n", 4, 3]))]
    )
    loop = node("Loop", ["count", "go", "x"], ["y"], attribute("body", 6, body, 5))
    rows = ["n", 4, 3]
    graph = One(
        [(1, loop), (2, "looping"), (5, count), (5, go), (11, value("x", rows)), (12, value("y", rows))]
    )
    return Writer(random.Random(0), 0).message([(1, 8), (8, [(1, ""), (2, 17)]), (7, graph)])  # noqa: S311
