"""What isn't covered here, from librosa itself: calls, names, modules. librosa loads when one is needed."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import logging
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

HERE = "fastaudio.librosa"
REMEDY = "pip install librosa"
UNMEANT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Errors of calls that a function wasn't written for."""
_log = logging.getLogger("fastaudio.librosa")


def installed() -> Any:
    """Return the librosa package, or None where there is none."""
    try:
        return importlib.import_module("librosa")
    except ImportError:
        return None


def theirs(name: str) -> Any:
    """Return what librosa has under a dotted name, itself for an empty one; None where it is missing."""
    found = installed()
    for part in name.split(".") if name and found else ():
        found = getattr(found, part)
    return found


@cache
def parameter_error() -> type[ValueError]:
    """Return `ParameterError`, which is also one of librosa's where librosa is installed."""
    library = installed()
    bases = (ValueError,) if library is None else (library.ParameterError, ValueError)
    doc = "An argument has a value that librosa refuses as well; it is a ValueError."
    return type("ParameterError", bases, {"__module__": HERE, "__doc__": doc})


def handed_over(name: str, refusal: str, args: Any, kwargs: Any) -> Any:
    """Return what librosa's function gives; without it, raise NotImplementedError with this text."""
    function = theirs(name)
    if function is None:
        raise NotImplementedError(f"{refusal}; for what only librosa takes, {REMEDY}") from None
    _log.debug("%s; librosa computes it", refusal)
    try:
        return function(*args, **kwargs)
    except installed().ParameterError as error:  # librosa's own, which isn't a ValueError
        raise parameter_error()(f"librosa.{name}: {error}") from error
    except ImportError as error:  # librosa needs a package that is missing
        reason = str(error).strip().partition("\n")[0]
        raise NotImplementedError(f"{refusal}; librosa has it, but not here ({reason})") from error
    except UNMEANT as error:  # librosa stumbles too, and says less
        raise parameter_error()(refusal) from error


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds librosa's modules under this package's name; it comes first, else they would load twice."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        name = fullname.removeprefix(HERE + ".")
        if name == fullname or name.startswith("_"):  # its own modules are loaded before this is asked
            return None
        if installed() is None:
            raise ModuleNotFoundError(_missing(name), name="librosa")
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """Let Python create a module, which `exec_module` replaces by librosa's."""

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__.removeprefix("fastaudio.")
        try:
            sys.modules[module.__name__] = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            raise ModuleNotFoundError(f"No module named {module.__name__!r}", name=module.__name__) from None


def open_up(module: str) -> None:
    """Make librosa's other names attributes of a module here, and librosa's modules importable from it."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    own = vars(sys.modules[module])
    inner = module.removeprefix(HERE).removeprefix(".")

    def attribute(name: str) -> Any:
        if name.startswith("_") and name != "__version__":  # of librosa, as a program may ask
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        if name == "ParameterError" and not inner:
            return parameter_error()
        library = theirs(inner)
        if library is None:
            raise AttributeError(_missing(f"{inner}.{name}".removeprefix(".")))
        try:
            return getattr(library, name)
        except AttributeError:
            pass
        try:
            return importlib.import_module(f"{library.__name__}.{name}")
        except ModuleNotFoundError:
            version = installed().__version__
            raise AttributeError(
                f"{module}: expected a name of librosa {version}, got {name!r}; see dir({module})"
            ) from None

    def names() -> list[str]:
        library = theirs(inner)
        kept = [name for name in own if name.startswith("__")]
        return sorted({*kept, *own["__all__"], *(dir(library) if library else ())})

    # Set here, not defined there: type checkers would then let any name pass.
    own["__getattr__"], own["__dir__"] = attribute, names


def _missing(name: str) -> str:
    return (
        f"{HERE}: expected a name that it has without librosa, got {name!r}; {REMEDY}, which gives the rest"
    )
