"""Options that are given as NAME=VALUE, any number of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError
from fastaudio.importing.text import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def options_of(given: Sequence[str], option: str, command: str) -> dict[str, Any]:
    """Return names with their values: JSON, or else text."""
    options: dict[str, Any] = {}
    for name, value in pairs_of(given, option, "NAME=VALUE", command):
        if value.startswith("@"):
            options[name] = read_json(value[1:])
            continue
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
        except RecursionError as error:
            raise ModelError(f"{command}: expected {option} {name} as JSON, got too many levels") from error
    return options


def pairs_of(given: Sequence[str], option: str, form: str, command: str) -> Iterator[tuple[str, str]]:
    """Yield names and values, no name twice."""
    seen = set()
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name or not value:
            raise ValueError(f"{command}: expected {option} {form}, got {text!r:.80}")
        if name in seen:
            raise ValueError(
                f"{command}: expected {option} {name} once, got it again: {text!r:.80}; leave one out"
            )
        seen.add(name)
        yield name, value
