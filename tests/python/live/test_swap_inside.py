"""A swap of a part with patches of its own, after others that were cut before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest

pytest.importorskip("onnx")
from network_forms import node, save, tensor

if TYPE_CHECKING:
    from pathlib import Path

RATE_HZ = 16_000
SOUND = np.random.default_rng(0).uniform(0.01, 0.1, 3 * RATE_HZ).astype(np.float32)


def pipeline(network: Path, name: str) -> fa.Pipeline:
    """Return the largest samples of each 100 ms, cut and laid out again."""
    front = fa.Resample(input_rate=RATE_HZ, output_rate=RATE_HZ) >> fa.Patches(length=RATE_HZ // 10)
    again = fa.Patches(length=4, last="pad") >> fa.Unroll()
    return fa.Pipeline(front >> fa.OnnxModel(network) >> fa.Parallel({name: again, "log": fa.Log(kind="ln")}))


def rows_of(network: Path, swap: str) -> list[float]:
    """Return the values of the first output, before and after a swap at 1.4 s."""
    with pipeline(network, "first").live(RATE_HZ, max_results=1000) as stream:
        stream.push(SOUND[:22_400])
        if swap:
            stream.swap(pipeline(network, swap))
        stream.push(SOUND[22_400 : 2 * RATE_HZ])
        stream.finish()
        return [
            float(value)
            for result in stream
            for value in result.rows.ravel()
            if value > 0  # the logarithms are below
        ]


def test_no_row_is_lost_after_a_swap(tmp_path: Path) -> None:
    axes = {"axes": [1], "keepdims": 1}
    path = save(
        tmp_path / "max.onnx",
        [node("ReduceMax", ["x"], ["y"], **axes)],
        [tensor("x", "float32", ("n", RATE_HZ // 10))],
        [tensor("y", "float32", ("n", 1))],
    )
    want = rows_of(path, "")
    assert len(want) == 20
    np.testing.assert_array_equal(rows_of(path, "second"), want)
