"""A command that runs a network begins soon: what it needs is loaded on two cores."""

from __future__ import annotations

import gc
import importlib
import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from fastaudio import _core

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NETWORKS = {"tag", "embed", "listen"}
"""Commands that run a network as soon as they can."""

_HELP = {"-h", "--help"}
_BLAS = "OPENBLAS_NUM_THREADS"


@contextmanager
def loading(words: Sequence[str], *, program: bool) -> Iterator[None]:
    """Load what the words of a command line need while the block imports the command; see `_libraries`.

    `program` says that the process does nothing else: what the block leaves is then there for good, and no
    garbage is looked for in it.
    """
    thread: threading.Thread | None = None
    calm = program and _BLAS not in os.environ
    if program:
        gc.disable()
    try:
        if words and words[0] in _NETWORKS and not _HELP.intersection(words):
            if calm:
                os.environ[_BLAS] = "1"
            thread = threading.Thread(target=_libraries, name="fastaudio-libraries")
            thread.start()
            if program:
                _import_numpy()
        yield
    finally:
        if thread is not None:
            thread.join()  # libraries that are opened read the environment, which can't be changed meanwhile
            if calm:
                os.environ.pop(_BLAS, None)
        if program:
            gc.freeze()
            gc.enable()


def _libraries() -> None:
    """Open ONNX Runtime and libsndfile; what is wrong with them is said by who uses them."""
    with suppress(_core.ModelError):
        _core.onnxruntime_info()
    with suppress(ImportError, OSError):
        importlib.import_module("soundfile")


def _import_numpy() -> None:
    """Import NumPy without the threads of OpenBLAS: these commands multiply no matrices by it.

    At first, each of them spins for 0.1 s, on the cores on which networks are loaded. Programs that a command
    starts get the environment as it was.
    """
    with suppress(ImportError):
        importlib.import_module("numpy")
