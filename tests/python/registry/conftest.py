"""A hostile server, and a model to fetch from it into a folder of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hostile_server import Server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Return a server on this machine, reached without a proxy and without long waits."""
    pytest.importorskip("pooch", reason="pip install '.[get]'")
    from fastaudio.registry import transfer
    from hostile_server import serving

    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(transfer, "_WAIT_S", 0.0)
    with serving() as state:
        yield state


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of fetched models, which doesn't exist yet."""
    monkeypatch.setenv("FASTAUDIO_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "models"
