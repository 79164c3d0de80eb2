"""Cards of fastaudio 0.1, in which `Patches` cut the clips that the `Each` behind it took."""

from __future__ import annotations

from typing import Any

_DEEPEST = 32


def current(data: dict[str, Any]) -> dict[str, Any]:
    """Return a node's data with `Patches >> Each` merged into one Each; other data stays as it is."""
    nodes = data.get("nodes")
    if data.get("node") != "Sequential" or not isinstance(nodes, list):
        return data
    merged: list[Any] = []
    for node in nodes:
        cut = _cut(merged[-1], node, 0) if merged else None
        if cut is None:
            merged.append(node)
        else:
            merged[-1] = cut
    return data | {"nodes": merged}


def _cut(patches: Any, node: Any, depth: int) -> dict[str, Any] | None:
    """Return the node with `patches` moved into each Each that takes its patches; None if there is none."""
    if not isinstance(patches, dict) or patches.get("node") != "Patches":
        return None
    if not isinstance(node, dict) or depth > _DEEPEST:
        return None
    name = node.get("node")
    if name == "Each" and "clip_length" not in node:
        options = {key: value for key, value in patches.items() if key not in ("node", "length")}
        return node | options | {"clip_length": patches.get("length", 187)}
    if name == "Sequential":
        nodes: Any = node.get("nodes")
        first = _cut(patches, nodes[0], depth + 1) if isinstance(nodes, list) and nodes else None
        return None if first is None else node | {"nodes": [first, *nodes[1:]]}
    return _cut_branches(patches, node, depth) if name in ("Parallel", "Concat", "Film") else None


def _cut_branches(patches: dict[str, Any], node: dict[str, Any], depth: int) -> dict[str, Any] | None:
    """Return the node with `patches` moved into its branches: into an Each, or in front of what has none."""
    branches = node.get("branches", node)  # Film has an entry for each branch instead
    items = dict(enumerate(branches)) if isinstance(branches, list) else branches
    if not isinstance(items, dict):
        return None
    nodes = {key: child for key, child in items.items() if isinstance(child, dict)}
    cut = {key: _cut(patches, child, depth + 1) for key, child in nodes.items()}
    if all(child is None for child in cut.values()):
        return None
    in_front = {key: {"node": "Sequential", "nodes": [patches, child]} for key, child in nodes.items()}
    changed = items | {key: cut[key] or in_front[key] for key in nodes}
    if branches is node:
        return changed
    return node | {"branches": list(changed.values()) if isinstance(branches, list) else changed}
