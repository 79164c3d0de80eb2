"""Refusing keywords that a function doesn't have, with the one that was probably meant."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from fastaudio._core import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")


def checked_keywords(function: Function) -> Function:
    """Return the function with a check of its keywords' names, which says what was probably meant.

    The check itself raises TypeError, in the form that all errors have.
    """
    parameters = inspect.signature(function).parameters.values()
    takes = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    known = [name for name in takes if name not in ("self", "cls")]
    subject = function.__qualname__.removesuffix(".__call__").removesuffix(".__init__")

    @functools.wraps(function)
    def call(*args: Any, **keywords: Any) -> Any:
        if keywords and not keywords.keys() <= set(known):
            got = next(name for name in keywords if name not in known)
            among = ", ".join(known)
            guess = did_you_mean(got, known)
            raise TypeError(f"{subject}: expected options among {among}, got {got!r:.80}{guess}")
        return function(*args, **keywords)

    return call  # type: ignore[return-value]
