"""OnnxModel runs what ten exporters write, with the numbers of ONNX Runtime's own Python.

`tests/golden/make_exporters.py` made the files and the numbers.
"""

from __future__ import annotations

from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import ONNX, assert_same_bits, in_chunks

FOLDER = ONNX / "exporters"
OPTIONS: dict[str, dict[str, Any]] = {
    "onnxscript_rate": {"inputs": {"sr": 16_000}},
    "onnxruntime_quantized": {"batch": 5},  # the scale of its numbers is that of all rows of a run
}
NAMES = sorted(path.stem for path in FOLDER.glob("*.npz"))


def test_there_are_ten() -> None:
    assert len(NAMES) == 10


@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_each_exporter_gives_the_numbers_of_onnx_runtime(name: str) -> None:
    path = FOLDER / f"{name}.onnx"
    with np.load(FOLDER / f"{name}.npz") as kept:
        want = {key.removeprefix("out:"): kept[key] for key in kept if key != "rows"}
        rows = kept["rows"].astype(np.float32)
    net = fa.OnnxModel(path, outputs=list(want), **OPTIONS.get(name, {}))
    assert set(want) <= set(net.available_outputs)
    got = net(rows)
    outputs = got if isinstance(got, dict) else dict.fromkeys(want, got)
    for key, value in want.items():
        assert outputs[key].shape == value.shape
        tolerance = 1e-3 if value.dtype == np.float16 else 1e-6
        np.testing.assert_allclose(outputs[key], value.astype(np.float32), rtol=0, atol=tolerance)
    if "batch" not in OPTIONS.get(name, {}):
        assert_same_bits(got if isinstance(got, dict) else {"": got}, in_chunks(net, rows, [1, 2, 2]))
