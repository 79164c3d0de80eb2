"""Results that count as instances of the node which they are named after."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastaudio._core import Node


def count_as(node: type[Node], module: str) -> None:
    """Make `isinstance(x, node)` true for a result as well, a class of the node's name in `module`.

    A pipeline that ends in the node `Tags` returns a `fastaudio.tags.Tags`; who asks for `fastaudio.Tags`
    means either. Nothing else about the node's class changes. The module needn't be imported: until it is,
    there is no such result.
    """
    meta: Any = type(node)

    class NodeOrResult(meta):  # type: ignore[misc]
        def __instancecheck__(self, instance: object) -> bool:
            result = getattr(sys.modules.get(module), node.__name__, None) if self is node else None
            named = result is not None and isinstance(instance, result)
            return named or type.__instancecheck__(self, instance)

    node.__class__ = NodeOrResult  # type: ignore[method-assign]
