"""Outputs of networks: what follows the batch, what is constant, and what others may do meanwhile."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest

pytest.importorskip("onnx")
from locks import others_run
from network_forms import node, save, tensor

if TYPE_CHECKING:
    from pathlib import Path

ROWS = np.arange(1, 5, dtype=np.float32)[:, None]
BOTH_WAYS = [
    node("Unsqueeze", ["x", "axes"], ["once"]),
    node("Neg", ["once"], ["back"]),
    node("Concat", ["once", "back"], ["state"], axis=0),
    node("Identity", ["x"], ["y"]),
]


@pytest.mark.parametrize("declared", [None, (2, "n", 1), (2, 1, 1)])
def test_two_directions_are_not_taken_for_a_batch_of_two(
    tmp_path: Path, declared: tuple[int | str, ...] | None
) -> None:
    outputs = [tensor("y", "float32", ("n", 1))]
    outputs += [tensor("state", "float32", declared)] if declared else []
    inputs = [tensor("x", "float32", ("n", 1))]
    path = save(tmp_path / "net.onnx", BOTH_WAYS, inputs, outputs, axes=np.array([0], dtype=np.int64))
    want = np.stack([ROWS, -ROWS], axis=1)[..., None]
    np.testing.assert_array_equal(fa.OnnxModel(path, outputs=["state"])(ROWS), want)
    for batch in (2, 3):
        with pytest.raises(fa.ModelError, match=r"with one row for each input row, .*; .*leave out batch="):
            fa.OnnxModel(path, outputs=["state"], batch=batch)(ROWS)
        np.testing.assert_array_equal(fa.OnnxModel(path, outputs=["y"], batch=batch)(ROWS), ROWS)


def test_a_state_that_a_constant_would_overwrite_is_refused(tmp_path: Path) -> None:
    row = (1, 2)
    path = save(
        tmp_path / "net.onnx",
        [node("Add", ["x", "h"], ["y"])],
        [tensor(name, "float32", row) for name in ("x", "h", "c")],
        [tensor(name, "float32", row) for name in ("y", "c")],
    )
    with pytest.raises(fa.ModelError, match=r"state 'h', got the constant 'c'; give it another output"):
        fa.OnnxModel(path, state={"h": "c"}, inputs={"c": [[5.0, 5.0]]})


def test_other_threads_run_while_an_inner_tensor_is_made_an_output(tmp_path: Path) -> None:
    n = 800
    chain = [node("MatMul", [f"t{k}", "w"], [f"t{k + 1}"]) for k in range(n)]
    path = save(
        tmp_path / "net.onnx",
        chain,
        [tensor("t0", "float32", ("n", 64))],
        [tensor(f"t{n}", "float32", ("n", 64))],
        w=np.zeros((64, 64), dtype=np.float32),
    )
    network, numbers = fa.OnnxModel(path), itertools.cycle(range(1, n))
    assert others_run(lambda: network[f"t{next(numbers)}"])
