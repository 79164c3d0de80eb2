"""Which output holds what an input of a recurrent network takes next, as their names say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# What names say of before and after a run, and not of what is held.
_WHEN = frozenset(
    (
        *(
            "in",
            "out",
            "i",
            "o",
            "input",
            "output",
            "inputs",
            "outputs",
            "old",
            "new",
            "prev",
            "previous",
            "next",
        ),
        *("last", "past", "present", "cur", "current", "init", "initial", "final", "updated", "n", "t"),
    )
)


def _stem(name: str) -> tuple[str, ...]:
    """Return the parts of a name but those that say when: ("h", "0") of "h0_in", ("state",) of "stateN"."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    return tuple(part for part in parts if part not in _WHEN) or tuple(parts)


def _word(name: str) -> str:
    """Return a name's stem without its numbers, and without "in", "out" or "n" at its end: "h" of "hn"."""
    word = "".join(part for part in _stem(name) if not part.isdigit())
    return re.sub(r"(?<=.)(?:in|out|n)$", "", word)


_SAME: tuple[Callable[[str, str], bool], ...] = (
    lambda one, other: _stem(one) == _stem(other),
    lambda one, other: bool(_word(one)) and _word(one) == _word(other),
)


def pairs_of(possible: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return for each input the outputs that may be its next value: one, if it is sure which.

    Args:
        possible: for each input the outputs that have its type and sizes.
    """
    left = {name: list(outputs) for name, outputs in possible.items()}
    sure: dict[str, str] = {}
    for same in _SAME:
        named = {name: [each for each in outputs if same(name, each)] for name, outputs in left.items()}
        once = [name for name, outputs in named.items() if len(outputs) == 1]
        chosen = [named[name][0] for name in once]
        sure |= {name: each for name, each in zip(once, chosen, strict=True) if chosen.count(each) == 1}
        left = {
            name: [each for each in outputs if each not in sure.values()]
            for name, outputs in left.items()
            if name not in sure
        }
    # What the sizes alone leave is sure only if no other input may have it.
    for name, outputs in left.items():
        others = [other for other in left if other != name and set(left[other]) & set(outputs)]
        if len(outputs) == 1 and not others and len(possible[name]) == 1:
            sure[name] = outputs[0]
    return {name: [sure[name]] if name in sure else list(possible[name]) for name in possible}
