"""A model, and a server of it and of a cheap one, that the tests here share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import pytest
from serving_helpers import Server, levels, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def tagger() -> fa.Pipeline:
    return fa.Pipeline.load("musicnn-mtt", threads=1)


@pytest.fixture(scope="session")
def server(tagger: fa.Pipeline) -> Iterator[Server]:
    with serving(tagger, levels()) as running:
        yield running
