"""What is audited and billed is all that users may install."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

OURS = {"test", "lint", "dev", "bench", "recipes", "docs"}


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def listed(*arguments: str) -> list[str]:
    script = [sys.executable, ROOT / "tools" / "requirements.py", *arguments]
    return subprocess.run(script, check=True, capture_output=True, text=True).stdout.splitlines()


def test_no_extra_is_left_out() -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert set(extras) >= OURS
    assert {line.partition(">=")[0] for line in listed("--no-extras")} == {
        "numpy",
        "onnxruntime",
        "soundfile",
        "tqdm",
        "pybind11",
    }
    wanted = {*project["dependencies"]}
    wanted.update(*(extras[name] for name in set(extras) - OURS))
    assert {line for line in listed() if not line.startswith("pybind11")} == wanted


def test_the_lowest_version_of_each_is_audited() -> None:
    found = dict(line.split("==") for line in listed("--lowest"))
    bounds = [line.split(">=") for line in listed()]
    assert {name for name, _ in bounds} == set(found)
    for name, bound in bounds:
        assert found[name].startswith(bound), name
        assert re.fullmatch(r"\d+\.\d+\.\d+", found[name]), name


def test_of_two_bounds_the_higher_one_counts_and_others_are_refused() -> None:
    requirements = tool("requirements")
    assert requirements.lowest(["a>=2", "b-c>=1.10", "a>=2.0.1"]) == ["a==2.0.1", "b-c==1.10.0"]
    with pytest.raises(SystemExit, match=r"expected each requirement like 'name>=1\.2', got 'a<3'"):
        requirements.lowest(["a<3"])


def test_the_bill_lists_what_extras_ask_for_as_optional(tmp_path: Path) -> None:
    bill = tmp_path / "sbom.cdx.json"
    bill.write_text('{"components": [{"type": "library", "bom-ref": "numpy==2", "name": "numpy"}]}', "utf-8")
    for _ in range(2):  # a second time changes nothing
        script = [sys.executable, ROOT / "tools" / "bill_of_materials.py", bill]
        hashes = subprocess.run(script, check=True, capture_output=True, text=True).stdout
        parts = json.loads(bill.read_text("utf-8"))["components"]
        assert len({part["bom-ref"] for part in parts}) == len(parts)
    assert "models/musicnn-mtt/model.onnx" in hashes
    needed = [part for part in parts if part["type"] == "library" and part.get("scope") != "optional"]
    assert [part["name"] for part in needed] == ["numpy"]
    optional = {part["name"] for part in parts if part.get("scope") == "optional"}
    assert optional >= {"torch", "scikit-learn", "requests", "sounddevice"}


def reproducible(*arguments: str | Path) -> tuple[int, str]:
    script = [sys.executable, ROOT / "tools" / "reproducible.py", *arguments]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_two_files_are_compared_member_by_member(tmp_path: Path) -> None:
    one, other = tmp_path / "one" / "x.whl", tmp_path / "other" / "x.whl"
    for path, text in ((one, "a"), (other, "b")):
        path.parent.mkdir()
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(zipfile.ZipInfo("module.py"), text)
    assert reproducible("--compare", one, one)[0] == 0
    status, said = reproducible("--compare", one, other)
    assert (status, said) == (1, "differs: x.whl: module.py: from byte 0 on: b'a' against b'b'\n")


def test_what_can_t_be_compared_is_told_without_a_traceback(tmp_path: Path) -> None:
    for name, text in (("one", "a"), ("other", "b")):
        (tmp_path / name).mkdir()
        for file in ("x.whl", "x.tar.gz"):
            (tmp_path / name / file).write_text(text)
    wheels, archives = (
        [tmp_path / name / file for name in ("one", "other")] for file in ("x.whl", "x.tar.gz")
    )
    for paths in (wheels, archives, [wheels[0], tmp_path / "absent.whl"]):
        status, said = reproducible("--compare", *paths)
        assert status == 2
        assert said.startswith("tools/reproducible.py: expected "), said
        assert said.count("\n") == 1, said


def test_a_missing_build_is_told_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = tool("reproducible")
    monkeypatch.setattr(sys, "argv", ["reproducible.py", "--sdist"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SystemExit, match="2"):
        tried.main()
    assert capsys.readouterr().err == (
        "tools/reproducible.py: expected the package build, got none; pip install build\n"
    )


def test_packages_for_the_browser_run_no_scripts() -> None:
    lines = re.findall(r"npm install .*", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert lines
    assert all("--ignore-scripts" in line for line in lines)
