"""What a card from a stranger may cost, before anyone has said that it is trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from fastaudio._core import BudgetError, Each, check_interrupt, within_budget

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastaudio._core import Node, StreamSpec

T = TypeVar("T")

_DEEPEST = 100  # levels, far below what Python's stack holds
_MOST = 2**63


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Limits for a card as a whole, each checked before memory is taken. None is no limit.

    `Pipeline.load` takes one. Without it the defaults hold: all models that come with the package need less
    than a tenth of each. A card that asks for more is refused within a second, before it takes 300 MB.
    What you compose in Python yourself isn't limited. How long a loaded card runs isn't either: calls
    take `timeout_s`.

    Attributes:
        table_bytes: tables of all nodes together, such as filterbanks and windows; networks' weights don't
            count.
        buffer_values: numbers of 4 bytes that one stream of the pipeline holds in all its buffers.
        run_values: numbers that a network takes in one run: those of a row times its batch.
        probe_values: numbers read by the nodes of an `Each` for its first clip, which tells how many rows
            clips give.
        values_per_s: numbers that a node gives for a second of sound, estimated once it is built: the memory
            of running the card grows with it.
        build_s: processor seconds for tables and first clips; what ONNX Runtime takes to load a network
            doesn't count.
        nodes: nodes in the card, those within others included.
        networks: nodes that are an `OnnxModel`.
        depth: levels of nodes within nodes, at most 100.
        items: values in the card's JSON, such as numbers and labels.

    Raises:
        ValueError: a limit that isn't above 0, or a depth above 100.
        TypeError: a limit that isn't a number.
    """

    table_bytes: int | None = 64 << 20
    buffer_values: int | None = 16 << 20
    run_values: int | None = 8 << 20
    probe_values: int | None = 256 << 20
    values_per_s: int | None = 16 << 20
    build_s: float | None = 0.6
    nodes: int | None = 2000
    networks: int | None = 64
    depth: int = 32
    items: int | None = 512 << 10

    def __post_init__(self) -> None:
        """Check the limits."""
        for field in fields(self):
            value = getattr(self, field.name)
            takes = int | float if field.name == "build_s" else int
            if value is None and field.name != "depth":
                continue
            if isinstance(value, bool) or not isinstance(value, takes):
                got = f"{value!r:.80} ({type(value).__name__})"
                raise TypeError(f"Budget: expected {field.name} as a number, got {got}")
            if field.name == "depth" and not 0 < value <= _DEEPEST:
                raise ValueError(f"Budget: expected depth in [1, {_DEEPEST}] levels, got {value}")
            if not 0 < value < _MOST:
                raise ValueError(f"Budget: expected {field.name} above 0 and below 2**63, got {value}")

    @classmethod
    def unlimited(cls) -> Budget:
        """Return a budget for a card that you trust: it has no limits but the depth, which is 100."""
        return cls(**{field.name: None for field in fields(cls)} | {"depth": _DEEPEST})  # type: ignore[arg-type]

    def within(self, call: Callable[[], T]) -> T:
        """Return what `call` returns; tables and buffers that it makes in this thread count together.

        Raises:
            BudgetError: they are more than this allows.
        """
        names = ("table_bytes", "buffer_values", "run_values", "probe_values", "build_s")
        result: T = within_budget(call, **{name: getattr(self, name) for name in names})
        return result


class Counted:
    """Counts a card's nodes while they are built."""

    def __init__(self, budget: Budget, pipeline: Any = None) -> None:
        """Begin with none; `pipeline` is the card's, to say how much it asks for once that is too much."""
        self._budget, self._pipeline = budget, pipeline
        self._nodes, self._networks = -1, 0  # the row of nodes around all others doesn't count

    def add(self, name: Any, depth: int) -> None:
        """Count a node of that name, `depth` levels down."""
        check_interrupt()
        self._nodes += 1
        self._networks += name == "OnnxModel"
        if depth > self._budget.depth:
            self._refuse("depth", "levels of nodes within nodes", depth)
        if self._nodes > (self._budget.nodes or math.inf):
            self._refuse("nodes", "nodes", self._nodes)
        if self._networks > (self._budget.networks or math.inf):
            self._refuse("networks", "networks", self._networks)

    def _refuse(self, limit: str, what: str, least: int) -> None:
        """Refuse the card, and say how much it asks for in all."""
        got = max(least, asked_for(self._pipeline)[limit])
        refuse(limit, f"{getattr(self._budget, limit)} {what}", str(got))


def asked_for(pipeline: Any) -> dict[str, int]:
    """Return how many nodes, networks and levels of them ("depth") stand in a card's pipeline."""
    found = {"nodes": 0, "networks": 0, "depth": 0}
    left: list[tuple[Any, int]] = [(pipeline, 1)]
    while left:  # no recursion: a card may nest deeper than the stack
        data, depth = left.pop()
        if isinstance(data, list):
            left += ((part, depth) for part in data)
        elif isinstance(data, dict):
            if "node" in data:
                found["nodes"] += 1
                found["networks"] += data["node"] == "OnnxModel"
                found["depth"] = max(found["depth"], depth)
                depth += 1
            left += ((part, depth) for part in data.values())
    return found


def check_rates(node: Node, budget: Budget) -> None:
    """Raise BudgetError if a node, or one within it, gives too many numbers for a second of sound."""
    if budget.values_per_s is not None and (spec := node.input_spec) is not None:
        _check_rates(node, spec, budget.values_per_s, 1.0)


def _check_rates(node: Node, spec: StreamSpec, limit: int, times: float) -> None:
    """Check a node whose input comes so many times over, as that of clips that overlap does."""
    check_interrupt()
    here = spec
    for child, role in zip(node.children(), node.child_roles(), strict=True):
        again = 1.0
        if isinstance(node, Each):
            again = max(1.0, (node.context + node.clip_length) / (node.hop or node.clip_length))
        _check_rates(child, here, limit, times * again)
        if role == "step":
            here = next(iter(child.output_specs(here).values()))
    n_values = times * sum(out.rate_hz * math.prod(out.shape) for out in node.output_specs(spec).values())
    if n_values > limit:
        allowed = f"{limit} values per second of sound from a node"
        refuse("values_per_s", allowed, f"{n_values:.3g} from {type(node).__name__}")


def check_items(text: bytes, budget: Budget) -> None:
    """Raise BudgetError if JSON holds too many values, counted by what stands between them."""
    if budget.items is None or len(text) <= budget.items:
        return
    n_items = sum(map(text.count, (b",", b"[", b"{")))
    if n_items > budget.items:
        refuse("items", f"{budget.items} values", str(n_items))


def refuse(limit: str, allowed: str, got: str) -> NoReturn:
    """Raise a BudgetError."""
    value = "None"
    if limit == "depth":
        value = got if int(got) <= _DEEPEST else ""
    remedy = f"if you trust it, load it with budget=fastaudio.Budget({limit}={value})"
    if not value:
        remedy = f"no budget allows more than {_DEEPEST}: write it with fewer nodes within nodes"
    raise BudgetError(f"pipeline: expected at most {allowed} in a card, got {got}; {remedy}")
