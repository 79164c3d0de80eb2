"""A model of one file to fetch, and what became of it."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fastaudio.registry import Entry, FetchError, Remote
from fastaudio.registry.getting import fetch

if TYPE_CHECKING:
    from pathlib import Path

    from hostile_server import Server

CONTENT = np.random.default_rng(0).bytes(300_000)
OTHER = np.random.default_rng(1).bytes(300_000)
FORM = re.compile(r"^[^ ]+: (redirect: )?expected .+, got.+", re.DOTALL)


def toy(url: str, content: bytes = CONTENT, *, sized: bool = True) -> Entry:
    """A model of one file."""
    sha256 = hashlib.sha256(content).hexdigest()
    file = Remote("net.onnx", url, len(content) if sized else None, "", sha256, "here")
    card = {
        "schema": "fastaudio.card/1",
        "name": "toy",
        "pipeline": [],
        "source": {"page": "https://a.example"},
    }
    return Entry(card, (file,))


def held(home: Path) -> dict[str, int]:
    """Names and sizes of what is in the model's folder."""
    folder = home / "toy"
    return {path.name: path.stat().st_size for path in folder.iterdir()} if folder.is_dir() else {}


def parts(home: Path) -> list[int]:
    return [size for name, size in held(home).items() if name.endswith(".part")]


def refused(
    server: Server, home: Path, *, match: str, error: type[Exception] = FetchError, **how: Any
) -> str:
    """Fetch, and check that nothing has a name that means something; return the message."""
    with pytest.raises(error, match=match) as caught:
        fetch(toy(server.url, **how))
    text = str(caught.value)
    assert FORM.match(text), text
    assert len(text) < 24 * 80
    assert set(held(home)) <= {name for name in held(home) if name.endswith(".part")}
    return text


def got(home: Path, content: bytes = CONTENT) -> bool:
    return (home / "toy" / "net.onnx").read_bytes() == content and set(held(home)) == {
        "net.onnx",
        "card.json",
        "LICENSE",
    }
