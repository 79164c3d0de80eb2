"""The layers of a pipeline's network: any tensor of its graph in place of the pipeline's results."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError, OnnxModel
from fastaudio._system.text import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fastaudio._core import Node

_REMEDY = re.compile(r"; (did you mean|choose) .*", re.DOTALL)


def layers(node: Node) -> tuple[str, ...]:
    """Return the names of the network's outputs in its order; none without a network, or with several.

    The network is the last one in a row of nodes; of several branches, only one may have a network.
    """
    ways = _ways(node)
    return _names(ways[0][0]) if len(ways) == 1 else ()


def layer(node: Node, name: str | None, card: Mapping[str, Any]) -> Node:
    """Return what leads to the network, and the network with that tensor; see `Pipeline.layer`."""
    ways = _ways(node)
    if len(ways) != 1:
        got = f"{len(ways)} in branches" if ways else "none"
        remedy = "; make a pipeline of one branch" if ways else ""
        raise ValueError(f"Pipeline.layer: expected a pipeline with one network, got {got}{remedy}")
    ((net, put),) = ways
    names = _names(net)
    name = _embedding(names, card) if name is None else name
    states = list(net.state.values())
    if not isinstance(name, str) or name in states:
        what = ", a state" if name in states else ""
        raise ValueError(f"Pipeline.layer: expected one of {listed(names)}, got {name!r:.80}{what}")
    try:
        return put(net[name])
    except ModelError as error:
        found = _REMEDY.search(str(error))
        remedy = found[0] if found else f": {error}"
        raise ValueError(
            f"Pipeline.layer: expected one of {listed(names)}, or an inner tensor, got {name!r:.80}{remedy}"
        ) from error


def _embedding(names: tuple[str, ...], card: Mapping[str, Any]) -> str:
    outputs = card.get("outputs", {})
    units = {name: what.get("unit") for name, what in outputs.items() if isinstance(what, dict)}
    return next((name for name in units if units[name] == "embedding" and name in names), names[0])


def _names(net: OnnxModel) -> tuple[str, ...]:
    """Return the outputs that aren't recurrent state."""
    return tuple(name for name in net.available_outputs if name not in net.state.values())


def _ways(node: Node) -> list[tuple[OnnxModel, Callable[[Node], Node]]]:
    """Return the last networks, one for each branch that has any.

    With each comes a function that puts a node in the network's place and keeps only what leads there.
    """
    if isinstance(node, OnnxModel):
        return [(node, lambda other: other)]
    children, roles = node.children(), node.child_roles()
    ways = []
    for i in reversed(range(len(children))):
        before = children[:i] if roles[i] == "step" else []
        encloses = roles[i] in ("step", "clip")
        for net, put in _ways(children[i]):
            ways.append((net, partial(_put, node, before, put) if encloses else put))
        if ways and roles[i] == "step":
            break
    return ways


def _put(node: Node, before: list[Node], put: Callable[[Node], Node], other: Node) -> Node:
    return node.with_children([*before, put(other)])
