"""The table of nodes that a graph can hold: each one's function, by the name of its class."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from fastaudio.exporting.refusing import refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastaudio._core import Node
    from fastaudio.exporting.graph import Graph, Rows

Convert: TypeAlias = "Callable[[Graph, Any, Rows], Rows | list[Rows]]"
"""Adds a node's operators for its input rows and returns what comes out; the specs are filled in later."""

_CONVERTERS: dict[str, Convert] = {}

_GIVE_EXTENTS = {"Patches", "Each", "Sequential"}  # what branches cut, nodes behind them don't know

_NEVER = {
    "Events": "events, of which a clip has any number, found by rules over time",
}
_REMEDIES = {
    "Events": "export the pipeline that ends before it, and find events in its scores",
}


def converts(*names: str) -> Callable[[Convert], Convert]:
    """Register a function for nodes of these classes."""

    def register(function: Convert) -> Convert:
        _CONVERTERS.update(dict.fromkeys(names, function))
        return function

    return register


def exportable() -> frozenset[str]:
    """Return the names of the classes that a graph can hold."""
    return frozenset(_CONVERTERS)


def convert(graph: Graph, node: Node, rows: Rows) -> list[Rows]:
    """Add a node to a graph and return its outputs, in the order of `output_specs`.

    Raises:
        ExportError: a graph can't hold the node.
    """
    name = type(node).__name__
    if name not in _CONVERTERS:
        what = _NEVER.get(name, "it has no form in them yet")
        remedy = _REMEDIES.get(
            name, "export what comes before it, and run the rest on the rows that come out"
        )
        refuse("export_onnx", "nodes that ONNX operators can compute", f"{name}: {what}", remedy)
    found = _CONVERTERS[name](graph, node, rows)
    outputs = found if isinstance(found, list) else [found]
    specs = node.output_specs(rows.spec).values()
    outputs = [replace(one, spec=spec) for one, spec in zip(outputs, specs, strict=True)]
    return outputs if name in _GIVE_EXTENTS else [replace(one, extent=rows.extent) for one in outputs]
