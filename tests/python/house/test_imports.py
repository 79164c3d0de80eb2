"""The layers of the house: each sees only those below it. Reads the includes and the imports."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import pytest
from fastaudio import _core
from helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CPP = ROOT / "cpp"
PYTHON = ROOT / "python" / "fastaudio"

# What each folder may include from, besides itself.
BELOW: dict[str, set[str]] = {
    "simd": set(),
    "dsp": {"simd"},
    "core": {"simd", "dsp"},
    "nodes": {"simd", "dsp", "core"},
    "inference": {"simd", "dsp", "core"},
    "live": {"simd", "dsp", "core"},
    "bindings": {"simd", "dsp", "core", "nodes", "inference", "live"},
}
EVERYBODYS = {"core/error.hpp", "core/budget.hpp"}
# What several nodes share, and no node itself.
MADE_BY_CMAKE = {"nodes/list.hpp"}

# Python modules from the bottom up: a module imports from lower rows only.
ROWS = [
    {"_core"},
    {"_system"},
    {"drawing", "annotations"},
    {"presets", "tags", "events", "graph", "registry"},
    {"decoding", "mqtt"},
    {"cards", "running", "alerts"},
    {"exporting", "labelled"},
    {"librosa", "composition"},
    {"live", "isolation"},
    {"pipeline"},
    {"heads", "importing", "kinds"},
    {"torch", "quantizing", "plot", "scanning", "live_kinds"},
    {"searching", "ray"},
    {"reviewing"},
    {"summarizing"},
    {"serving"},
    {"cli"},
    {"__init__", "__main__"},
]

ROW_OF = {name: index for index, row in enumerate(ROWS) for name in row}

sources = sorted(path for path in CPP.rglob("*") if path.suffix in (".hpp", ".cpp"))
modules = sorted(PYTHON.rglob("*.py"))
rooms = sorted(path.parent for path in PYTHON.glob("*/__init__.py"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def includes(path: Path, pattern: str) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"^\s*#\s*include\s*{pattern}", text, re.MULTILINE)


@pytest.mark.parametrize("path", sources, ids=named)
def test_a_source_includes_only_from_the_layers_below(path: Path) -> None:
    layer = path.relative_to(CPP).parts[0]
    for included in includes(path, '"([^"]+)"'):
        known = included in MADE_BY_CMAKE or (CPP / included).is_file()
        assert known, f"{included}: own headers are included by their full path"
        from_layer = included.split("/")[0]
        allowed = {layer} | BELOW[layer]
        assert from_layer in allowed or (included in EVERYBODYS and layer == "dsp"), included


@pytest.mark.parametrize("path", sources, ids=named)
def test_only_the_bindings_know_python(path: Path) -> None:
    foreign = includes(path, r'[<"]((?:pybind11|Python\.h|numpy)[^>"]*)[>"]')
    assert not foreign or path.relative_to(CPP).parts[0] == "bindings"


@pytest.mark.parametrize("path", sources, ids=named)
def test_only_the_inference_folder_knows_onnx_runtime(path: Path) -> None:
    layer = path.relative_to(CPP).parts[0]
    words = re.findall(r"\bOrt[A-Z]\w+", path.read_text(encoding="utf-8"))
    assert not words or layer == "inference", words[:3]


@pytest.mark.parametrize("path", sources, ids=named)
def test_only_the_platform_header_knows_the_operating_system(path: Path) -> None:
    system = includes(path, r"<((?:unistd|dlfcn|windows|pthread|sys/)[^>]*)>")
    assert not system or path.stem == "platform", system


def imports(path: Path) -> set[str]:
    """Full names, less the package's own, of what a module imports from the package, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the package in full"
            package, _, module = (node.module or "").partition(".")
            if package == "fastaudio":
                found |= {f"{module}.{alias.name}" if module else alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                package, _, module = alias.name.partition(".")
                if package == "fastaudio":
                    found.add(module or "__init__")
    return found


def room_of(path: Path) -> str:
    """The part of the package that has a place in ROWS."""
    return path.relative_to(PYTHON).with_suffix("").parts[0]


@pytest.mark.parametrize("path", modules, ids=named)
def test_a_module_imports_only_from_the_layers_below(path: Path) -> None:
    own = room_of(path)
    assert own in ROW_OF, "a new module: give it a place in ROWS"
    for imported in {name.split(".")[0] for name in imports(path)}:
        within = imported == own and path.parent != PYTHON
        assert within or ROW_OF[imported] < ROW_OF[own], f"{own} imports {imported}"


@pytest.mark.parametrize("room", rooms, ids=named)
def test_the_modules_of_a_room_import_each_other_in_one_direction(room: Path) -> None:
    graph = {
        path.stem: {name.split(".")[1] for name in imports(path) if name.startswith(f"{room.name}.")}
        for path in room.glob("*.py")
        if path.stem != "__init__"
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, with the cycle


@pytest.mark.parametrize("room", rooms, ids=named)
def test_the_doc_of_a_room_names_what_it_holds(room: Path) -> None:
    doc = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    held = {path.stem for path in room.glob("*.py") if not path.stem.startswith("_")}
    assert held <= set(re.findall(r"`(\w+)`", doc)), held - set(re.findall(r"`(\w+)`", doc))


@dataclass
class Class:
    """A class of the package: parameters of its methods by name, None for other members."""

    where: str
    row: int
    bases: list[str]
    members: dict[str, set[str] | None]

    @property
    def is_protocol(self) -> bool:
        return bool({"Protocol", "ABC"} & set(self.bases))  # an abstract base hides a call as well

    def has(self, protocol: Class) -> bool:
        """Whether all members of a protocol are members of this class, with the same parameters."""
        own = dict(self.members)
        for base in self.bases:
            for parent in classes().get(base, []):
                own = parent.members | own
        for name, wanted in protocol.members.items():
            if name not in own:
                return False
            got = own[name]
            if wanted is not None and got is not None and not wanted <= got:
                return False
        return True


def members(node: ast.ClassDef) -> dict[str, set[str] | None]:
    """Methods, properties, class attributes, and attributes that methods assign to `self`."""
    found: dict[str, set[str] | None] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
            found |= {part.attr: None} if ast.unparse(part.value) == "self" else {}
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = {argument.arg for argument in [*part.args.args, *part.args.kwonlyargs]} - {"self"}
            found[part.name] = None if part.decorator_list else arguments
        elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            found[part.target.id] = None
        elif isinstance(part, ast.Assign):
            found |= {target.id: None for target in part.targets if isinstance(target, ast.Name)}
    return found


@cache
def classes() -> dict[str, list[Class]]:
    """The package's classes by name."""
    found = defaultdict(list)
    for path in [*modules, PYTHON / "_core.pyi"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
                where = f"{named(path)}:{node.name}"
                found[node.name].append(Class(where, ROW_OF[room_of(path)], bases, members(node)))
    return found


every_class = [one for same in classes().values() for one in same]
protocols = [one for one in every_class if one.is_protocol]


@pytest.mark.parametrize("protocol", protocols, ids=lambda protocol: protocol.where)
def test_a_protocol_describes_no_class_of_a_higher_layer(protocol: Class) -> None:
    # If a class of its own or a lower layer fits too, it is an interface, which higher layers may implement.
    fits = [one for one in every_class if not one.is_protocol and one.has(protocol)]
    above = [one.where for one in fits if one.row > protocol.row]
    assert not above or len(above) < len(fits), f"an upward call, hidden: it describes {above}"


def test_a_protocol_that_hides_an_upward_call_is_seen() -> None:
    hidden = ast.parse("class Runnable(Protocol):\n    def open(self, *, sample_rate, channels=1): ...").body[
        0
    ]
    assert isinstance(hidden, ast.ClassDef)
    with pytest.raises(AssertionError, match=r"describes .*pipeline.py:Pipeline"):
        test_a_protocol_describes_no_class_of_a_higher_layer(
            Class("running/whole.py:Runnable", ROW_OF["running"], ["Protocol"], members(hidden))
        )


def test_one_list_holds_all_nodes() -> None:
    text = (CPP / "nodes" / "all.hpp").read_text(encoding="utf-8")
    headers = {path.name for path in (CPP / "nodes").glob("*.hpp")} - {"all.hpp"}
    assert headers == set(re.findall(r'#include "nodes/(\w+\.hpp)"', text))


def test_every_class_of_nodes_is_bound() -> None:
    """CMake reads the classes off the headers when it configures: touch cpp/nodes/all.hpp for that."""
    texts = [path.read_text(encoding="utf-8") for path in (CPP / "nodes").glob("*.hpp")]
    classes = [name for text in texts for name in re.findall(r"^class (\w+) final", text, re.MULTILINE)]
    assert len(classes) > 30
    assert not [name for name in classes if not hasattr(_core, name)]
