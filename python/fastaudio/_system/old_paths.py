"""The module names of 0.1.0: importing one gives the module that it became."""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

MOVED = {
    "fastaudio._onnxruntime": "fastaudio._system.onnxruntime",
    "fastaudio.audio": "fastaudio.decoding.audio_file",
    "fastaudio.cli.report": "fastaudio.cli.models",
    "fastaudio.cli.rows": "fastaudio.cli.embedding_files",
    "fastaudio.cli.statistics": "fastaudio.cli.standardize",
    "fastaudio.heads.cards": "fastaudio.heads.head_card",
    "fastaudio.inputs": "fastaudio.running.adapt",
    "fastaudio.layers": "fastaudio.graph.layers",
    "fastaudio.packed": "fastaudio.cards.packed_file",
    "fastaudio.packing": "fastaudio.cards.pack",
    "fastaudio.runs": "fastaudio.running.whole",
    "fastaudio.streams": "fastaudio.running.stream",
    "fastaudio.versions": "fastaudio._system.versions",
    "fastaudio.weights": "fastaudio.cards.trained",
    "fastaudio.windows": "fastaudio.graph.hop",
}


class _Finder:
    """Finds modules by their old names; Python asks it last, so all other imports are as fast as before.

    The abstract classes that it could be derived from take longer to import than all of this.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        loader: Any = self
        return importlib.machinery.ModuleSpec(fullname, loader) if fullname in MOVED else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """Let Python create a module, which `exec_module` replaces by the moved one."""

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = importlib.import_module(MOVED[module.__name__])


def install() -> None:
    """Make the old names importable."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
