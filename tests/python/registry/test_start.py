"""What fetches is loaded when a model is fetched, and not before."""

from __future__ import annotations

import subprocess
import sys

import pytest
from fastaudio import registry

CODE = """
import sys
import fastaudio as fa
fa.Pipeline.load("musicnn-mtt")
from fastaudio import registry
registry.entries(), registry.fetched()
rooms = ("answer", "asking", "getting", "transfer")
names = [f"fastaudio.registry.{room}" for room in rooms] + ["pooch", "requests"]
print([name for name in names if name in sys.modules])
registry.get
print("fastaudio.registry.getting" in sys.modules)
"""


def test_a_program_that_fetches_nothing_loads_nothing_for_it() -> None:
    found = subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True).stdout
    assert found.splitlines() == ["[]", "True"]


def test_all_names_are_there_and_no_others() -> None:
    assert all(getattr(registry, name) is not None for name in registry.__all__)
    with pytest.raises(AttributeError, match="fetch_all"):
        registry.fetch_all  # noqa: B018
