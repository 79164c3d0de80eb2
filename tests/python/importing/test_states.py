"""What a recurrent input is given is named only where the network says so; else it is left to choose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import importing
from fastaudio.importing.states import pairs_of

pytest.importorskip("onnx")
from importing_helpers import numbers, write_typed
from onnx import TensorProto, helper

if TYPE_CHECKING:
    from pathlib import Path

FLOAT = TensorProto.FLOAT
SAMPLES: dict[str, Any] = {"options": {"sample_rate": 16_000}, "window_s": 0.02}


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        (["h", "c"], ["cn", "hn"]),
        (["h", "c"], ["c_out", "h_out"]),
        (["h_in", "c_in"], ["c_out", "h_out"]),
        (["h0", "c0"], ["cN", "hN"]),
        (["h0", "c0"], ["c1", "h1"]),
        (["h0", "h1"], ["h1_out", "h0_out"]),
        (["in_cache_10", "in_cache_1"], ["out_cache_1", "out_cache_10"]),
        (["r1i", "r2i"], ["r2o", "r1o"]),
        (["state_h", "state_c"], ["new_state_c", "new_state_h"]),
        (["hidden", "cell"], ["cell_next", "hidden_next"]),
        (["stateH", "stateC"], ["stateCNew", "stateHNew"]),
        (["prev_h", "prev_c"], ["next_c", "next_h"]),
    ],
)
def test_states_are_paired_by_their_names(inputs: list[str], outputs: list[str]) -> None:
    assert pairs_of(dict.fromkeys(inputs, outputs)) == {
        one: [other] for one, other in zip(inputs, reversed(outputs), strict=True)
    }


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        (["a", "b"], ["y1", "y2"]),
        (["h", "c"], ["out", "out2"]),
        (["s0", "s1"], ["s2", "s3"]),
        (["state", "state2"], ["o1", "o2"]),
        (["h", "c"], ["x", "x_out"]),
    ],
)
def test_names_that_say_nothing_leave_the_choice(inputs: list[str], outputs: list[str]) -> None:
    assert pairs_of(dict.fromkeys(inputs, outputs)) == dict.fromkeys(inputs, outputs)


def test_sizes_alone_are_enough_for_one() -> None:
    assert pairs_of({"state": ["other"]}) == {"state": ["other"]}
    assert pairs_of({"a": ["y"], "b": ["y", "z"]}) == {"a": ["y"], "b": ["y", "z"]}


def recurrent(path: Path, names: dict[str, str]) -> Path:
    """Write a network of two states, which its last two outputs return crosswise."""
    (h, h_out), (c, c_out) = names.items()
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[1], keepdims=1),
        helper.make_node("MatMul", ["m", "w"], ["g"]),
        helper.make_node("Add", ["g", h], [h_out]),
        helper.make_node("Sub", [c, h], [c_out]),
        helper.make_node("Sigmoid", [c_out], ["y"]),
    ]
    inputs: dict[str, tuple[int, list[Any]]] = {
        "x": (FLOAT, ["n", 320]),
        h: (FLOAT, [1, 4]),
        c: (FLOAT, [1, 4]),
    }
    outputs: dict[str, list[Any]] = {"y": [1, 4], c_out: [1, 4], h_out: [1, 4]}
    return write_typed(path, nodes, inputs, outputs, {"w": numbers(1, 4)})


def test_the_remedy_that_the_error_gives_is_right(tmp_path: Path) -> None:
    network = recurrent(tmp_path / "net.onnx", {"h": "hn", "c": "cn"})
    with pytest.raises(fa.ModelError, match="say what the others are given: ") as told:
        importing.from_onnx(network, "samples", **SAMPLES)
    state = dict(re.findall(r"--state (\w+)=(\w+)", str(told.value)))
    assert state == {"h": "hn", "c": "cn"}
    pipeline = importing.from_onnx(network, "samples", **SAMPLES, state=state)
    assert len(pipeline(np.ones(3200, np.float32), sample_rate=16_000)) == 10


def test_where_names_say_nothing_the_outputs_are_listed(tmp_path: Path) -> None:
    network = recurrent(tmp_path / "net.onnx", {"a": "p", "b": "q"})
    message = "--state a=OUTPUT --state b=OUTPUT (inputs= and state= in Python); OUTPUT is y or q or p, as"
    with pytest.raises(fa.ModelError, match=re.escape(message)):
        importing.from_onnx(network, "samples", **SAMPLES)
