"""Puts this folder's networks on the path, and leaves the tests out where PyTorch is absent."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Let PyTorch use one thread, as its tests run beside others."""
    pytest.importorskip("torch", reason="pip install '.[torch]'").set_num_threads(1)
