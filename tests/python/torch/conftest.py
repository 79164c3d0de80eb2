"""Keeps PyTorch to one thread, as its tests run beside others."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Set the number of threads; tests are left out where PyTorch is absent."""
    pytest.importorskip("torch", reason="pip install '.[torch]'").set_num_threads(1)
