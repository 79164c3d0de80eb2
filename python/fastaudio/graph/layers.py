"""The layers of a pipeline's network: any output of it in place of what is made of the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastaudio._core import Concat, Film, OnnxModel, Parallel, Sequential

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastaudio._core import Node


def layers(node: Node) -> tuple[str, ...]:
    """Return the names of the network's outputs in its order; none without a network, or with several.

    The network is the last one on the way; where branches part, that of the only branch with one.
    """
    ways = _ways(node)
    return _names(ways[0][1]) if len(ways) == 1 else ()


def layer(node: Node, name: str | None, card: Mapping[str, Any]) -> Node:
    """Return what leads to the network and the network with that output, its weights shared.

    Args:
        node: what holds the network.
        name: of the output; None for the first that the card calls an embedding, else the first.
        card: the model's.

    Raises:
        ValueError: no such output, no network, or several in branches.
    """
    ways = _ways(node)
    if len(ways) != 1:
        got = f"{len(ways)} in branches" if ways else "none"
        remedy = "; make a pipeline of one branch" if ways else ""
        raise ValueError(f"Pipeline.layer: expected a pipeline with one network, got {got}{remedy}")
    ((before, net),) = ways
    names = _names(net)
    name = _embedding(names, card) if name is None else name
    if name not in names:
        raise ValueError(f"Pipeline.layer: expected one of {', '.join(names)}, got {name!r}")
    return Sequential([*before, net[name]])


def _embedding(names: tuple[str, ...], card: Mapping[str, Any]) -> str:
    outputs = card.get("outputs", {})
    units = {name: what.get("unit") for name, what in outputs.items() if isinstance(what, dict)}
    return next((name for name in units if units[name] == "embedding" and name in names), names[0])


def _names(net: OnnxModel) -> tuple[str, ...]:
    """Return the outputs that are no recurrent state."""
    return tuple(name for name in net.available_outputs if name not in net.state.values())


def _ways(node: Node) -> list[tuple[list[Node], OnnxModel]]:
    """Return the last networks, one for each branch that has any, with the nodes before them."""
    if isinstance(node, OnnxModel):
        return [([], node)]
    if isinstance(node, Sequential):
        parts = [node[i] for i in range(len(node))]
        for i in reversed(range(len(parts))):
            if ways := _ways(parts[i]):
                return [([*parts[:i], *before], net) for before, net in ways]
        return []
    return [way for branch in _branches(node) for way in _ways(branch)]


def _branches(node: Node) -> list[Node]:
    if isinstance(node, Parallel):
        return list(node.branches.values())
    if isinstance(node, Film):
        return [node.content, node.condition]
    return list(node.branches) if isinstance(node, Concat) else []
