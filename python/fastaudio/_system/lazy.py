"""Names of a package whose modules are imported when one of the names is first asked for."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazily(
    package: str, names: Mapping[str, str], rooms: str = "", moved: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and the `__dir__` of a package.

    Type checkers want the same names imported under `if TYPE_CHECKING`, and these two assigned in its `else`,
    since a module with a `__getattr__` of its own has any name for them.

    Args:
        package: its full name.
        names: of each module, by its full name, what comes from it: names with spaces between.
        rooms: modules within the package that are attributes of it themselves, with spaces between.
        moved: full names of modules that have another name now, and that name.
    """
    module_of = {name: module for module, held in names.items() for name in held.split()}
    within = {room: f"{package}.{room}" for room in rooms.split()}
    within |= {old.removeprefix(f"{package}."): new for old, new in (moved or {}).items()}

    def get(name: str) -> Any:
        if name in module_of:
            value = getattr(importlib.import_module(module_of[name]), name)
        elif name in within:
            value = importlib.import_module(within[name])
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        setattr(sys.modules[package], name, value)  # found without this from now on
        return value

    def names_there() -> list[str]:
        return sorted({*vars(sys.modules[package]), *module_of, *rooms.split()})

    return get, names_there
