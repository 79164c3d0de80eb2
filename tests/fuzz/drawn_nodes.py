"""Draws nodes, as cards hold them, from what their docstrings say of their options."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from fastaudio import _core
from mutate import ODD_VALUES

if TYPE_CHECKING:
    import random

CLASSES: dict[str, type[_core.Node]] = {
    name: value
    for name, value in vars(_core).items()
    if isinstance(value, type) and issubclass(value, _core.Node) and value is not _core.Node
}
COMPOSITES = sorted(name for name, value in CLASSES.items() if value.child_arguments())
PLAIN = sorted(CLASSES.keys() - {*COMPOSITES, "OnnxModel"})

_OPTION = re.compile(
    r"^\s+(?P<name>\w+): (?P<type>[a-z][\w\[\], |.]*?)"
    r"(?: in \[(?P<low>\S+), (?P<high>\S+)\])?(?: [A-Za-z]+)?"
    r"(?:, one of (?P<choices>'.*?'))?(?:, default (?P<default>.*))?$"
)


@dataclass(frozen=True)
class Option:
    """What a docstring says of an option."""

    name: str
    type: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    required: bool


@cache
def options_of(name: str) -> tuple[Option, ...]:
    """Return the options of a node's class."""
    _, _, text = inspect.cleandoc(CLASSES[name].__doc__ or "").partition("\nOptions:\n")
    found = []
    for line in text.partition("\nRaises:")[0].splitlines():
        match = _OPTION.match(line)
        if not match or not line.startswith("    ") or line.startswith("     "):
            continue
        low, high = match["low"], match["high"]
        choices = ast.literal_eval(f"({match['choices']},)") if match["choices"] else ()
        limits = (float(low) if low else None, float(high) if high else None)
        found.append(Option(match["name"], match["type"], *limits, choices, match["default"] is None))
    return tuple(found)


def value_of(option: Option, rng: random.Random, *, most: float) -> Any:
    """Return a value that the docstring allows; integers and lists stay below `most`."""
    kind = option.type
    low = -1e6 if option.low is None else option.low
    high = 1e6 if option.high is None else option.high
    value: Any = _number(low, high, rng)
    if "None" in kind and rng.random() < 0.2:
        value = None
    elif option.choices:
        value = rng.choice(option.choices)
    elif "bool" in kind:
        value = rng.random() < 0.5
    elif kind.startswith("int"):
        top = int(max(low, min(high, most)))
        value = rng.choice([int(low), top, _between(int(low), top, rng), _between(int(low), top, rng)])
    elif option.name == "kinds":
        value = rng.sample(["mean", "std", "var", "min", "max", "median"], rng.randint(1, 3))
    elif "list[str]" in kind:
        value = [f"l{i}" for i in range(rng.randint(1, 8))]
    elif "list[float]" in kind and rng.random() < 0.4:
        value = [_number(low, high, rng) for _ in range(rng.randint(1, 8))]
    return value


def _between(low: int, high: int, rng: random.Random) -> int:
    """Return an integer, each order of magnitude as often."""
    return (
        low + int((high - low + 1) ** rng.random()) - (1 if rng.random() < 0.5 else 0) if high > low else low
    )


def _number(low: float, high: float, rng: random.Random) -> float:
    limit = rng.choice([low, high])
    near = min(max(rng.choice([0.0, 1.0, 0.5, -1.0, 1e-3, 100.0, 1e4]), low), high)
    return rng.choice([limit, near, near, rng.uniform(max(low, -2), min(high, 2)) if low < 2 else near])


def options(
    name: str, rng: random.Random, *, most: float, odd: float = 0.0, share: float = 0.4
) -> dict[str, Any]:
    """Return some options of a node; each is out of range, or of another type, with the probability `odd`."""
    drawn = {}
    for option in options_of(name):
        if not option.required and rng.random() > share:
            continue
        drawn[option.name] = value_of(option, rng, most=most)
        if rng.random() < odd:
            past = [
                limit * 2 + sign for limit, sign in ((option.low, -1), (option.high, 1)) if limit is not None
            ]
            drawn[option.name] = rng.choice(ODD_VALUES + past * 4)
    if rng.random() < odd:
        drawn["nonsense"] = 1
    return drawn


def tree(rng: random.Random, depth: int, *, most: float, odd: float = 0.0) -> dict[str, Any]:
    """Return a node as a card holds it, composites among them down to a depth."""
    if depth <= 0 or rng.random() < 0.6:
        name = rng.choice(PLAIN)
        return {"node": name, **options(name, rng, most=most, odd=odd)}
    name = rng.choice(COMPOSITES)
    node: dict[str, Any] = {"node": name}
    for key, form in CLASSES[name].child_arguments().items():
        parts = [tree(rng, depth - 1, most=most, odd=odd) for _ in range(rng.randint(1, 3))]
        if form == "node":
            node[key] = parts[0]
        elif form == "dict":
            node[key] = {chr(97 + i): part for i, part in enumerate(parts)}
        else:
            node[key] = parts
    return node | options(name, rng, most=most, odd=odd)


def build(data: dict[str, Any]) -> _core.Node:
    """Return the node that such data holds, through its class as users call it."""
    kind = CLASSES[data["node"]]
    rest = {key: value for key, value in data.items() if key != "node"}
    positional: list[Any] = []
    for key, form in kind.child_arguments().items():
        value = rest.pop(key)
        if form == "node":
            positional.append(build(value))
        elif form == "dict":
            positional.append({name: build(part) for name, part in value.items()})
        else:
            parts = [build(part) for part in value]
            positional += parts if data["node"] == "Concat" else [parts]
    return kind(*positional, **rest)
