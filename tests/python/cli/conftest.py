"""Fixtures of the commands that train."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the card of a small embedder."""
    from heads_helpers import embedder, write_network

    folder = tmp_path_factory.mktemp("base")
    embedder(write_network(folder / "net.onnx")).save(folder / "card.json")
    return folder


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """Return four files of each of two tones."""
    from heads_helpers import write_tones

    write_tones(tmp_path / "sounds", ["low", "high"], 4)
    return tmp_path / "sounds"
