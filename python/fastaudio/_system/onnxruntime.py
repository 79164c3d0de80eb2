"""Finding ONNX Runtime's library inside the installed onnxruntime package, without importing it.

Importing the package would load a second, separate copy of the runtime. And importing pathlib would take a
fifth of `import fastaudio`, which needs no more than this of it.
"""

from __future__ import annotations

import fnmatch
import importlib.util
import os

from fastaudio import _core

_PATTERNS = ("libonnxruntime.so*", "libonnxruntime.*dylib", "onnxruntime.dll")


def find_library() -> str | None:
    """Return the library's path, or None if the package or the library isn't installed."""
    spec = importlib.util.find_spec("onnxruntime")
    if spec is None or not spec.submodule_search_locations:
        return None
    for location in spec.submodule_search_locations:
        folder = os.path.join(location, "capi")  # noqa: PTH118
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208
        except OSError:
            continue
        for pattern in _PATTERNS:
            if found := fnmatch.filter(names, pattern):
                return os.path.join(folder, found[-1])  # noqa: PTH118
    return None


def announce() -> None:
    """Tell the core where the library is; the core opens it with the first model."""
    path = find_library()
    if path is not None:
        _core.set_onnxruntime_library(path)
