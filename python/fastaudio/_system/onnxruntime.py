"""Finding ONNX Runtime's library inside the installed onnxruntime package, without importing it.

Importing the package would load a second, separate copy of the runtime.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from fastaudio import _core

_PATTERNS = ("libonnxruntime.so*", "libonnxruntime.*dylib", "onnxruntime.dll")


def find_library() -> Path | None:
    """Return the library's path, or None if the package or the library isn't installed."""
    spec = importlib.util.find_spec("onnxruntime")
    if spec is None or not spec.submodule_search_locations:
        return None
    for location in spec.submodule_search_locations:
        for pattern in _PATTERNS:
            found = sorted(Path(location, "capi").glob(pattern))
            if found:
                return found[-1]
    return None


def announce() -> None:
    """Tell the core where the library is; the core opens it with the first model."""
    path = find_library()
    if path is not None:
        _core.set_onnxruntime_library(str(path))
