"""Pictures need matplotlib; its figures are closed after each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _pictures() -> Iterator[None]:
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="pip install '.[plot]'")
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")
