"""The step between a network's windows."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING

from fastaudio._core import OnnxModel, Patches

if TYPE_CHECKING:
    from fastaudio._core import Node, StreamSpec

_MOST = 2**31 - 1  # rows, more than any node takes


def with_hop(node: Node, spec: StreamSpec, hop_s: float) -> Node:
    """Return the node with another step between windows; see `Pipeline.with_hop`."""
    if isinstance(hop_s, bool) or not isinstance(hop_s, Real):
        raise TypeError(f"Pipeline.with_hop: expected hop_s as a number of seconds, got {hop_s!r:.80}")
    if not 0 < hop_s < math.inf:
        raise ValueError(f"Pipeline.with_hop: expected hop_s above 0 s, got {hop_s}")
    changed = _with_hop(node, spec, hop_s)
    if changed is None:
        raise ValueError(
            f"Pipeline.with_hop: expected a pipeline with Patches or Each, got {node!r:.60}; "
            "the step of rows is their node's hop_length"
        )
    return changed


def _with_hop(node: Node, spec: StreamSpec, hop_s: float) -> Node | None:
    """Return the node with another hop of the last node that cuts windows before each output.

    An output with no such node before it stays as it is, and all other nodes are shared. None says that
    nothing in the node cuts windows. `spec` is its input's. A ValueError says that a network behind the
    windows remembers the ones before.
    """
    if node.cuts_windows() and not _of_one_number(node, spec):
        return node.with_hop(max(1, round(min(float(min(hop_s, _MOST)) * spec.rate_hz, _MOST))))
    children, roles = node.children(), node.child_roles()
    changed: list[Node | None] = [None] * len(children)
    if "step" in roles:
        specs = [spec]
        for child in children[:-1]:
            specs += child.output_specs(specs[-1]).values()
        for i in reversed(range(len(children))):
            new = changed[i] = _with_hop(children[i], specs[i], hop_s)
            if new is not None:
                own = _rates_hz(children[i], specs[i])
                if _rates_hz(new, specs[i]) != own:
                    _refuse_recurrent(children[i + 1 :], own)
                break
    else:
        for i, role in enumerate(roles):
            if role in ("output", "joined"):
                changed[i] = _with_hop(children[i], spec, hop_s)
    if all(child is None for child in changed):
        return None
    return node.with_children([new or old for new, old in zip(changed, children, strict=True)])


def _of_one_number(node: Node, spec: StreamSpec) -> bool:
    """Tell whether a node makes each number that a network gives a row of one, and so no windows."""
    is_number = not spec.shape and spec.unit != "samples"
    return is_number and isinstance(node, Patches) and node.context + node.length == 1


def _rates_hz(node: Node, spec: StreamSpec) -> list[float]:
    return [output.rate_hz for output in node.output_specs(spec).values()]


def _refuse_recurrent(nodes: list[Node], rates_hz: list[float]) -> None:
    """Raise a ValueError if a network among nodes behind the windows carries state from row to row.

    It learnt what windows one step apart sound like; with another step it remembers another sound. A network
    within `Each` starts anew for each clip, and `Each` cuts windows itself, so it isn't among these nodes.
    """
    for node in nodes:
        if isinstance(node, OnnxModel) and node.state:
            own = " or ".join(f"{1 / rate_hz:g} s" for rate_hz in rates_hz)
            raise ValueError(
                "Pipeline.with_hop: expected a network without memory, got a recurrent one, which is right "
                f"only with its own step of {own}; leave out hop_s (--hop), and take every n-th result "
                "if you need fewer"
            )
        _refuse_recurrent(node.children(), rates_hz)
