"""The options of a live stream, which `Pipeline.live` and `Pipeline.listen` take as keywords."""

import inspect
import textwrap
from collections.abc import Callable
from typing import Any, Literal, TypeAlias, TypedDict, TypeVar

from fastaudio._core import LiveOptions

Overflow: TypeAlias = Literal["drop_oldest", "block", "raise"]

_Method = TypeVar("_Method", bound=Callable[..., Any])


class LiveOptionsDict(TypedDict, total=False):
    """Tells type checkers the keywords; `LiveOptions` declares their meaning, range and default."""

    overflow: Overflow
    buffer_s: float
    provisional_s: float | None
    start_sample: int
    max_results: int
    push_timeout_s: float | None


LIVE_DEFAULTS: LiveOptionsDict = {}
LISTEN_DEFAULTS: LiveOptionsDict = {"overflow": "drop_oldest", "push_timeout_s": None}
"""What `Pipeline.listen` takes instead of the usual defaults: a microphone can't wait, and a source that can
waits in a thread of its own."""


def takes_live_options(defaults: LiveOptionsDict) -> Callable[[_Method], _Method]:
    """Return a decorator that writes the live options into a method's signature and help.

    Args:
        defaults: those that differ from the usual ones; the method itself applies them.
    """
    usual = LiveOptions(**defaults)
    types = LiveOptionsDict.__annotations__

    def document(method: _Method) -> _Method:
        signature = inspect.signature(method)
        *parameters, _ = signature.parameters.values()  # without **options
        lines = []
        for name, kind in types.items():
            default = getattr(usual, name)
            parameters.append(
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            )
            line = f"{name}: {getattr(LiveOptions, name).__doc__} Default: {default!r}."
            lines.append(textwrap.fill(line, 100, initial_indent="    ", subsequent_indent="        "))
        method.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        if method.__doc__:
            method.__doc__ = inspect.cleandoc(method.__doc__) + "\n\nOptions:\n" + "\n".join(lines) + "\n"
        return method

    return document
