"""`import fastaudio` is light: what a program doesn't use isn't loaded."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import fastaudio as fa
import pytest
from fastaudio import heads
from helpers import GUITAR, ROOT

HEAVY = {
    "soundfile",
    "onnxruntime",
    "tqdm",
    "argparse",
    "matplotlib",
    "pandas",
    "scipy",
    "sklearn",
    "onnx",
    "librosa",
    "soxr",
    "sounddevice",
    "cffi",
    "paho",
    "pooch",
    "requests",
    "urllib3",
    "ssl",
    "torch",
}


def modules_after(code: str) -> set[str]:
    """Return the names of the packages that some code loads in a fresh interpreter."""
    report = "import sys, json; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}\n{report}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in json.loads(result.stdout.splitlines()[-1])}


@pytest.mark.parametrize("module", ["fastaudio", "fastaudio.librosa", "fastaudio.heads", "fastaudio.plot"])
def test_import_loads_no_heavy_package(module: str) -> None:
    assert not HEAVY & modules_after(f"import {module}")


def test_the_room_for_pytorch_says_what_to_install_where_it_is_absent() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "torch", None)
        for name in [name for name in sys.modules if name.startswith("fastaudio.torch")]:
            patch.delitem(sys.modules, name)
        with pytest.raises(
            heads.MissingExtra, match=r"fastaudio.torch: expected torch, got none; pip install"
        ) as told:
            importlib.import_module("fastaudio.torch")
    assert "'fastaudio-toolkit[torch]'" in str(told.value)


def test_nodes_load_no_room_of_files_models_or_live_sound() -> None:
    code = (
        "import fastaudio as fa, sys\nfa.Log(), fa.OnnxModel\n"
        "rooms = ['cards', 'decoding', 'isolation', 'live', 'pipeline', 'registry']\n"
        "assert not [name for name in rooms if 'fastaudio.' + name in sys.modules]\n"
        "assert all(getattr(fa, name) is sys.modules['fastaudio.' + name] for name in rooms)"
    )
    assert "fastaudio" in modules_after(code)


def test_a_command_loads_no_other_command_and_no_room_that_it_does_not_use() -> None:
    code = f"""import sys
from fastaudio import cli
assert cli.main(["tag", {str(GUITAR)!r}]) == 0
unused = ["cli.listen", "cli.train", "exporting", "heads", "isolation.answers", "live.stream", "plot"]
assert not [name for name in unused if "fastaudio." + name in sys.modules]
assert "fastaudio.cli.tag" in sys.modules
print()"""
    assert not {"onnxruntime", "tqdm", "scipy", "matplotlib"} & modules_after(code)


def test_librosas_names_load_when_asked_for() -> None:
    assert "yes" in modules_after(
        "import fastaudio, sys\nassert 'fastaudio.librosa' not in sys.modules\nsys.modules['yes'] = sys"
    )


def test_loading_a_model_imports_no_second_onnxruntime() -> None:
    code = "import fastaudio as fa, numpy as np\nfa.Pipeline.load()(np.zeros(9, 'f4'), sample_rate=8000)"
    assert not (HEAVY - {"argparse"}) & modules_after(code)


def test_a_file_loads_the_decoder_and_no_more() -> None:
    code = f"import fastaudio as fa\nfa.Pipeline.load()({str(GUITAR)!r})"
    loaded = modules_after(code)
    assert "soundfile" in loaded
    assert not {"onnxruntime", "tqdm", "scipy", "librosa"} & loaded


def test_telemetry_is_off_before_the_runtime_starts() -> None:
    code = (
        "import os; os.environ.pop('ORT_DISABLE_TELEMETRY', None)\n"
        "import fastaudio as fa; fa.Pipeline.load()\n"
        "import ctypes; get = ctypes.CDLL(None).getenv; get.restype = ctypes.c_char_p\n"
        "assert get(b'ORT_DISABLE_TELEMETRY') == b'1'"
    )
    if sys.platform == "win32":
        pytest.skip("getenv is elsewhere there")
    assert "fastaudio" in modules_after(code)


def test_public_names_are_all_there_once_and_every_node_is_among_them() -> None:
    assert len(fa.__all__) == len(set(fa.__all__))
    assert {cls.__name__ for cls in fa.Node.__subclasses__()} <= set(fa.__all__)
    for name in fa.__all__:
        assert getattr(fa, name) is not None


def test_the_version_is_written_in_one_place() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{fa.__version__}"\n' in text
