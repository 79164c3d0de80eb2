"""OnnxModel: any tensor by its name, and what is said of a name that there isn't."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cli

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from network_forms import node, save, tensor

ROWS = np.random.default_rng(0).uniform(-1, 1, (5, 3)).astype(np.float32)


def deep(path: Path) -> Path:
    """Write a network with tensors between its input and its output."""
    return save(
        path,
        [node("Mul", ["x", "w"], ["/block/mul"]), node("Relu", ["/block/mul"], ["y"])],
        [tensor("x", "float32", ("n", 3))],
        [tensor("y", "float32", ("n", 3))],
        w=np.float32([1, -2, 3]),
    )


def test_any_tensor_of_the_graph_is_an_output_by_its_name(tmp_path: Path) -> None:
    path = deep(tmp_path / "net.onnx")
    want = ROWS * np.float32([1, -2, 3])
    both = fa.OnnxModel(path, outputs=["/block/mul", "y"])
    assert np.array_equal(both(ROWS)["/block/mul"], want)
    assert np.array_equal(both(ROWS)["y"], np.maximum(want, 0))
    assert np.array_equal(fa.OnnxModel(path)["/block/mul"](ROWS), want)
    assert both.available_outputs == ["y"]
    assert fa.OnnxModel(path).outputs == []
    with pytest.raises(
        fa.ModelError, match=r"among \['y'\] or inner tensors, got '/block/mull'; did you mean '/block/mul'\?"
    ):
        fa.OnnxModel(path, outputs=["/block/mull"])


def wide(path: Path, n: int) -> Path:
    """Write a network with many inner tensors, inputs and outputs."""
    steps = [node("Identity", [f"t{k}" if k else "x"], [f"t{k + 1}"]) for k in range(n)]
    gives = [node("Identity", [f"t{n}"], [f"out{k}{'_' * 200}"]) for k in range(40)]
    states = [node("Identity", [f"s{k}"], [f"next{k}"]) for k in range(40)]
    rows = {"x": ("n", 3), **{f"s{k}": (1, 2) for k in range(40)}}
    outputs = {f"out{k}{'_' * 200}": ("n", 3) for k in range(40)} | {f"next{k}": (1, 2) for k in range(40)}
    return save(
        path,
        [*steps, *gives, *states],
        [tensor(name, "float32", shape) for name, shape in rows.items()],
        [tensor(name, "float32", shape) for name, shape in outputs.items()],
    )


STATES = {f"s{k}": f"next{k}" for k in range(40)}


@pytest.mark.parametrize(
    ("options", "near"),
    [
        ({"outputs": ["T999"]}, "did you mean 't999'"),
        ({"outputs": ["out7"]}, "did you mean 't7'"),
        ({"outputs": ["q" * 5000]}, "choose one that this lists"),
        ({"state": STATES | {"s41": "next39"}}, "did you mean "),
        ({"state": STATES | {"s39": "nexxt39"}}, "did you mean 'next39'"),
        ({"state": {}}, "and 35 more; give the others what they always are"),
        ({"state": {}, "inputs": {f"s{k}": [[0, 0]] for k in range(40)} | {"s_3": 0}}, "did you mean 's3"),
        ({"outputs": [f"t{k}" for k in range(1, 900)], "units": ["a"] * 900}, "and 894 more"),
    ],
)
def test_a_wrong_name_is_told_with_the_nearest_in_a_few_lines(
    tmp_path: Path, options: dict[str, Any], near: str
) -> None:
    path = wide(tmp_path / "my net.onnx", 1500)
    with pytest.raises((fa.ModelError, ValueError), match=re.escape(near)) as caught:
        fa.OnnxModel(path, **({"state": STATES} | options))
    assert len(str(caught.value)) < 900 + len(str(path))


@pytest.mark.parametrize("name", ["net.onnx", "my net's.onnx", "-net.onnx", "net", "sub/net.onnx"])
def test_the_command_in_the_message_lists_the_tensors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    deep(tmp_path / name)
    for path in (name, tmp_path / name):
        for wrong in ("zzz", "mul"):
            with pytest.raises(fa.ModelError, match="lists") as caught:
                fa.OnnxModel(path)[wrong]
            command = str(caught.value).partition(": fastaudio ")[2]
            assert cli.main(shlex.split(command)) == 0
            assert "/block/mul" in capsys.readouterr().out
    assert "did you mean '/block/mul'? This lists all: fastaudio models " in str(caught.value)


def test_tensors_are_listed_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = deep(tmp_path / "net.onnx")
    assert cli.main(["models", str(path), "--tensors"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["input", "x", "float32", "[?,", "3]"],
        ["output", "y", "float32", "[?,", "3]"],
        ["inner", "/block/mul", "float32", "[?,", "3]"],
    ]
    assert cli.main(["models", "musicnn-mtt", "--tensors"]) == 0
    assert "taggram" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["efficientat-mn10", "nope", "no/such.onnx", "no-such.json"])
def test_a_model_that_is_not_here_is_told_in_the_commands_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("FASTAUDIO_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for words in (["models", name, "--tensors"], ["pack", name, "-o", "x.onnx"]):
        assert cli.main(words) == 2
        err = capsys.readouterr().err
        assert f"{words[0]}: expected " in err
        assert "Pipeline.load" not in err
    with pytest.raises(fa.ModelError, match=r"^Pipeline\.load: expected "):
        fa.Pipeline.load(name)
