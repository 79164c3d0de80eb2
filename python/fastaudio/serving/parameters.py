"""Parameters of a request's query: each has a type and a range, and one that is unknown is refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fastaudio.serving.refusing import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.datastructures import QueryParams

_LONGEST = 40
_LONGEST_TEXT = 200


def _refused(name: str, expected: str, got: str) -> Refused:
    return Refused(400, "bad_parameter", f"{name}: expected {expected}, got {got[:_LONGEST]!r}")


class Parameters:
    """Reads a query; what is absent has its default."""

    def __init__(self, query: QueryParams, known: Iterable[str]) -> None:
        """Take a query; Refused if it has a name that isn't known, or one twice."""
        pairs = query.multi_items()
        names = [name for name, _ in pairs]
        known = sorted(known)
        for name in names:
            if name not in known:
                raise _refused("query", f"one of {', '.join(known)}", name)
            if names.count(name) > 1:
                raise _refused("query", f"{name} once", f"{name} {names.count(name)} times")
        self._values = dict(pairs)

    def flag(self, name: str, default: str = "0") -> bool:
        """Return whether a parameter is 1."""
        value = str(self._values.get(name, default))
        if value not in ("0", "1"):
            raise _refused(name, "0 or 1", value)
        return value == "1"

    def choice(self, name: str, values: Sequence[str]) -> str:
        """Return one of some values, the first of which is the default."""
        value = str(self._values.get(name, values[0]))
        if value not in values:
            raise _refused(name, f"one of {', '.join(values)}"[:200], value)
        return value

    def whole(self, name: str, default: int | None, least: int, most: int) -> int:
        """Return a whole number in a range; Refused if there is neither it nor a default."""
        text = self._values.get(name)
        if text is None and default is not None:
            return default
        expected = f"a whole number from {least} to {most}"
        if text is None:
            raise _refused(name, expected, "none")
        if not (text.isascii() and text.isdigit() and len(text) < len(str(most)) + 3):
            raise _refused(name, expected, text)
        if not least <= (value := int(text)) <= most:
            raise _refused(name, expected, text)
        return value

    def number(self, name: str, least: float, most: float) -> float | None:
        """Return a number in a range; None if it isn't stated."""
        if (text := self._values.get(name)) is None:
            return None
        try:
            plain = len(text) <= _LONGEST and "_" not in text  # Python takes 1_0 for 10
            value = float(text) if plain else math.nan
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise _refused(name, f"a number from {least:g} to {most:g}", text)
        return value

    def text(self, name: str) -> str:
        """Return a text; Refused if there is none, or a long one."""
        text = str(self._values.get(name, ""))
        if not text or len(text) > _LONGEST_TEXT:
            raise _refused(name, f"a text of 1 to {_LONGEST_TEXT} characters", text or "none")
        return text

    def has(self, name: str) -> bool:
        """Return whether a parameter is stated."""
        return name in self._values
