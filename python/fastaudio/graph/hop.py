"""The step between a network's windows."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING

from fastaudio._core import Concat, Film, Parallel, Patches, Sequential

if TYPE_CHECKING:
    from fastaudio._core import Node, StreamSpec


def with_hop(node: Node, spec: StreamSpec, hop_s: float) -> Node:
    """Return the node with another step between windows; see `Pipeline.with_hop`."""
    if isinstance(hop_s, bool) or not isinstance(hop_s, Real):
        raise TypeError(f"Pipeline.with_hop: expected hop_s as a number of seconds, got {hop_s!r}")
    if not 0 < hop_s < math.inf:
        raise ValueError(f"Pipeline.with_hop: expected hop_s above 0 s, got {hop_s}")
    changed = _with_hop(node, spec, hop_s)
    if changed is None:
        raise ValueError(
            f"Pipeline.with_hop: expected a pipeline with Patches, got {node!r:.60}; "
            "the step of rows is their node's hop_length"
        )
    return changed


def _with_hop(node: Node, spec: StreamSpec, hop_s: float) -> Node | None:
    """Return the node with another step of the last Patches on the way to each output, all else shared.

    Outputs on whose way there are none stay as they are.

    Args:
        node: what to change.
        spec: of its input.
        hop_s: the step, rounded to whole rows, at least one.

    Returns:
        The node, or None if it holds no Patches.
    """
    if isinstance(node, Patches):
        options = {key: value for key, value in node.to_dict().items() if key != "node"}
        return Patches(**(options | {"hop": max(1, round(hop_s * spec.rate_hz))}))
    if isinstance(node, Sequential):
        parts = [node[i] for i in range(len(node))]
        specs = [spec]
        for part in parts[:-1]:
            specs += part.output_specs(specs[-1]).values()
        for i in reversed(range(len(parts))):
            other = _with_hop(parts[i], specs[i], hop_s)
            if other is not None:
                return Sequential([*parts[:i], other, *parts[i + 1 :]])
        return None
    return _with_branches(node, spec, hop_s)


def _with_branches(node: Node, spec: StreamSpec, hop_s: float) -> Node | None:
    """Return a node whose branches have the step; None if none holds Patches, or there are none."""
    if isinstance(node, Film):  # its rows are the content's
        content = _with_hop(node.content, spec, hop_s)
        return None if content is None else Film(content, node.condition, align=node.align)
    if not isinstance(node, Parallel | Concat):
        return None
    nodes = list(node.branches.values()) if isinstance(node, Parallel) else node.branches
    changed = [_with_hop(branch, spec, hop_s) for branch in nodes]
    if all(branch is None for branch in changed):
        return None
    nodes = [other or branch for other, branch in zip(changed, nodes, strict=True)]
    if isinstance(node, Parallel):
        return Parallel(dict(zip(node.branches, nodes, strict=True)))
    return Concat(*nodes, rate_of=node.rate_of, align=node.align)
