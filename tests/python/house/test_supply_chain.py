"""What is audited and billed is all that users may install."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from helpers import ROOT

OURS = {"test", "lint", "dev", "bench", "recipes"}


@pytest.mark.skipif(sys.platform == "win32", reason="a script of bash")
def test_no_extra_is_left_out() -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert set(extras) >= OURS
    wanted = {*project["dependencies"]}
    wanted.update(*(extras[name] for name in set(extras) - OURS))
    script = ["bash", str(ROOT / ".ci" / "supply-chain"), "requirements"]
    found = subprocess.run(script, check=True, capture_output=True, text=True).stdout.splitlines()
    assert {line for line in found if not line.startswith("pybind11")} == wanted


def test_packages_for_the_browser_run_no_scripts() -> None:
    lines = re.findall(r"npm install .*", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert lines
    assert all("--ignore-scripts" in line for line in lines)
